#include "chappe/client/link.h"

#include <algorithm>

#include "chappe/async/sleep.h"
#include "chappe/client/json_object.h"
#include "chappe/client/json_writer.h"

namespace chappe::client {

Link::Link(async::Executor& executor,
           Connector& connector,
           Random& random,
           LinkListener& listener,
           std::string name)
    : executor_(executor),
      connector_(connector),
      random_(random),
      listener_(listener),
      name_(std::move(name)) {}

void Link::start(std::optional<std::uint32_t> known) {
  generation_ = known;
  executor_.spawn(slot_, "link", &Link::run, this);
}

void Link::stop() {
  ask_again_.cancel();
  writer_.cancel();
  slot_.cancel();
  stream_.reset();
  greeted_ = false;
}

std::string Link::new_key() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string key;
  for (int i = 0; i < 4; ++i) {
    std::uint32_t word = random_.next();
    for (int digit = 0; digit < 8; ++digit, word >>= 4) key += kDigits[word & 15];
  }
  return key;
}

void Link::subscribe(std::string events) {
  events_ = std::move(events);
  if (!greeted_) return;
  output_ += "{\"do\":\"subscribe\",\"events\":[" + events_ + "]}\n";
  more_.wake_all();
}

bool Link::submit(std::string_view key, Bytes frame, Duration after, std::uint8_t priority) {
  const auto place = std::ranges::find_if(pending_, [](const auto& pending) { return !pending; });
  const auto in_lane = std::ranges::count_if(pending_, [&](const auto& pending) {
    return pending && lane_of(pending->priority) == lane_of(priority);
  });
  if (place == pending_.end() || in_lane == kSubmissionsPerLane) return false;
  *place = Pending{SubmissionKey(key),
                   mesh::FrameBytes(frame),
                   time_after(executor_.now(), after),
                   priority,
                   State::asking};
  if (greeted_) present(**place);
  return true;
}

// --- The connection ------------------------------------------------------------------------------

async::Task<> Link::run() {
  std::array<std::uint8_t, 4096> buffer;
  std::string line;
  Duration pause = kPauseMin;
  for (;;) {
    stream_ = connector_.connect();
    if (stream_ != nullptr) {
      line.clear();
      output_.clear();
      executor_.spawn(writer_, "link writer", &Link::write, this);
      greet();
      for (;;) {
        const auto count = co_await stream_->read(buffer);
        if (!count) break;
        for (std::size_t i = 0; i < *count; ++i) {
          if (buffer[i] != '\n') {
            line += static_cast<char>(buffer[i]);
            continue;
          }
          hear(line);
          line.clear();
        }
        // A node that is quicker than we are never makes read() wait.
        co_await async::yield(executor_);
      }
      writer_.cancel();
      stream_.reset();
      ask_again_.cancel();
      if (std::exchange(greeted_, false)) {
        pause = kPauseMin;
        listener_.on_disconnected();
      }
    }
    // Spread, so that all clients of a node that was restarted do not come in one instant.
    const auto spread = static_cast<std::uint32_t>(in_us(pause) / 2);
    co_await async::sleep_for(executor_, pause / 2 + microseconds(random_.up_to(spread)));
    pause = std::min(2 * pause, kPauseMax);
  }
}

async::Task<> Link::write() {
  std::string writing;
  for (;;) {
    while (output_.empty()) co_await more_.wait("something to say");
    writing.clear();
    writing.swap(output_);
    const Bytes bytes(reinterpret_cast<const std::uint8_t*>(writing.data()), writing.size());
    const auto written = co_await stream_->write(bytes);
    if (!written) break;  // the reader learns it too
  }
}

void Link::greet() {
  {
    JsonLine hello(output_);
    hello.text("do", "hello").text("name", name_);
    if (generation_) hello.number("generation", *generation_);
  }
  more_.wake_all();
}

