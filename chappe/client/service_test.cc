#include "chappe/client/service.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "chappe/async/sleep.h"
#include "chappe/base/random.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/sim/scripted_radio.h"
#include "chappe/tx/ledger.h"

namespace chappe::client {
namespace {

using flow::Access;

class ServiceTest : public testing::Test {
 protected:
  ServiceTest() { repeater_.start(); }
  ~ServiceTest() override { repeater_.stop(); }

  void hear(std::uint8_t serial) {
    radio::Frame frame;
    const std::array<std::uint8_t, 9> flood = {0x15, 1, 0x99, 0x11, 0x22, 0x33, 0x44, 0x55, serial};
    frame.bytes.append(flood);
    frame.snr = Decibels{20};
    radio_.hear(frame);
  }
  void run(Duration span = seconds(20)) { port_.run(executor_, executor_.now() + span); }
  static std::vector<std::uint8_t> packet(std::uint8_t serial) {
    return {0x15, 0x00, 1, 2, 3, 4, 5, serial};
  }

  port::VirtualPort port_;
  async::Executor executor_{port_};
  SeededRandom random_{1};
  sim::ScriptedRadio radio_{executor_};
  std::array<tx::Rule, 1> rules_{tx::Rule{hours(1), seconds(360)}};
  tx::Ledger ledger_{rules_};
  node::Repeater repeater_{executor_,
                           radio_,
                           ledger_,
                           random_,
                           node::Settings{},
                           mesh::Identity{mesh::PublicKey{0x42}, {}}};
};

TEST_F(ServiceTest, AClientThatNeverAskedIsNeverWoken) {
  Service service(executor_, repeater_);
  Session subscribed_only(service);
  Session quiet(service);
  subscribed_only.subscribe(kAllEvents);
  for (std::uint8_t i = 0; i < 50; ++i) {
    hear(i);
    run();
  }
  EXPECT_EQ(service.notifier().posts(), 0u);
  EXPECT_EQ(quiet.wake().take(~0u), 0u);
  EXPECT_EQ(subscribed_only.wake().take(~0u), 0u);
  std::string line;
  EXPECT_EQ(subscribed_only.next_event(line), Access::granted);
  EXPECT_EQ(quiet.next_event(line), Access::refused);
}

TEST_F(ServiceTest, AskedInVainAClientIsWokenOnceAndReadsEverything) {
  Service service(executor_, repeater_);
  Session session(service);
  session.subscribe(kAllEvents);
  std::string line;
  EXPECT_EQ(session.next_event(line), Access::refused);
  hear(1);
  run();
  EXPECT_EQ(session.subscriber().posts(), 1u);
  EXPECT_EQ(session.wake().take(~0u), Session::kEventBit);
  ASSERT_EQ(session.next_event(line), Access::granted);
  EXPECT_NE(line.find("\"event\":\"heard\""), std::string::npos) << line;
  ASSERT_EQ(session.next_event(line), Access::granted);
  EXPECT_NE(line.find("\"verdict\":\"forward\",\"why\":\"flood\""), std::string::npos) << line;
  ASSERT_EQ(session.next_event(line), Access::granted);
  EXPECT_NE(line.find("\"event\":\"sent\""), std::string::npos) << line;
  EXPECT_EQ(session.next_event(line), Access::refused);
}

TEST_F(ServiceTest, ASubscriptionNamesItsEvents) {
  Service service(executor_, repeater_);
  Session session(service);
  session.subscribe(1u << static_cast<unsigned>(node::EventKind::sent));
  hear(1);
  run();
  std::string line;
  ASSERT_EQ(session.next_event(line), Access::granted);
  EXPECT_NE(line.find("\"event\":\"sent\""), std::string::npos) << line;
  EXPECT_EQ(session.next_event(line), Access::refused);
}

TEST_F(ServiceTest, ReadingTakesNothingFromAnybodyElse) {
  Service service(executor_, repeater_);
  Session a(service);
  Session b(service);
  a.subscribe(kAllEvents);
  b.subscribe(kAllEvents);
  hear(1);
  run();
  std::string first;
  std::string second;
  EXPECT_EQ(a.next_event(first), Access::granted);
  EXPECT_EQ(b.next_event(second), Access::granted);
  EXPECT_EQ(first, second);
}

TEST_F(ServiceTest, ASlowClientLosesItsOwnOldestEventsAndLearnsHowMany) {
  Service service(executor_, repeater_);
  Session slow(service);
  Session quick(service);
  slow.subscribe(1);
  quick.subscribe(1);
  std::string line;
  constexpr std::size_t kHeard = Session::kEvents + 30;
  for (std::size_t i = 0; i < kHeard; ++i) {
    hear(static_cast<std::uint8_t>(i));
    run();
    EXPECT_EQ(quick.next_event(line), Access::granted);
  }
  EXPECT_EQ(slow.take_lost(), 30u);
  EXPECT_EQ(quick.take_lost(), 0u);
  std::size_t read = 0;
  while (slow.next_event(line) == Access::granted) ++read;
  EXPECT_EQ(read, Session::kEvents);
  EXPECT_NE(line.find("\"id\":" + std::to_string(kHeard)), std::string::npos) << line;
}

TEST_F(ServiceTest, AResultReachesItsSubmitterAlone) {
  Service service(executor_, repeater_);
  Session asks(service);
  Session other(service);
  SubmissionResult result;
  EXPECT_EQ(other.next_result(result), Access::refused);
  const auto id = asks.submit(packet(1), milliseconds(10), 1);
  ASSERT_TRUE(id);
  EXPECT_EQ(asks.next_result(result), Access::refused);
  run();
  EXPECT_EQ(asks.wake().take(~0u), Session::kResultBit);
  ASSERT_EQ(asks.next_result(result), Access::granted);
  EXPECT_EQ(result.id, *id);
  EXPECT_TRUE(result.outcome);
  EXPECT_EQ(other.wake().take(~0u), 0u);
  EXPECT_EQ(other.next_result(result), Access::refused);
}

TEST_F(ServiceTest, RoomIsOwedToWhoWasRefusedAndPaidWhenAResultIsRead) {
  Service service(executor_, repeater_);
  Session session(service);
  for (std::uint8_t i = 0; i < kSubmissionsPerLane; ++i) {
    EXPECT_TRUE(session.submit(packet(i), Duration::zero(), 1));
  }
  const auto refused = session.submit(packet(99), Duration::zero(), 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), SubmitError::too_many);
  run();
  EXPECT_EQ(session.wake().take(~0u), 0u);
  SubmissionResult result;
  EXPECT_EQ(session.next_result(result), Access::granted);
  EXPECT_EQ(session.wake().take(~0u), Session::room_bit(Lane::other));
  EXPECT_TRUE(session.submit(packet(99), Duration::zero(), 1));
}

TEST_F(ServiceTest, ARestartWakesEveryClientExactlyOnceAndNobodyAtTheFirstStart) {
  Service service(executor_, repeater_);
  Session busy(service);
  Session idle(service);
  EXPECT_EQ(service.notifier().posts(), 0u);
  std::string line;
  EXPECT_EQ(busy.next_event(line), Access::refused);
  EXPECT_TRUE(busy.submit(packet(1), seconds(1), 1));
  service.restart();
  EXPECT_EQ(busy.wake().take(~0u), flow::Subscriber::kRestarted);
  EXPECT_EQ(idle.wake().take(~0u), flow::Subscriber::kRestarted);
  EXPECT_EQ(busy.next_event(line), Access::restarted);
  EXPECT_EQ(busy.next_event(line), Access::refused);
  SubmissionResult result;
  run();
  EXPECT_EQ(busy.next_result(result), Access::refused);  // the old generation's result is nobody's
  EXPECT_EQ(radio_.log.size(), 1u);                      // its frame was sent all the same
  const auto first = idle.submit(packet(2), Duration::zero(), 1);
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error(), SubmitError::restarted);
  EXPECT_TRUE(idle.submit(packet(2), Duration::zero(), 1));
}

