#include "chappe/client/json_connection.h"

#include "chappe/async/sleep.h"
#include "chappe/client/json_request.h"
#include "chappe/client/json_writer.h"

namespace chappe::client {
namespace {

JsonLine& begin(JsonLine& line, const std::string& ref) {
  if (!ref.empty()) line.text("ref", ref);
  return line;
}

}  // namespace

using flow::Access;

JsonConnection::JsonConnection(Service& service, std::unique_ptr<async::Stream> stream)
    : service_(service),
      stream_(std::move(stream)),
      session_(service),
      announced_generation_(service.generation()) {}

void JsonConnection::start(sync::Signal& ended) {
  on_end_ = &ended;
  service_.executor().spawn(reader_, "client reader", &JsonConnection::read, this);
  service_.executor().spawn(writer_, "client writer", &JsonConnection::write, this);
}

// --- Requests ------------------------------------------------------------------------------------

async::Task<> JsonConnection::read() {
  std::array<std::uint8_t, kLineMax> buffer;
  std::size_t filled = 0;
  for (;;) {
    // A client that asks and does not read its answers waits here, and nobody else does.
    while (output_.size() > kOutputMax) co_await drained_.wait("a client to read");

    const std::span<std::uint8_t> room = std::span(buffer).subspan(filled);
    const auto count = co_await stream_->read(room);
    if (!count) break;
    // A client that is quicker than we are never makes read() wait, and would have us for itself.
    co_await async::yield(service_.executor());
    filled += *count;

    std::size_t begin = 0;
    for (std::size_t at = 0; at < filled; ++at) {
      if (buffer[at] != '\n') continue;
      answer({reinterpret_cast<const char*>(buffer.data()) + begin, at - begin});
      begin = at + 1;
    }
    std::copy(buffer.begin() + begin, buffer.begin() + filled, buffer.begin());
    filled -= begin;
    if (filled == buffer.size()) {
      JsonLine(output_).text("error", "a line is longer than 4095 bytes; goodbye");
      break;
    }
  }
  // Who closes one direction may still read the other: the writer ends when all is written.
  hung_up_ = true;
  session_.wake().set(kReplyBit);
}

void JsonConnection::answer(std::string_view line) {
  session_.wake().set(kReplyBit);
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
  const auto request = parse_request(line);
  if (!request) {
    JsonLine reply(output_);
    begin(reply, request.error().ref).text("error", request.error().words);
    return;
  }
  if (request->kind == JsonRequest::Kind::submit) return answer_submit(*request);
  JsonLine reply(output_);
  begin(reply, request->ref);
  switch (request->kind) {
    case JsonRequest::Kind::submit:
      return;
    case JsonRequest::Kind::subscribe:
      wants_events_ = request->events != kNoEvents;
      session_.subscribe(request->events);
      reply.text("reply", "subscribe");
      return;
    case JsonRequest::Kind::status:
      reply.text("reply", "status");
      add_status(reply);
      return;
    case JsonRequest::Kind::command:
      if (!service_.commands()) {
        reply.text("error", "this node takes no commands here");
        return;
      }
      reply.text("reply", "command").text("text", service_.commands()(request->line));
      return;
    case JsonRequest::Kind::restart:
      reply.text("reply", "restart-clients");
      service_.restart();
      return;
  }
}

void JsonConnection::answer_submit(const JsonRequest& request) {
  auto id = session_.submit(request.frame, request.after, request.priority);
  if (!id && id.error() == SubmitError::restarted) {
    announce_restart();
    id = session_.submit(request.frame, request.after, request.priority);
  }
  JsonLine reply(output_);
  begin(reply, request.ref);
  if (id) {
    ++results_awaited_;
    reply.text("reply", "submit").number("id", static_cast<std::int64_t>(*id));
  } else if (id.error() == SubmitError::too_many) {
    wants_room_ = true;
    reply.text("error", "too many submissions under way; {\"event\":\"room\"} will follow");
  } else {
    const auto packet = mesh::parse(request.frame);
    reply.text("error", "not a packet: " + std::string(to_string(packet.error())));
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
}

// --- What goes out -------------------------------------------------------------------------------

void JsonConnection::announce_restart() {
  if (announced_generation_ == service_.generation()) return;
  announced_generation_ = service_.generation();
  results_awaited_ = 0;
  JsonLine(output_).text("event", "restarted").number("generation", announced_generation_);
  // The new generation owes nothing of the old one's, and has room for everybody.
  if (std::exchange(wants_room_, false)) JsonLine(output_).text("event", "room");
}

// Everything that waits for this client, up to the bound. Asking ends with a refusal, which is what
// makes the next wake ours; a client that subscribed to nothing does not even ask.
void JsonConnection::collect() {
  announce_restart();
  if (const std::uint64_t lost = session_.take_lost(); lost > 0) {
    JsonLine(output_).text("event", "lost").number("count", static_cast<std::int64_t>(lost));
  }
  std::string line;
  while (wants_events_ && output_.size() < kOutputMax) {
    const Access access = session_.next_event(line);
    if (access == Access::refused) break;
    if (access == Access::granted) output_ += line;
  }
  SubmissionResult result;
  while (results_awaited_ > 0 && output_.size() < kOutputMax) {
    const Access access = session_.next_result(result);
    if (access == Access::refused) break;
    if (access == Access::restarted) continue;
    --results_awaited_;
    JsonLine out(output_);
    out.text("event", "result").number("id", static_cast<std::int64_t>(result.id));
    if (result.outcome) {
      out.boolean("sent", true).number("keyed_us", in_us(result.outcome->at));
      out.number("airtime_us", in_us(result.outcome->airtime));
      out.number("attempts", result.outcome->attempts);
      out.number("waited_us", in_us(result.outcome->waited));
    } else {
      out.boolean("sent", false).text("why", to_string(result.outcome.error().why));
    }
  }
}

async::Task<> JsonConnection::write() {
  std::string writing;
  for (;;) {
    collect();
    if (output_.empty()) {
      if (hung_up_ && results_awaited_ == 0) break;
      const std::uint32_t why = co_await session_.wake().wait(kAnything);
      if ((why & Session::kRoomBit) != 0 && std::exchange(wants_room_, false)) {
        JsonLine(output_).text("event", "room");
      }
      continue;
    }
    writing.clear();
    writing.swap(output_);
    drained_.wake_all();
    const Bytes bytes(reinterpret_cast<const std::uint8_t*>(writing.data()), writing.size());
    const auto written = co_await stream_->write(bytes);
    if (!written) break;
  }
  ended_ = true;
  on_end_->set();
}

// --- Connections ---------------------------------------------------------------------------------

void JsonServer::start() {
  service_.executor().spawn(slot_, "client reaper", &JsonServer::reap, this);
}

void JsonServer::stop() {
  slot_.cancel();
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