void Link::present(const Pending& pending) {
  JsonLine line(output_);
  if (pending.state == State::accepted) {
    line.text("do", "claim").text("key", pending.key);
  } else {
    line.text("do", "submit").text("key", pending.key).hex("hex", pending.frame.view());
    const Duration after = std::max(Duration::zero(), pending.due - executor_.now());
    line.number("delay_ms", in_ms(after)).number("priority", pending.priority);
  }
  more_.wake_all();
}

void Link::present_all() {
  for (const std::optional<Pending>& pending : pending_) {
    if (pending) present(*pending);
  }
}

void Link::AskAgain::over(Timer& timer, const async::TimerContext&) {
  static_cast<AskAgain&>(timer).link.present_all();
}

// --- What the node says --------------------------------------------------------------------------

std::optional<Link::Pending>* Link::find(std::string_view key) {
  const auto place = std::ranges::find_if(
      pending_, [&](const auto& pending) { return pending && pending->key.view() == key; });
  return place == pending_.end() ? nullptr : &*place;
}

void Link::hear(std::string_view line) {
  auto parsed = JsonObject::parse(line);
  if (!parsed) return;
  const std::string event = parsed->text("event");
  const std::string reply = parsed->text("reply");
  if (!event.empty()) {
    hear_event(*parsed, event, line);
  } else if (!reply.empty()) {
    hear_reply(*parsed, reply);
  } else {
    hear_error(*parsed);
  }
}

void Link::hear_reply(JsonObject& object, const std::string& reply) {
  const std::string key = object.text("key");
  if (reply == "hello") {
    greeted_ = true;
    ++connections_;
    const auto generation =
        static_cast<std::uint32_t>(object.number("generation", 0, 0xffffffff, 0));
    // Who was here before is told by an event of its own, so that each restart is told once.
    if (!generation_) generation_ = generation;
    listener_.on_connected(generation);
    if (!events_.empty()) subscribe(events_);
    if (*generation_ == generation) present_all();
  } else if (reply == "submit") {
    std::optional<Pending>* const pending = find(key);
    if (pending == nullptr || (*pending)->state == State::accepted) return;
    (*pending)->state = State::accepted;
    listener_.on_accepted(key, object.boolean("durable"));
  } else if (reply == "claim" && !object.boolean("known")) {
    // Accepted by a node that does not remember: asking it to send could be the second time.
    end(key, {key, false, "forgotten", true});
  }
}

void Link::hear_event(JsonObject& object, const std::string& event, std::string_view line) {
  if (event == "restarted") {
    restarted(static_cast<std::uint32_t>(object.number("generation", 0, 0xffffffff, 0)));
  } else if (event == "result") {
    const std::string key = object.text("key");
    end(key, {key, object.boolean("sent"), object.text("why"), object.boolean("perhaps_sent")});
  } else if (event == "claimed") {
    const std::string key = object.text("key");
    end(key, {key, false, "claimed", true});
  } else if (event == "room") {
    ask_again_.arm(executor_.now());
  } else if (event == "lost") {
    listener_.on_lost(static_cast<std::uint64_t>(object.number("count", 0, 1LL << 62, 0)));
  } else {
    listener_.on_event(line);
  }
}

void Link::hear_error(JsonObject& object) {
  const std::string key = object.text("key");
  const std::string code = object.text("code");
  if (code == "under_way") return;
  if (code == "too_many" || code == "journal_full" || code == "restarted") {
    ask_again_.arm(executor_.now() + kAskAgain);
  } else if (!key.empty()) {
    end(key, {key, false, code.empty() ? "error" : code, false});
  }
}

void Link::restarted(std::uint32_t generation) {
  if (generation_ != generation) {
    generation_ = generation;
    listener_.on_restarted(generation);
  }
  // The new generation knows the keys and nothing of who asked.
  present_all();
}

void Link::end(std::string_view key, const LinkResult& result) {
  std::optional<Pending>* const pending = find(key);
  if (pending == nullptr) return;
  pending->reset();  // first: the listener may submit the next one
  listener_.on_result(result);
}

}  // namespace chappe::client