TEST_F(ServiceTest, RoomInOneLaneIsNotWithheldBecauseTheOtherIsClogged) {
  Service service(executor_, repeater_);
  Session session(service);
  constexpr std::uint8_t kUrgent = 0;
  constexpr std::uint8_t kBulk = 7;
  std::uint8_t serial = 0;
  // What is put off for minutes clogs its own lane.
  while (session.submit(packet(serial), minutes(4), kBulk)) ++serial;
  EXPECT_EQ(serial, kSubmissionsPerLane);
  EXPECT_EQ(session.refused_lane(), Lane::other);
  for (std::size_t i = 0; i < kSubmissionsPerLane; ++i) {
    EXPECT_TRUE(session.submit(packet(++serial), Duration::zero(), kUrgent));
  }
  EXPECT_FALSE(session.submit(packet(++serial), Duration::zero(), kUrgent));
  EXPECT_EQ(session.refused_lane(), Lane::urgent);
  EXPECT_EQ(session.wake().take(~0u), 0u);
  run();
  // Both are owed; there is room in one, and that one alone is told.
  SubmissionResult result;
  EXPECT_EQ(session.next_result(result), Access::granted);
  EXPECT_EQ(result.lane, Lane::urgent);
  EXPECT_EQ(session.wake().take(~0u), Session::room_bit(Lane::urgent));
  EXPECT_FALSE(session.submit(packet(++serial), Duration::zero(), kBulk));
  EXPECT_TRUE(session.submit(packet(++serial), Duration::zero(), kUrgent));
  // The other is paid in its time, once.
  run(minutes(10));
  while (session.next_result(result) == Access::granted) {
  }
  EXPECT_EQ(session.wake().take(~0u), Session::room_bit(Lane::other));
  EXPECT_LE(session.subscriber().posts(), session.subscriber().refusals());
}

