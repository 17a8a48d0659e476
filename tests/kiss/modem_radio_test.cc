#include "chappe/radio/kiss/modem_radio.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "chappe/async/sleep.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/radio/radio_contract.h"
#include "chappe/sim/air_log.h"
#include "tests/kiss/air_modem.h"
#include "tests/kiss/memory_line.h"

namespace chappe::radio::contract {
namespace {

using kiss::Lost;
using kiss::ModemRadio;

// Somebody who sends and listens to nobody.
struct Stranger final : sim::Antenna {
  bool on_frame(const Frame&) noexcept override { return true; }
  void on_radiated(Time, Duration) noexcept override {}
};

// What a person was told.
struct Told final : kiss::ModemObserver {
  void on_ready(const ModemRadio&) noexcept override { ++ready; }
  void on_lost(const ModemRadio&, Lost why, Duration pause) noexcept override {
    lost.push_back(why);
    pauses.push_back(pause);
  }
  int ready = 0;
  std::vector<Lost> lost;
  std::vector<Duration> pauses;
};

/// A radio that is a modem, and somebody else in its range.
class ModemWorld {
 public:
  struct SwitchedOff {};

  ModemWorld() : ModemWorld(SwitchedOff{}) {
    radio_.start();
    run_for(seconds(1));
  }
  explicit ModemWorld(SwitchedOff) {
    air_.listen(log_);
    air_.connect(modem_.station(), stranger_at_, sim::link_of_snr(5));
    modem_.line = [this](std::string& output) { line_.put(output); };
    line_.far_end = [this](Bytes bytes) { modem_.receive(bytes); };
    line_.opened = [this] { modem_.power_up(); };
  }

  async::Executor& executor() { return executor_; }
  Radio& radio() { return radio_; }
  void run_for(Duration span) { port_.run(executor_, executor_.now() + span); }
  void stranger_sends(Bytes frame) { air_.radiate(stranger_at_, frame); }
  std::size_t radiated_count() const { return ours().size(); }
  FrameBytes last_radiated() const { return FrameBytes(ours().back()); }

  port::VirtualPort port_;
  async::Executor executor_{port_};
  sim::Air air_{executor_, 2};
  sim::AirLog log_;
  test::MemoryLine line_{executor_.wakes()};
  test::AirModem modem_{executor_, air_, Modulation{}};
  Told told_;
  ModemRadio radio_{executor_, line_, Modulation{}, 14, &told_};
  Stranger stranger_;
  sim::StationId stranger_at_ = air_.join(stranger_, Modulation{});

 private:
  std::vector<FrameBytes> ours() const {
    std::vector<FrameBytes> frames;
    for (const auto& entry : log_.entries()) {
      if (entry.station != stranger_at_) frames.emplace_back(entry.frame);
    }
    return frames;
  }
};

INSTANTIATE_TYPED_TEST_SUITE_P(ModemRadio, RadioContract, ModemWorld);

class ModemRadioTest : public testing::Test {
 protected:
  using Outcome = Result<Transmitted, TransmitFailure>;

  bool is_ready() { return world_.radio_.is_ready(); }
  Duration airtime() { return time_on_air(Modulation{}, kOurs.size()); }
  // Sends one frame and returns what became of it; nothing if it has no end within `span`.
  std::optional<Outcome> send(Duration span) {
    Sending sending(world_.executor(), world_.radio(), kOurs);
    sending.start();
    world_.run_for(span);
    if (!sending.ended()) return std::nullopt;
    return sending.outcome();
  }
  std::optional<TransmitFailure> failure(Duration span) {
    const auto outcome = send(span);
    if (!outcome || *outcome) return std::nullopt;
    return outcome->error();
  }
  std::size_t on_loan() { return world_.radio().credits().read().total; }

