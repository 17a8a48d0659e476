#include "chappe/node/repeater.h"

#include <gtest/gtest.h>

#include <array>

#include "chappe/base/random.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/radio/airtime.h"
#include "chappe/sim/scripted_radio.h"
#include "chappe/tx/ledger.h"

namespace chappe::node {
namespace {

constexpr std::array<std::uint8_t, 9> kFlood = {0x15, 1, 0x99, 0x11, 0x22, 0x33, 0x44, 0x55, 7};

class RepeaterTest : public testing::Test {
 protected:
  RepeaterTest() { repeater_.start(); }
  void run_for(Duration span) { port_.run(executor_, executor_.now() + span); }
  void hear() {
    radio::Frame frame;
    frame.bytes = radio::FrameBytes(kFlood);
    frame.snr = Decibels{40};
    radio_.hear(frame);
    run_for(seconds(30));
  }

  port::VirtualPort port_;
  async::Executor executor_{port_};
  SeededRandom random_{1};
  sim::ScriptedRadio radio_{executor_};
  tx::Ledger ledger_{{}};
  Repeater repeater_{executor_, radio_, ledger_, random_, Settings{}, mesh::Identity{}};
};

using Next = sim::ScriptedRadio::Next;

// It may have been radiated: what is heard then is an echo, and echoes are not repeated.
TEST_F(RepeaterTest, WhatMayHaveBeenSentStaysSeen) {
  radio_.script = {Next::fail_unsure, Next::fail_unkeyed};
  ASSERT_TRUE(repeater_.submit(kFlood, {}, 0, nullptr, {}));
  run_for(seconds(30));
  EXPECT_EQ(radio_.log.size(), 1u);
  hear();
  EXPECT_EQ(radio_.log.size(), 1u);
  EXPECT_EQ(repeater_.books().forwarded, 0u);
}

TEST_F(RepeaterTest, WhatSurelyWasNotSentGetsItsChance) {
  radio_.script = {Next::fail_unkeyed, Next::fail_unkeyed};
  ASSERT_TRUE(repeater_.submit(kFlood, {}, 0, nullptr, {}));
  run_for(seconds(30));
  EXPECT_EQ(radio_.log.size(), 0u);
  hear();
  EXPECT_EQ(radio_.log.size(), 1u);
  EXPECT_EQ(repeater_.books().forwarded, 1u);
}

TEST_F(RepeaterTest, AsItComesItSendsNothingUnaskedAndKnowsNoPassword) {
  run_for(std::chrono::hours(24 * 7));
  EXPECT_TRUE(radio_.log.empty());
  EXPECT_TRUE(repeater_.preferences().admin_password.empty());
  EXPECT_TRUE(repeater_.preferences().guest_password.empty());
}

// Others have repeated it while it waited: another copy reaches nobody new.
TEST(Repeater, EnoughCopiesSilenceAFloodThatStillWaitsAndItStaysSeen) {
  for (const int enough : {0, 2}) {
    port::VirtualPort port;
    async::Executor executor{port};
    sim::ScriptedRadio radio{executor};
    SeededRandom random{1};
    tx::Ledger ledger{{}};
    Settings settings;
    settings.copies_enough = static_cast<std::uint8_t>(enough);
    Repeater repeater{executor, radio, ledger, random, settings, mesh::Identity{}};
    repeater.start();
    const auto hear = [&] {
      radio::Frame frame;
      frame.bytes = radio::FrameBytes(kFlood);
      frame.snr = Decibels{40};
      radio.hear(frame);
      port.run(executor, executor.now() + milliseconds(10));
    };
    radio.busy_until = executor.now() + seconds(3);  // it cannot be quicker than the copies
    hear();
    hear();
    EXPECT_EQ(repeater.books().waiting, 1u);  // one copy is not enough
    hear();
    EXPECT_EQ(repeater.books().waiting, enough == 0 ? 1u : 0u);
    port.run(executor, executor.now() + seconds(30));
    hear();  // and no copy after that is news
    port.run(executor, executor.now() + seconds(30));
    EXPECT_EQ(radio.log.size(), enough == 0 ? 1u : 0u);
    const auto redundant = static_cast<std::size_t>(tx::Why::redundant);
    EXPECT_EQ(repeater.books().dropped_by_transmitter[redundant], enough == 0 ? 0u : 1u);
    const Duration airtime = radio::time_on_air(radio.modulation(), kFlood.size() + 1);
    EXPECT_EQ(repeater.statistics().saved, enough == 0 ? Duration::zero() : airtime);
    EXPECT_TRUE(repeater.books().balance());
  }
}

// Nothing is received meanwhile, and the reference's watch does not care why.
TEST(Repeater, ATransmissionOfMoreThanEightSecondsRaisesTheAlarm) {
  for (const std::size_t size : {40u, 180u}) {
    port::VirtualPort port;
    async::Executor executor{port};
    radio::Modulation slowest;
    slowest.spreading = radio::kSpreadingMax;
    sim::ScriptedRadio radio{executor, slowest};
    SeededRandom random{1};
    tx::Ledger ledger{{}};
    Repeater repeater{executor, radio, ledger, random, Settings{}, mesh::Identity{}};
    repeater.start();
    std::array<std::uint8_t, 180> frame{0x15};
    ASSERT_TRUE(repeater.submit(Bytes(frame).first(size), {}, 0, nullptr, {}));
    port.run(executor, executor.now() + seconds(60));
    ASSERT_EQ(radio.log.size(), 1u);
    const bool is_long = radio::time_on_air(slowest, size) > seconds(8);
    EXPECT_EQ(is_long, size == 180u);
    const auto flag = is_long ? static_cast<int>(ErrorFlag::not_in_receive) : 0;
    EXPECT_EQ(repeater.counters().errors, flag);
  }
}

// The budget is spent until a moment before or after a frame is worth nothing.
TEST(Repeater, WhatAFrameIsSaysHowLongItWaits) {
  using mesh::PayloadType;
  using tx::Origin;
  struct Case {
    PayloadType type;
    Origin origin;
    Duration expiry;
  };
  const Expiry times;
  for (const Case& c : {Case{PayloadType::group_text, Origin::relay, times.relay},
                        Case{PayloadType::ack, Origin::relay, times.answer},
                        Case{PayloadType::ack, Origin::local, times.answer},
                        Case{PayloadType::response, Origin::local, times.answer},
                        Case{PayloadType::path_return, Origin::local, times.answer},
                        Case{PayloadType::group_text, Origin::local, times.local},
                        Case{PayloadType::advert, Origin::local, times.advert}}) {
    for (const Duration slack : {seconds(5), -seconds(5)}) {
      port::VirtualPort port;
      async::Executor executor(port);
      SeededRandom random(1);
      sim::ScriptedRadio radio(executor);
      const tx::Rule rule{c.expiry - slack, seconds(2)};
      tx::Ledger ledger(std::span<const tx::Rule>(&rule, 1));
      ledger.reserve(rule.limit, Time{})->commit(Time{}, rule.limit);
      Repeater repeater(executor, radio, ledger, random, Settings{}, mesh::Identity{});
      repeater.start();
      const std::array<std::uint8_t, 20> payload{1, 2, 3};
      mesh::Packet packet;
      packet.type = c.type;
      packet.payload = Bytes(payload).first(c.type == PayloadType::ack ? 4 : payload.size());
      radio::Frame frame;
      frame.bytes = mesh::write(packet);
      frame.snr = Decibels{40};
      if (c.origin == Origin::relay) {
        radio.hear(frame);
      } else {
        ASSERT_TRUE(repeater.submit(frame.bytes, {}, 0, nullptr, {}));
      }
      port.run(executor, executor.now() + c.expiry + seconds(10));
      EXPECT_EQ(radio.log.size(), slack > Duration::zero() ? 1u : 0u)
          << to_string(c.type) << (c.origin == Origin::relay ? " passed on" : " of our own");
      const auto& statistics = repeater.statistics();
      const auto expired = static_cast<std::size_t>(tx::Why::expired);
      EXPECT_EQ(statistics.refused_early[expired] + statistics.refused_at_gate[expired],
                slack > Duration::zero() ? 0u : 1u);
      repeater.stop();
    }
  }
}

}  // namespace
}  // namespace chappe::node