TEST_F(ServiceTest, AResetOfTheRadioBeginsANewGenerationOfWhichEveryClientLearnsOnce) {
  Service service(executor_, repeater_);
  Session session(service);
  SubmissionResult result;
  EXPECT_EQ(session.next_result(result), Access::refused);
  run();
  EXPECT_EQ(service.generation(), 0u);
  radio_.reset();
  run();
  EXPECT_EQ(service.generation(), 1u);
  EXPECT_EQ(service.restarts(Cause::radio_reset), 1u);
  EXPECT_EQ(service.restarts(Cause::fault), 0u);
  EXPECT_EQ(session.subscriber().posts(), 1u);
  EXPECT_EQ(session.wake().take(~0u), flow::Subscriber::kRestarted);
  EXPECT_EQ(session.next_result(result), Access::restarted);
  EXPECT_EQ(session.next_result(result), Access::refused);
}

TEST_F(ServiceTest, AClientMayGoAtAnyMoment) {
  Service service(executor_, repeater_);
  for (std::uint8_t i = 0; i < 100; ++i) {
    Session session(service);
    session.subscribe(kAllEvents);
    for (std::uint8_t n = 0; n < kSubmissionsPerLane; ++n) {
      EXPECT_TRUE(session.submit({}, {}, 1).has_value() ||
                  session.submit(packet(n), milliseconds(i), 1));
    }
    run(milliseconds(i * 7));
  }
  run(minutes(10));
  EXPECT_EQ(service.client_count(), 0u);
  EXPECT_TRUE(repeater_.statistics().balances());
}

TEST_F(ServiceTest, BytesThatAreNoPacketAreRefusedByName) {
  Service service(executor_, repeater_);
  Session session(service);
  const auto refused = session.submit(std::array<std::uint8_t, 1>{0}, {}, 0);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), SubmitError::not_a_packet);
}

}  // namespace
}  // namespace chappe::client