  ModemWorld world_;
};

TEST_F(ModemRadioTest, IsReadyOnceTheModemHasTakenChannelAndPower) {
  EXPECT_TRUE(is_ready());
  EXPECT_EQ(world_.told_.ready, 1);
  ASSERT_TRUE(world_.modem_.set_channel_to);
  EXPECT_EQ(*world_.modem_.set_channel_to, (kiss::Tuning{869'618'000, 62'500, 8, 8}));
}

TEST_F(ModemRadioTest, SendsWithoutTheModemsOwnDelay) {
  const auto outcome = send(airtime() + milliseconds(5));
  ASSERT_TRUE(outcome) << "by its defaults the modem would have waited half a second";
  EXPECT_TRUE(*outcome);
}

TEST_F(ModemRadioTest, HearsWithRssiAndSnr) {
  world_.stranger_sends(kTheirs);
  world_.run_for(2 * airtime());
  Frame frame;
  ASSERT_TRUE(world_.radio().take(frame));
  EXPECT_EQ(frame.snr, Decibels{20});
  EXPECT_EQ(frame.rssi, Dbm{-115 * 4});
}

TEST_F(ModemRadioTest, HearsAlsoAFrameThatNoReportFollows) {
  // A firmware that was told by somebody else not to report.
  world_.modem_.receive(kiss::encode(std::vector<std::uint8_t>{0x06, 0x19, 0}));
  world_.stranger_sends(kTheirs);
  world_.run_for(2 * airtime() + milliseconds(200));
  Frame frame;
  EXPECT_TRUE(world_.radio().take(frame));
  EXPECT_EQ(world_.radio_.counters().unreported, 1u);
}

TEST_F(ModemRadioTest, HearsTheSameInPiecesOfOneByte) {
  world_.line_.piece_max = 1;
  world_.stranger_sends(kTheirs);
  world_.run_for(2 * airtime());
  Frame frame;
  ASSERT_TRUE(world_.radio().take(frame));
  EXPECT_TRUE(std::ranges::equal(frame.bytes.view(), kTheirs));
}

TEST_F(ModemRadioTest, KeepsTheOldestFramesAndCountsWhatItHasNoRoomFor) {
  for (std::size_t i = 0; i < ModemRadio::kHeardMax + 3; ++i) {
    world_.stranger_sends(i == 0 ? kTheirs : kOurs);
    world_.run_for(2 * airtime());
  }
  EXPECT_EQ(world_.radio_.counters().overrun, 3u);
  Frame frame;
  ASSERT_TRUE(world_.radio().take(frame));
  EXPECT_TRUE(std::ranges::equal(frame.bytes.view(), kTheirs));
}

TEST_F(ModemRadioTest, AnEndThatTheModemDoesNotTellIsUnsureAndTheCreditComesBack) {
  world_.modem_.loses_next_end = true;
  EXPECT_EQ(failure(seconds(30)), TransmitFailure::unsure);
  EXPECT_EQ(on_loan(), 0u);
}

TEST_F(ModemRadioTest, AFailureThatTheModemReportsIsUnsure) {
  world_.modem_.fails_next_end = true;
  EXPECT_EQ(failure(2 * airtime()), TransmitFailure::unsure);
  EXPECT_EQ(on_loan(), 0u);
}

TEST_F(ModemRadioTest, WhatAModemRefusesBecauseItHoldsAnotherWasNeverKeyed) {
  // One that it never told the end of: it still holds it, and says so.
  world_.modem_.loses_next_end = true;
  EXPECT_EQ(failure(seconds(30)), TransmitFailure::unsure);
  EXPECT_EQ(failure(seconds(1)), TransmitFailure::never_keyed);
  EXPECT_EQ(on_loan(), 0u);
  EXPECT_TRUE(is_ready());
}

TEST_F(ModemRadioTest, WhatIsOnTheAirWhenTheLineBreaksIsUnsure) {
  Sending sending(world_.executor(), world_.radio(), kOurs);
  sending.start();
  world_.run_for(airtime() / 2);
  world_.line_.pull_out();
  world_.run_for(milliseconds(1));
  ASSERT_TRUE(sending.ended());
  ASSERT_FALSE(sending.outcome());
  EXPECT_EQ(sending.outcome().error(), TransmitFailure::unsure);
  EXPECT_EQ(on_loan(), 0u);
  EXPECT_EQ(world_.told_.lost, (std::vector<Lost>{Lost::hung_up}));
}

TEST_F(ModemRadioTest, WithoutAModemNothingIsKeyedAndNobodyWaits) {
  world_.line_.pull_out();
  world_.run_for(milliseconds(1));
  EXPECT_FALSE(is_ready());
  EXPECT_EQ(failure(milliseconds(1)), TransmitFailure::never_keyed);
  Listening listening(world_.executor(), world_.radio());
  listening.start();
  world_.run_for(milliseconds(1));
  EXPECT_EQ(listening.heard(), Channel::clear);
}

TEST_F(ModemRadioTest, ComesBackByItselfAfterTheLineDoes) {
  world_.line_.pull_out();
  world_.run_for(seconds(5));
  EXPECT_FALSE(is_ready());
  EXPECT_EQ(world_.radio_.resets()->take(), 0u) << "the first modem is the start, no reset";
  world_.line_.is_plugged = true;
  world_.run_for(seconds(10));
  EXPECT_TRUE(is_ready());
  EXPECT_EQ(world_.radio_.resets()->take(), 1u);
  const auto outcome = send(airtime() + milliseconds(5));
  ASSERT_TRUE(outcome) << "and with delay 0 again";
  EXPECT_TRUE(*outcome);
}

TEST_F(ModemRadioTest, TriesAgainAfterPausesThatDoubleUpToAMinute) {
  world_.line_.pull_out();
  world_.run_for(minutes(10));
  const auto& pauses = world_.told_.pauses;
  ASSERT_GE(pauses.size(), 10u);
  EXPECT_EQ(pauses.front(), seconds(1));
  for (std::size_t i = 1; i < pauses.size(); ++i) {
    EXPECT_EQ(pauses[i], std::min<Duration>(2 * pauses[i - 1], seconds(60)));
  }
  EXPECT_EQ(world_.told_.lost.back(), Lost::cannot_open);
}

TEST_F(ModemRadioTest, GivesUpAModemThatDoesNotAnswerAndTakesItBackWhenItDoes) {
  world_.modem_.is_mute = true;
  world_.run_for(ModemRadio::kProbeAfter + ModemRadio::kAnswerMax + milliseconds(1));
  EXPECT_FALSE(is_ready());
  EXPECT_EQ(world_.told_.lost, (std::vector<Lost>{Lost::silent}));
  world_.modem_.is_mute = false;
  world_.run_for(seconds(10));
  EXPECT_TRUE(is_ready());
}

TEST_F(ModemRadioTest, AQuietHourLosesNobodyAndCostsTwoLooksATenSeconds) {
  const std::uint64_t sleeps = world_.executor().sleep_count();
  world_.run_for(hours(1));
  EXPECT_TRUE(is_ready());
  EXPECT_EQ(world_.told_.ready, 1);
  EXPECT_LE(world_.executor().sleep_count() - sleeps, 3600u / 10 * 3);
}

TEST_F(ModemRadioTest, AModemThatHangsWhileAskedForTheChannelIsGivenUpWithinTheAnswersTime) {
  world_.modem_.is_mute = true;
  Listening listening(world_.executor(), world_.radio());
  listening.start();
  world_.run_for(ModemRadio::kAnswerMax + milliseconds(1));
  EXPECT_EQ(listening.heard(), Channel::clear);
  EXPECT_FALSE(is_ready());
}

TEST_F(ModemRadioTest, AnAnswerToSomebodyWhoWasCancelledIsNotTakenForTheNextOnes) {
  world_.line_.is_stuck = true;
  {
    Listening cancelled(world_.executor(), world_.radio());
    cancelled.start();
    world_.run_for(milliseconds(1));
    EXPECT_FALSE(cancelled.heard());
  }
  world_.line_.is_stuck = false;
  world_.stranger_sends(kTheirs);
  Listening listening(world_.executor(), world_.radio());
  listening.start();
  world_.run_for(airtime() / 2);
  EXPECT_EQ(listening.heard(), Channel::busy);
}

TEST_F(ModemRadioTest, AFloodOfNoiseOnTheLineHarmsNothing) {
  SeededRandom random(3);
  for (int i = 0; i < 200; ++i) {
    std::string noise(1 + random.up_to(300), '\0');
    for (char& letter : noise) letter = static_cast<char>(random.next());
    world_.line_.put(noise);
    world_.run_for(milliseconds(10));
  }
  std::string mark(1, static_cast<char>(kiss::kFend));
  world_.line_.put(mark);
  world_.run_for(seconds(1));
  Frame frame;
  while (world_.radio().take(frame)) continue;
  EXPECT_TRUE(is_ready());
  const auto outcome = send(2 * airtime());
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(*outcome);
}

TEST(ModemRadioRefused, AModemThatDoesNotTakeTheChannelIsNoRadioAndSaysSo) {
  ModemWorld world(ModemWorld::SwitchedOff{});
  world.modem_.takes_channels = false;
  world.radio_.start();
  world.run_for(milliseconds(500));
  EXPECT_FALSE(world.radio_.is_ready());
  EXPECT_EQ(world.told_.lost, (std::vector<Lost>{Lost::refused}));
}

TEST(ModemRadioRefused, ABoardThatStartsWhenItsLineIsOpenedIsWaitedFor) {
  ModemWorld world(ModemWorld::SwitchedOff{});
  world.modem_.is_mute = true;
  world.radio_.start();
  world.run_for(seconds(5));
  world.modem_.is_mute = false;
  world.run_for(seconds(2));
  EXPECT_TRUE(world.radio_.is_ready());
  EXPECT_EQ(world.line_.open_count, 1u);
}

}  // namespace
}  // namespace chappe::radio::contract
