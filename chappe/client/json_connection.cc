#include "chappe/client/json_connection.h"

#include <algorithm>

#include "chappe/async/sleep.h"
#include "chappe/client/json_request.h"
#include "chappe/client/json_writer.h"
#include "chappe/radio/airtime.h"

namespace chappe::client {
namespace {

JsonLine& begin(JsonLine& line, const std::string& ref) {
  if (!ref.empty()) line.text("ref", ref);
  return line;
}

// As programs know it; `words` are for people.
std::string_view code_of(SubmitError error) {
  constexpr std::string_view kCodes[] = {
      "not_a_packet", "too_many", "restarted", "key_reused", "under_way", "journal_full"};
  return kCodes[static_cast<std::size_t>(error)];
}

std::int64_t number(std::uint64_t count) {
  return static_cast<std::int64_t>(count);
}

}  // namespace

using flow::Access;

JsonConnection::JsonConnection(Service& service, std::unique_ptr<async::Stream> stream)
    : service_(service),
      stream_(std::move(stream)),
      session_(service, "socket"),
      announced_generation_(service.generation()) {}

void JsonConnection::start(sync::Signal& ended) {
  on_end_ = &ended;
  service_.executor().spawn(reader_, "client reader", &JsonConnection::read, this);
  service_.executor().spawn(writer_, "client writer", &JsonConnection::write, this);
}

void JsonConnection::end() {
  ended_ = true;
  on_end_->set();
}

// --- Requests ------------------------------------------------------------------------------------

async::Task<> JsonConnection::read() {
  std::array<std::uint8_t, kLineMax> buffer;
  std::size_t filled = 0;
  for (;;) {
    const std::span<std::uint8_t> room = std::span(buffer).subspan(filled);
    const auto count = co_await stream_->read(room);
    if (!count) break;
    filled += *count;
    session_.counters().bytes_in += *count;

    std::size_t begin = 0;
    for (;;) {
      const std::string_view unread(reinterpret_cast<const char*>(buffer.data()) + begin,
                                    filled - begin);
      if (unread.find('\n') == std::string_view::npos) break;
      // A client that asks and does not read its answers waits here, and nobody else does.
      while (output_.size() > kOutputMax) co_await drained_.wait("a client to read");
      const Duration pause = allowance_.take(service_.executor().now());
      if (pause > Duration::zero()) {
        ++session_.counters().throttled;
        co_await async::sleep_for(service_.executor(), pause);
      }
      co_await service_.turns().take();
      begin += next_line(unread);
    }
    std::copy(buffer.begin() + begin, buffer.begin() + filled, buffer.begin());
    filled -= begin;
    if (filled == buffer.size()) {
      // A line that never ends must cost its client as much as lines that do.
      const Duration pause = allowance_.take(service_.executor().now());
      if (pause > Duration::zero()) co_await async::sleep_for(service_.executor(), pause);
      if (!std::exchange(skipping_, true)) {
        ++session_.counters().malformed;
        JsonLine(output_)
            .text("code", "malformed")
            .text("error", "a line is longer than 4095 bytes; it is skipped");
        session_.wake().set(kReplyBit);
      }
      filled = 0;
    }
  }
  // Who closes one direction may still read the other: the writer ends when all is written.
  hung_up_ = true;
  linger_.arm(service_.executor().now() + kLinger);
  session_.wake().set(kReplyBit);
}

// Answers the first line that is not blank; returns how many bytes that were.
std::size_t JsonConnection::next_line(std::string_view unread) {
  std::size_t begin = 0;
  for (;;) {
    const std::size_t end = unread.find('\n', begin);
    if (end == std::string_view::npos) return begin;
    const std::string_view line = unread.substr(begin, end - begin);
    begin = end + 1;
    if (std::exchange(skipping_, false)) continue;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    answer(line);
    return begin;
  }
}

void JsonConnection::answer(std::string_view line) {
  session_.wake().set(kReplyBit);
  ++session_.counters().requests;
  const auto request = parse_request(line);
  if (!request) {
    ++session_.counters().malformed;
    JsonLine reply(output_);
    begin(reply, request.error().ref).text("code", "malformed");
    reply.text("error", request.error().words);
    return;
  }
  switch (request->kind) {
    case JsonRequest::Kind::hello:
      return answer_hello(*request);
    case JsonRequest::Kind::submit:
      return answer_submit(*request);
    case JsonRequest::Kind::claim:
      return answer_claim(*request);
    case JsonRequest::Kind::clients:
      listing_ = Listing{request->ref};
      return;
    case JsonRequest::Kind::subscribe:
    case JsonRequest::Kind::status:
    case JsonRequest::Kind::command:
    case JsonRequest::Kind::restart:
      break;
  }
  JsonLine reply(output_);
  begin(reply, request->ref);
  if (request->kind == JsonRequest::Kind::subscribe) {
    wants_events_ = request->filter.kinds != kNoEvents;
    session_.subscribe(request->filter);
    reply.text("reply", "subscribe");
  } else if (request->kind == JsonRequest::Kind::status) {
    reply.text("reply", "status");
    add_status(reply);
  } else if (request->kind == JsonRequest::Kind::command) {
    if (service_.commands()) {
      reply.text("reply", "command").text("text", service_.commands()(request->line));
    } else {
      reply.text("error", "this node takes no commands here");
    }
  } else {
    reply.text("reply", "restart-clients");
    service_.request_restart(Cause::asked);
  }
}

void JsonConnection::answer_hello(const JsonRequest& request) {
  if (!request.name.empty()) session_.rename(request.name);
  {
    JsonLine reply(output_);
    begin(reply, request.ref).text("reply", "hello").number("generation", service_.generation());
    reply.number("client", number(session_.number()));
  }
  if (!request.was_here) return;
  announced_generation_ = request.generation;
  session_.was_here(request.generation);
}

std::string JsonConnection::words(SubmitError error, const JsonRequest& request) {
  switch (error) {
    case SubmitError::not_a_packet:
      return "not a packet: " + std::string(to_string(mesh::parse(request.frame).error()));
    case SubmitError::too_many:
      wants_room_ |= Session::room_bit(session_.refused_lane());
      return "too many submissions under way; {\"event\":\"room\"} will follow";
    case SubmitError::restarted:
      return "the service is being restarted; ask again";
    case SubmitError::key_reused:
      return "another packet was submitted under this key";
    case SubmitError::under_way:
      return "this client has submitted it already; its answers will come";
    case SubmitError::journal_full:
      return "too many keys are remembered at the moment; ask again in some minutes";
  }
  return {};
}

void JsonConnection::answer_submit(const JsonRequest& request) {
  announce_restart();
  if (request.key.empty()) {
    auto id = session_.submit(request.frame, request.after, request.priority);
    if (!id && id.error() == SubmitError::restarted) {
      id = session_.submit(request.frame, request.after, request.priority);
    }
    JsonLine reply(output_);
    begin(reply, request.ref);
    if (id) {
      ++results_awaited_;
      reply.text("reply", "submit").number("id", number(*id));
    } else {
      reply.text("code", code_of(id.error())).text("error", words(id.error(), request));
    }
    return;
  }
  const auto place = std::ranges::find_if(asked_, [](const auto& asked) { return !asked; });
  if (place != asked_.end()) *place = Asked{SubmissionKey(request.key), request.ref};
  auto taken = session_.submit(request.key, request.frame, request.after, request.priority);
  if (!taken && taken.error() == SubmitError::restarted) {
    taken = session_.submit(request.key, request.frame, request.after, request.priority);
  }
  if (taken) {
    ++results_awaited_;
    return;  // the reply is its acceptance
  }
  if (place != asked_.end()) place->reset();
  JsonLine reply(output_);
  begin(reply, request.ref).text("key", request.key);
  reply.text("code", code_of(taken.error())).text("error", words(taken.error(), request));
}

void JsonConnection::answer_claim(const JsonRequest& request) {
  announce_restart();
  auto known = session_.claim(request.key);
  if (!known && known.error() == SubmitError::restarted) known = session_.claim(request.key);
  JsonLine reply(output_);
  begin(reply, request.ref);
  if (known) {
    if (*known) ++results_awaited_;
    reply.text("reply", "claim").text("key", request.key).boolean("known", *known);
  } else {
    reply.text("key", request.key).text("code", code_of(known.error()));
    reply.text("error", words(known.error(), request));
  }
}

void JsonConnection::add_status(JsonLine& reply) {
  const node::Repeater& repeater = service_.repeater();
  const node::Books& books = repeater.books();
  const tx::Statistics& sent = repeater.statistics();
  const auto number = [&](std::string_view key, std::uint64_t value) {
    reply.number(key, static_cast<std::int64_t>(value));
  };
  reply.number("t_us", in_us(repeater.now()));
  number("generation", service_.generation());
  number("clients", service_.client_count());
  number("restarts_asked", service_.restarts(Cause::asked));
  number("restarts_fault", service_.restarts(Cause::fault));
  number("restarts_radio_reset", service_.restarts(Cause::radio_reset));
  if (!service_.last_fault().empty()) reply.text("last_fault", service_.last_fault());
  reply.boolean("durable", service_.journal().healthy());
  number("heard", books.heard);
  number("waiting", books.waiting);
  number("forwarded", books.forwarded);
  number("delivered", books.delivered);
  number("dropped", books.dropped());
  number("submitted", sent.submitted);
  number("sent", sent.sent);
  number("refused", sent.refused());
  number("queued", sent.waiting);
  reply.number("airtime_us", in_us(sent.airtime));
  number("spent_ppm", repeater.law().spent_ppm(repeater.now()));
  add_hour(reply);
}

// The airtime budget: what is spent of it, when there is room for the longest frame, who is next.
void JsonConnection::add_hour(JsonLine& reply) {
  const node::Repeater& repeater = service_.repeater();
  const tx::Statistics& sent = repeater.statistics();
  const tx::Usage usage = repeater.law().usage(repeater.now());
  if (usage.limit > Duration::zero()) {
    reply.number("spent_us", in_us(usage.spent)).number("limit_us", in_us(usage.limit));
    reply.number("window_us", in_us(usage.window));
  }
  const Duration longest = radio::time_on_air(repeater.radio().modulation(), radio::kFrameMax);
  const Time now = repeater.now();
  const Time free = repeater.law().earliest(longest, now);
  if (free != kNever) {
    reply.number("free_in_us", in_us(std::max(Duration::zero(), free - now)));
  }
  if (const tx::Waiting* const next = repeater.transmitter().next_in_line()) {
    reply.number("next_airtime_us", in_us(next->airtime()))
        .number("next_priority", next->priority());
  }
  for (std::size_t i = 0; i < tx::kWhyCount; ++i) {
    const std::uint64_t count = sent.refused_early[i] + sent.refused_at_gate[i];
    if (count == 0) continue;
    reply.number("refused_" + std::string(to_string(static_cast<tx::Why>(i))),
                 static_cast<std::int64_t>(count));
  }
  reply.number("forced", static_cast<std::int64_t>(sent.forced));
  reply.number("saved_us", in_us(sent.saved));
  if (const auto undebited = sent.undebited(repeater.radio())) {
    reply.number("undebited_us", in_us(*undebited));
  }
}

// --- What goes out -------------------------------------------------------------------------------

void JsonConnection::announce_restart() {
  if (announced_generation_ == service_.generation()) return;
  announced_generation_ = service_.generation();
  results_awaited_ = 0;
  asked_.fill(std::nullopt);
  JsonLine(output_).text("event", "restarted").number("generation", announced_generation_);
  // The new generation owes nothing of the old one's, and has room for everybody.
  announce_room(Session::kRoomBits);
}

void JsonConnection::announce_room(std::uint32_t bits) {
  bits &= std::exchange(wants_room_, wants_room_ & ~bits);
  for (const Lane lane : {Lane::urgent, Lane::other}) {
    if ((bits & Session::room_bit(lane)) == 0) continue;
    JsonLine(output_).text("event", "room").text("lane", to_string(lane));
  }
}

// A turn's worth of what waits for this client. Asking ends with a refusal, which is what makes the
// next wake ours; a client that subscribed to nothing does not even ask.
void JsonConnection::collect(std::uint32_t why) {
  announce_restart();
  announce_room(why);
  collect_results();
  const EventLog::Kept* event = nullptr;
  for (std::size_t i = 0; i < kEventsPerTurn && wants_events_; ++i) {
    const Access access = session_.next_event(event);
    if (const std::uint64_t lost = session_.take_lost(); lost > 0) {
      JsonLine(output_).text("event", "lost").number("count", number(lost));
    }
    if (access == Access::refused) break;
    if (access == Access::granted) output_ += event->line();
  }
  if (listing_) list_clients();
}

void JsonConnection::collect_results() {
  SubmissionResult result;
  while (results_awaited_ > 0) {
    const Access access = session_.next_result(result);
    if (access == Access::refused) break;
    if (access == Access::restarted) continue;
    if (result.kind != SubmissionResult::Kind::accepted) --results_awaited_;
    add_result(result);
  }
}

void JsonConnection::add_result(const SubmissionResult& result) {
  if (result.kind == SubmissionResult::Kind::accepted) {
    const auto asked = std::ranges::find_if(asked_, [&](const std::optional<Asked>& place) {
      return place && place->key == result.key;
    });
    JsonLine out(output_);
    if (asked != asked_.end()) begin(out, (*asked)->ref);
    out.text("reply", "submit").text("key", result.key);
    if (result.id != 0) out.number("id", number(result.id));
    out.boolean("durable", result.durable);
    if (asked != asked_.end()) asked->reset();
    return;
  }
  JsonLine out(output_);
  out.text("event", result.kind == SubmissionResult::Kind::claimed ? "claimed" : "result");
  if (result.id != 0) out.number("id", number(result.id));
  if (!result.key.empty()) out.text("key", result.key);
  if (result.kind == SubmissionResult::Kind::claimed) return;
  if (result.outcome) {
    out.boolean("sent", true).number("keyed_us", in_us(result.outcome->at));
    out.number("airtime_us", in_us(result.outcome->airtime));
    out.number("attempts", result.outcome->attempts);
    out.number("waited_us", in_us(result.outcome->waited));
  } else {
    out.boolean("sent", false).text("why", to_string(result.outcome.error().why));
    if (result.outcome.error().perhaps_sent) out.boolean("perhaps_sent", true);
  }
}

// A turn's worth of clients, and the reply behind the last one.
void JsonConnection::list_clients() {
  constexpr std::size_t kPerTurn = 16;
  std::size_t left = kPerTurn;
  service_.for_each_client([&](Session& client) {
    if (left == 0 || client.number() <= listing_->after) return;
    --left;
    listing_->after = client.number();
    ++listing_->count;
    const ClientCounters& counters = client.counters();
    JsonLine line(output_);
    begin(line, listing_->ref).number("client", number(client.number()));
    line.text("name", client.name());
    line.number("refusals", number(client.subscriber().refusals()));
    line.number("posts", number(client.subscriber().posts()));
    line.number("in_vain", number(counters.in_vain)).number("lost", number(counters.lost));
    line.number("requests", number(counters.requests));
    line.number("throttled", number(counters.throttled));
    line.number("malformed", number(counters.malformed));
    line.number("submitted", number(counters.submitted));
    line.number("bytes_in", number(counters.bytes_in));
    line.number("bytes_out", number(counters.bytes_out));
  });
  if (left == 0) {
    session_.wake().set(kReplyBit);
    return;
  }
  JsonLine reply(output_);
  begin(reply, listing_->ref).text("reply", "clients").number("count", number(listing_->count));
  listing_.reset();
}

async::Task<> JsonConnection::write() {
  std::string writing;
  std::uint32_t why = 0;
  for (;;) {
    collect(std::exchange(why, 0));
    if (output_.empty()) {
      if (hung_up_ && results_awaited_ == 0) break;
      why = co_await session_.wake().wait(kAnything);
      co_await service_.turns().take();
      continue;
    }
    writing.clear();
    writing.swap(output_);
    drained_.wake_all();
    const Bytes bytes(reinterpret_cast<const std::uint8_t*>(writing.data()), writing.size());
    const auto written = co_await stream_->write(bytes);
    if (!written) break;
    session_.counters().bytes_out += bytes.size();
    co_await service_.turns().take();
  }
  end();
}

// --- Connections ---------------------------------------------------------------------------------

void JsonServer::start() {
  service_.executor().spawn(slot_, "client reaper", &JsonServer::reap, this);
}

void JsonServer::stop() {
  slot_.cancel();
  door_slot_.cancel();
  unwelcome_.reset();
  for (auto& connection : connections_) connection.reset();
}

void JsonServer::adopt(std::unique_ptr<async::Stream> stream) {
  for (auto& connection : connections_) {
    if (connection != nullptr) continue;
    if (service_.client_count() == Service::kClients) break;
    connection = std::make_unique<JsonConnection>(service_, std::move(stream));
    connection->start(ended_);
    return;
  }
  ++turned_away_;
  if (door_slot_.alive()) return;
  unwelcome_ = std::move(stream);
  service_.executor().spawn(door_slot_, "client door", &JsonServer::turn_away, this);
}

async::Task<> JsonServer::turn_away() {
  constexpr std::string_view kWords =
      "{\"code\":\"too_many_clients\",\"error\":\"too many clients; try again later\"}\n";
  const Bytes bytes(reinterpret_cast<const std::uint8_t*>(kWords.data()), kWords.size());
  const auto written = co_await unwelcome_->write(bytes);
  static_cast<void>(written);
  unwelcome_.reset();
}

std::size_t JsonServer::connection_count() const {
  std::size_t count = 0;
  for (const auto& connection : connections_) count += connection != nullptr ? 1 : 0;
  return count;
}

async::Task<> JsonServer::reap() {
  for (;;) {
    co_await ended_.next();
    for (auto& connection : connections_) {
      if (connection != nullptr && connection->has_ended()) connection.reset();
    }
  }
}

}  // namespace chappe::client
