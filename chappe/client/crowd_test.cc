// A crowd of clients, stalled and flooding: the node does not notice.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "chappe/base/random.h"
#include "chappe/client/json_connection.h"
#include "chappe/client/kiss_connection.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/sim/scripted_radio.h"
#include "chappe/tx/ledger.h"

namespace chappe::client {
namespace {

/// Subscribes to everything and never reads: its writer waits for ever.
class Stalled final : public async::Stream {
 public:
  explicit Stalled(std::string_view words) : words_(words) {}
  async::Task<Result<std::size_t, async::StreamError>> read(std::span<std::uint8_t> out) override {
    if (std::exchange(said_, true)) co_await never_.wait("nothing");
    std::ranges::copy(words_, out.begin());
    co_return words_.size();
  }
  async::Task<Result<void, async::StreamError>> write(Bytes) override {
    co_await never_.wait("nobody reads");
    co_return Result<void, async::StreamError>();
  }

 private:
  const std::string_view words_;
  bool said_ = false;
  async::WaitList never_;
};

/// Asks as fast as it is read, without end, and takes every answer.
class Flooding final : public async::Stream {
 public:
  explicit Flooding(std::string_view words) {
    while (chunk_.size() + words.size() < JsonConnection::kLineMax) chunk_ += words;
  }
  async::Task<Result<std::size_t, async::StreamError>> read(std::span<std::uint8_t> out) override {
    const std::size_t count = std::min(out.size(), chunk_.size());
    std::copy_n(chunk_.begin(), count, out.begin());
    co_return count;
  }
  async::Task<Result<void, async::StreamError>> write(Bytes bytes) override {
    written += bytes.size();
    co_return Result<void, async::StreamError>();
  }
  std::size_t written = 0;

 private:
  std::string chunk_;
};

constexpr std::string_view kSubscribe = "{\"do\":\"subscribe\"}\n";
constexpr std::string_view kPing = "\xc0\x06\x17\xc0";

struct Crowd {
  explicit Crowd(std::size_t stalled,
                 std::size_t flooding,
                 std::size_t stalled_kiss = 0,
                 std::size_t flooding_kiss = 0)
      : repeater(executor, radio, ledger, random, settings(), {mesh::PublicKey{0x42}, {}}),
        service(executor, repeater),
        server(service) {
    repeater.start();
    server.start();
    for (std::size_t i = 0; i < stalled; ++i) server.adopt(std::make_unique<Stalled>(kSubscribe));
    for (std::size_t i = 0; i < flooding; ++i) {
      constexpr std::string_view kFloods[] = {
          "{\"do\":\"status\"}\n", "nonsense\n", "\n\n\n\n\n\n"};
      server.adopt(std::make_unique<Flooding>(kFloods[i % 3]));
    }
    kiss.start();
    for (std::size_t i = 0; i < stalled_kiss; ++i) {
      kiss.adopt_local(std::make_unique<Stalled>(kPing));
    }
    for (std::size_t i = 0; i < flooding_kiss; ++i) {
      // Pings, signatures, frames that never end, and what is no frame.
      constexpr std::string_view kFloods[] = {
          kPing, "\xc0\x06\x04words\xc0", "no frame at all", "\xc0\xc0\xc0\xdb\xc0"};
      kiss.adopt_local(std::make_unique<Flooding>(kFloods[i % 4]));
    }
    port.run(executor, executor.now() + seconds(1));
  }
  ~Crowd() {
    kiss.stop();
    server.stop();
    repeater.stop();
  }
  static node::Settings settings() {
    node::Settings settings;
    settings.rules.flood_delay_factor = 0;  // from heard to keyed without a pause
    return settings;
  }

  // Until clients stand in line for a turn.
  void let_clients_ask() {
    executor.sleep();
    for (int i = 0; i < 2; ++i) executor.step();
  }

  // Steps from a frame's arrival to its transmission.
  std::uint64_t steps_of_a_frame(std::uint8_t high, std::uint8_t low) {
    radio::Frame frame;
    const std::array<std::uint8_t, 10> flood = {
        0x15, 1, 0x99, 0x11, 0x22, 0x33, 0x44, 9, high, low};
    frame.bytes.append(flood);
    frame.snr = Decibels{20};
    const std::uint64_t before = executor.step_count();
    const std::size_t sent = radio.log.size();
    const std::uint64_t given = service.turns().given();
    radio.hear(frame);
    while (radio.log.size() == sent) executor.step();
    given_meanwhile += service.turns().given() - given;
    return executor.step_count() - before;
  }

  port::VirtualPort port;
  async::Executor executor{port};
  SeededRandom random{1};
  static radio::Modulation quick() {
    radio::Modulation modulation;
    modulation.spreading = 5;
    modulation.bandwidth = *radio::Bandwidth::from_nominal(Hertz{500'000});
    return modulation;
  }
  sim::ScriptedRadio radio{executor, quick()};
  std::array<tx::Rule, 1> rules{tx::Rule{hours(1), seconds(3600)}};
  tx::Ledger ledger{rules};
  node::Repeater repeater;
  Service service;
  JsonServer server;
  KissServer kiss{service, random, ""};
  std::uint64_t given_meanwhile = 0;  // turns, while a frame was on its way
};

// Of some frames, from their arrival to their transmission.
std::uint64_t steps_of_frames(Crowd& crowd) {
  constexpr int kFrames = 40;
  std::uint64_t sum = 0;
  for (int i = 0; i < kFrames; ++i) {
    sum += crowd.steps_of_a_frame(static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i));
    // Not a round number: each frame finds the clients in another state.
    crowd.port.run(crowd.executor, crowd.executor.now() + microseconds(100'003));
    if (crowd.service.client_count() > 0) crowd.let_clients_ask();
  }
  return sum;
}

void expect_no_steps_more(Crowd& crowded) {
  Crowd alone(0, 0);
  const std::uint64_t before = steps_of_frames(alone);
  const std::uint64_t after = steps_of_frames(crowded);
  EXPECT_LE(after * 10, before * 11) << before << " steps alone, " << after << " in the crowd";
  EXPECT_GE(after, before);
  // Nor instructions: while a frame is on its way, clients have no turn.
  EXPECT_LE(crowded.given_meanwhile * 10, after);
}

TEST(Crowd, AHundredStalledAndAHundredFloodingClientsCostAFrameNoSteps) {
  Crowd crowd(100, 100);
  ASSERT_EQ(crowd.server.connection_count(), 200u);
  expect_no_steps_more(crowd);
  EXPECT_GT(crowd.service.turns().given(), 10'000u);  // they were served all the while
}

TEST(Crowd, SixteenStalledAndSixteenFloodingKissProgramsCostAFrameNoSteps) {
  Crowd crowd(0, 0, Service::kRemote / 2, Service::kRemote / 2);
  ASSERT_EQ(crowd.kiss.connection_count(), Service::kRemote);
  expect_no_steps_more(crowd);
  EXPECT_EQ(crowd.kiss.connection_count(), Service::kRemote);
  EXPECT_GT(crowd.service.turns().given(), 1000u);
}

TEST(Crowd, AFloodIsServedAtThePaceOfItsAllowance) {
  Crowd crowd(0, 1);
  Session* client = nullptr;
  crowd.service.for_each_client([&](Session& session) { client = &session; });
  ASSERT_NE(client, nullptr);
  const std::uint64_t before = client->counters().requests;
  crowd.port.run(crowd.executor, crowd.executor.now() + seconds(10));
  const std::uint64_t served = client->counters().requests - before;
  EXPECT_GE(served, 490u);
  EXPECT_LE(served, 510u);
  EXPECT_GT(client->counters().throttled, 400u);
}

TEST(Crowd, AStalledClientLosesItsOldestEventsAndNobodyElseDoes) {
  Crowd crowd(1, 0);
  Session reader(crowd.service);
  reader.subscribe(kAllEvents);
  std::string line;
  std::uint64_t read = 0;
  for (int i = 0; i < 300; ++i) {
    crowd.steps_of_a_frame(static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i));
    crowd.port.run(crowd.executor, crowd.executor.now() + seconds(1));
    while (reader.next_event(line) == flow::Access::granted) ++read;
  }
  EXPECT_EQ(read, 3u * 300);
  EXPECT_EQ(reader.take_lost(), 0u);
  crowd.service.for_each_client([&](Session& session) {
    if (&session == &reader) return;
    // All but what the log keeps and what its writer had already taken.
    const std::uint64_t lost = session.take_lost();
    EXPECT_LE(lost, 3u * 300 - EventLog::kKept);
    EXPECT_GE(lost + JsonConnection::kEventsPerTurn, 3u * 300 - EventLog::kKept);
  });
}

TEST(Crowd, OneClientTooManyIsToldSoAndGoes) {
  Crowd crowd(Service::kLocal, 0);
  EXPECT_EQ(crowd.server.connection_count(), Service::kLocal);
  auto stream = std::make_unique<Flooding>("\n");
  crowd.server.adopt(std::move(stream));
  crowd.port.run(crowd.executor, crowd.executor.now() + seconds(1));
  EXPECT_EQ(crowd.server.connection_count(), Service::kLocal);
  EXPECT_EQ(crowd.server.turned_away(), 1u);
}

TEST(Crowd, AFaultOfTheServiceIsARestartAndManyReasonsAreOne) {
  Crowd crowd(0, 0);
  Session session(crowd.service);
  for (int i = 0; i < 100; ++i) crowd.service.request_restart(Cause::asked);
  crowd.service.request_restart(Cause::fault, "of a test");
  crowd.service.request_restart(Cause::radio_reset);
  crowd.port.run(crowd.executor, crowd.executor.now() + seconds(10));
  EXPECT_EQ(crowd.service.generation(), 1u);
  EXPECT_EQ(session.subscriber().posts(), 1u);
  EXPECT_EQ(crowd.service.restarts(Cause::fault), 1u);
  EXPECT_EQ(crowd.service.last_fault(), "of a test");
  EXPECT_EQ(session.wake().take(~0u), flow::Subscriber::kRestarted);
  const EventLog::Kept* event = nullptr;
  EXPECT_EQ(session.next_event(event), flow::Access::restarted);
  EXPECT_EQ(session.next_event(event), flow::Access::refused);
}

TEST(Crowd, WhoWasHereInAnEarlierGenerationIsToldOnceAndWhoWasNotIsNot) {
  Crowd crowd(0, 0);
  crowd.service.restart();
  Session stranger(crowd.service);
  Session knows(crowd.service);
  knows.was_here(1);
  Session was(crowd.service);
  was.was_here(0);
  EXPECT_EQ(stranger.subscriber().posts() + knows.subscriber().posts(), 0u);
  EXPECT_EQ(was.subscriber().posts(), 1u);
  SubmissionResult result;
  EXPECT_EQ(was.next_result(result), flow::Access::restarted);
  EXPECT_EQ(was.next_result(result), flow::Access::refused);
  EXPECT_EQ(knows.next_result(result), flow::Access::refused);
}

TEST(EventLogTest, CountsWhatWasLostByFilterExactly) {
  EventLog log;
  EventLog::Cursor all;
  EventLog::Cursor ours;
  log.to_end(all);
  log.to_end(ours);
  Filter everything(kAllEvents);
  Filter local(kAllEvents);
  local.whose = Filter::Whose::ours;
  const std::array<std::uint8_t, 2> bytes{1, 2};
  for (std::size_t i = 0; i < EventLog::kKept + 90; ++i) {
    node::Event event;
    event.kind = node::EventKind::sent;
    event.id = i;
    event.frame = bytes;
    event.local = i % 3 == 0;
    log.append(event);
  }
  std::uint64_t lost = 0;
  const EventLog::Kept* kept = log.next(all, everything, lost);
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(kept->event().id, 90u);
  EXPECT_EQ(lost, 90u);
  lost = 0;
  kept = log.next(ours, local, lost);
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(kept->event().id, 90u);
  EXPECT_EQ(lost, 30u);
  lost = 0;
  std::size_t left = 0;
  while (log.next(ours, local, lost) != nullptr) ++left;
  EXPECT_EQ(left, (EventLog::kKept + 90 + 2) / 3 - 31);
  EXPECT_EQ(lost, 0u);
}

}  // namespace
}  // namespace chappe::client
