// What may happen while somebody is told of a result, and at the edges of time.
#include "chappe/tx/transmitter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "chappe/base/random.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/radio/airtime.h"
#include "chappe/sim/scripted_radio.h"
#include "chappe/tx/ledger.h"

namespace chappe::tx {
namespace {

constexpr std::array<std::uint8_t, 30> kThirtyBytes{};

class TransmitterTest : public testing::Test, public Observer {
 protected:
  TransmitterTest() {
    transmitter_.emplace(executor_, radio_, ledger_, random_, Policy{});
    transmitter_->observe(this);
  }

  // What still waits is refused when the transmitter goes; the test's own answers are over by then.
  void TearDown() override { on_outcome_ = nullptr; }

  static Submission submission(std::uint8_t priority = 1) {
    Submission frame;
    frame.frame = kThirtyBytes;
    frame.priority = priority;
    return frame;
  }
  void on_outcome(std::uint64_t, Bytes, const Outcome& outcome) noexcept override {
    outcomes_.push_back(outcome);
    if (on_outcome_) on_outcome_(outcome);
  }
  void run_for(Duration span) { port_.run(executor_, executor_.now() + span); }

  port::VirtualPort port_;
  async::Executor executor_{port_};
  SeededRandom random_{1};
  sim::ScriptedRadio radio_{executor_};
  Ledger ledger_{{}};
  std::function<void(const Outcome&)> on_outcome_;
  std::vector<Outcome> outcomes_;
  std::optional<Transmitter> transmitter_;
};

TEST_F(TransmitterTest, AnObserverMayLetTheAskerGo) {
  auto completion = std::make_unique<async::Completion<Outcome>>(executor_.wakes());
  on_outcome_ = [&](const Outcome&) {
    transmitter_->disown(*completion);
    completion->abandon();
    completion.reset();
  };
  transmitter_->start();
  const auto ticket = completion->arm();
  transmitter_->submit(submission(), completion.get(), ticket);
  run_for(seconds(10));
  EXPECT_EQ(outcomes_.size(), 1u);
  EXPECT_EQ(completion, nullptr);
}

TEST_F(TransmitterTest, AnObserverMayAnswerAnEvictionBySubmitting) {
  for (std::size_t i = 0; i < Transmitter::kRelaysWaiting; ++i) transmitter_->submit(submission(9));
  EXPECT_EQ(transmitter_->waiting_count(), Transmitter::kRelaysWaiting);
  bool answered = false;
  on_outcome_ = [&](const Outcome&) {
    if (std::exchange(answered, true)) return;
    transmitter_->submit(submission(9));
  };
  transmitter_->submit(submission(1));
  EXPECT_TRUE(answered);
  EXPECT_TRUE(transmitter_->statistics().balances());
  EXPECT_EQ(transmitter_->waiting_count(), Transmitter::kRelaysWaiting);
  ASSERT_NE(transmitter_->next_in_line(), nullptr);
  EXPECT_EQ(transmitter_->next_in_line()->priority(), 1);
}

TEST_F(TransmitterTest, WhatIsSubmittedWhileItStopsIsRefusedToo) {
  // Full, so that the answer gets the place that was just left.
  for (std::size_t i = 0; i < Transmitter::kRelaysWaiting; ++i) transmitter_->submit(submission());
  bool answered = false;
  on_outcome_ = [&](const Outcome&) {
    if (std::exchange(answered, true)) return;
    transmitter_->submit(submission());
  };
  transmitter_->stop();
  EXPECT_TRUE(answered);
  EXPECT_EQ(transmitter_->waiting_count(), 0u);
  EXPECT_EQ(outcomes_.size(), Transmitter::kRelaysWaiting + 1);
  for (const Outcome& outcome : outcomes_) EXPECT_EQ(outcome.error().why, Why::stopped);
}

TEST_F(TransmitterTest, StartedAgainItSendsAgain) {
  transmitter_->start();
  run_for(seconds(1));
  transmitter_->stop();
  transmitter_->start();
  transmitter_->submit(submission());
  run_for(seconds(10));
  EXPECT_EQ(transmitter_->statistics().sent, 1u);
}

// The channel was busy an hour ago, and that frame expired. The cap counts from now, not from then.
TEST_F(TransmitterTest, AChannelThatWasBusyLongAgoForcesNothing) {
  transmitter_->start();
  radio_.busy_until = executor_.now() + hours(2);
  Submission brief = submission();
  brief.expiry = executor_.now() + milliseconds(10);
  transmitter_->submit(brief);
  run_for(seconds(2));
  ASSERT_EQ(outcomes_.size(), 1u);
  EXPECT_EQ(outcomes_[0].error().why, Why::expired);

  run_for(hours(1));
  transmitter_->submit(submission());
  run_for(seconds(1));
  EXPECT_EQ(outcomes_.size(), 1u);  // it backs off, as anybody new does
  radio_.busy_until = executor_.now();
  run_for(seconds(3));
  ASSERT_EQ(outcomes_.size(), 2u);
  ASSERT_TRUE(outcomes_[1]);
  EXPECT_FALSE(outcomes_[1]->forced);
}

// A back-off is no reason to keep the radio from anybody: not from a receiver, not from a tuner.
TEST_F(TransmitterTest, NobodyHoldsTheRightWhileAFrameWaitsForAQuietChannel) {
  transmitter_->start();
  radio_.busy_until = executor_.now() + hours(1);
  transmitter_->submit(submission());
  for (int ms = 0; ms < 2000; ++ms) {
    run_for(milliseconds(1));
    EXPECT_FALSE(radio_.right().is_held());
  }
  EXPECT_GT(radio_.listens(), 2u);
}

TEST_F(TransmitterTest, ADelayBeyondTheEndOfTimeIsRefused) {
  Submission never = submission();
  never.after = Duration::max();
  run_for(seconds(1));
  transmitter_->submit(never);
  ASSERT_EQ(outcomes_.size(), 1u);
  EXPECT_EQ(outcomes_[0].error().why, Why::expired);
}

// A law that changes its mind: what fitted at submission fits no more when it is due.
class FickleLaw final : public Law {
 public:
  Time earliest(Duration, Time at) const override { return forbids ? kNever : at; }
  std::optional<Reservation> reserve(Duration, Time) override {
    if (forbids) return std::nullopt;
    return make_reservation(0);
  }
  std::uint32_t spent_ppm(Time) const override { return 0; }
  bool forbids = false;

 private:
  void commit(std::uint64_t, Time, Duration) override {}
  void cancel(std::uint64_t) override {}
};

TEST_F(TransmitterTest, WhatFitsNoMoreIsRefusedAndDoesNotWaitForEver) {
  FickleLaw law;
  transmitter_.emplace(executor_, radio_, law, random_, Policy{});
  transmitter_->observe(this);
  transmitter_->start();
  Submission later = submission();
  later.after = seconds(1);
  transmitter_->submit(later);
  law.forbids = true;
  run_for(seconds(2));
  ASSERT_EQ(outcomes_.size(), 1u);
  EXPECT_EQ(outcomes_[0].error().why, Why::never_fits);
}

// --- Order, shares, room -------------------------------------------------------------------------

constexpr std::array<std::uint8_t, 200> kTwoHundredBytes{};

class SharingTest : public TransmitterTest {
 protected:
  static Submission from(Neighbour neighbour, std::uint8_t priority = 3) {
    Submission frame = submission(priority);
    frame.neighbour = neighbour;
    frame.tag = neighbour;
    return frame;
  }
  void on_outcome(std::uint64_t tag, Bytes frame, const Outcome& outcome) noexcept override {
    TransmitterTest::on_outcome(tag, frame, outcome);
    if (outcome) {
      sent_.push_back(tag);
    } else {
      refused_.emplace_back(tag, outcome.error().why);
    }
  }
  void under(const Rule& rule, const Policy& policy = {}) {
    law_.emplace(std::span<const Rule>(&rule, 1));
    transmitter_.emplace(executor_, radio_, *law_, random_, policy);
    transmitter_->observe(this);
    transmitter_->start();
  }
  std::size_t sent_of(std::uint64_t tag) const {
    return static_cast<std::size_t>(std::ranges::count(sent_, tag));
  }
  void TearDown() override { transmitter_.reset(); }

  std::optional<Ledger> law_;
  std::vector<std::uint64_t> sent_;
  std::vector<std::pair<std::uint64_t, Why>> refused_;
};

constexpr Neighbour kBabbler = 1;
constexpr Neighbour kQuiet = 2;

TEST_F(SharingTest, AFrameOfAQuietNeighbourDoesNotWaitBehindABabblersTwenty) {
  for (int i = 0; i < 20; ++i) transmitter_->submit(from(kBabbler));
  transmitter_->submit(from(kQuiet));
  transmitter_->start();
  run_for(seconds(30));
  ASSERT_EQ(sent_.size(), 21u);
  const auto quiet = std::ranges::find(sent_, kQuiet) - sent_.begin();
  EXPECT_LE(quiet, 1);
}

TEST_F(SharingTest, TwoWhoBothBabbleShareTheAirInHalves) {
  for (int i = 0; i < 30; ++i) transmitter_->submit(from(kBabbler));
  for (int i = 0; i < 30; ++i) transmitter_->submit(from(kQuiet));
  transmitter_->start();
  run_for(seconds(60));
  ASSERT_EQ(sent_.size(), 60u);
  for (std::size_t i = 10; i < 50; i += 10) {
    const auto babbled =
        std::ranges::count(sent_.begin(), sent_.begin() + static_cast<int>(i), kBabbler);
    EXPECT_NEAR(static_cast<double>(babbled), static_cast<double>(i) / 2, 1);
  }
}

// Priority alone would let whoever sends nothing but urgent frames have everything.
TEST_F(SharingTest, ABabblerOfUrgentFramesDoesNotStarveOthersFloods) {
  for (int i = 0; i < 60; ++i) transmitter_->submit(from(kBabbler, 0));
  transmitter_->submit(from(kQuiet, 5));
  transmitter_->start();
  run_for(minutes(2));
  const auto quiet = std::ranges::find(sent_, kQuiet) - sent_.begin();
  EXPECT_LT(quiet, 40);
  EXPECT_GT(quiet, 10);  // and yet urgent frames went first for a while
}

TEST_F(SharingTest, AcknowledgementsOvertakeFloodsEvenOfTheirOwnNeighbour) {
  for (int i = 0; i < 60; ++i) transmitter_->submit(from(kBabbler));
  Submission acknowledgement = from(kBabbler, 0);
  acknowledgement.tag = 99;
  transmitter_->submit(acknowledgement);
  transmitter_->start();
  run_for(minutes(2));
  ASSERT_EQ(sent_.size(), 61u);
  EXPECT_EQ(sent_[0], 99u);
}

TEST_F(SharingTest, WithoutSharesWhoCameFirstGoesFirst) {
  Policy policy;
  policy.sharing = Sharing::first_come;
  under({hours(1), hours(1)}, policy);
  for (int i = 0; i < 5; ++i) transmitter_->submit(from(kBabbler));
  transmitter_->submit(from(kQuiet));
  run_for(seconds(30));
  ASSERT_EQ(sent_.size(), 6u);
  EXPECT_EQ(sent_.back(), kQuiet);
}

TEST_F(SharingTest, ABurstOf64RelaysLosesNoneAndAQuietOnesFrameDisplacesTheBabblersLast) {
  for (std::uint64_t i = 0; i < 64; ++i) {
    Submission relay = from(kBabbler);
    relay.tag = 100 + i;
    transmitter_->submit(relay);
  }
  EXPECT_TRUE(refused_.empty());
  transmitter_->submit(from(kQuiet));
  ASSERT_EQ(refused_.size(), 1u);
  EXPECT_EQ(refused_[0], std::pair(std::uint64_t{163}, Why::no_room));
  // The babbler itself gains nothing by coming last.
  transmitter_->submit(from(kBabbler));
  EXPECT_EQ(refused_.back(), std::pair(std::uint64_t{kBabbler}, Why::no_room));
}

TEST_F(SharingTest, RelaysAndOurOwnFramesHaveRoomOfTheirOwn) {
  for (int i = 0; i < 80; ++i) transmitter_->submit(from(kBabbler));
  EXPECT_EQ(transmitter_->waiting_count(), Transmitter::kRelaysWaiting);
  Submission own = submission(9);
  own.origin = Origin::local;
  for (int i = 0; i < 20; ++i) transmitter_->submit(own);
  EXPECT_EQ(transmitter_->waiting_count(),
            Transmitter::kRelaysWaiting + Transmitter::kLocalWaiting);
}

// --- Waiting for the budget ----------------------------------------------------------------------

// Short frames that fit into what trickles back would use up what the long one waits for.
TEST_F(SharingTest, ALongFrameThatWaitsForBudgetIsNotStarvedByShortOnes) {
  under({minutes(1), seconds(6)});
  // The minute is spent, evenly: a short frame's worth comes back every few seconds.
  for (int i = 0; i < 14; ++i) {
    transmitter_->submit(from(kBabbler));
    run_for(milliseconds(4'400));
  }
  Submission long_one = from(kQuiet);
  long_one.frame = kTwoHundredBytes;
  long_one.expiry = executor_.now() + minutes(2);
  transmitter_->submit(long_one);
  for (int i = 0; i < 600; ++i) {
    transmitter_->submit(from(kBabbler));
    run_for(milliseconds(200));
  }
  EXPECT_EQ(sent_of(kQuiet), 1u);
}

TEST_F(SharingTest, WhatExpiresInTheMiddleOfTheLineLeavesAtThatMoment) {
  under({hours(1), seconds(6)});
  for (int i = 0; i < 60; ++i) transmitter_->submit(from(kBabbler));
  Submission brief = from(kQuiet, 9);  // behind all the others
  brief.after = seconds(1);
  brief.expiry = executor_.now() + seconds(5);
  transmitter_->submit(brief);
  run_for(seconds(5));
  EXPECT_EQ(sent_of(kQuiet), 0u);
  ASSERT_TRUE(refused_.empty());
  run_for(milliseconds(1));
  ASSERT_EQ(refused_.size(), 1u);
  EXPECT_EQ(refused_[0], std::pair(std::uint64_t{kQuiet}, Why::expired));
}

TEST_F(SharingTest, WhatOthersHaveSentIsNotSentAgainAndTheAirtimeSavedIsCounted) {
  under({hours(1), hours(1)});
  Submission later = from(kQuiet);
  later.after = seconds(5);
  transmitter_->submit(later);
  run_for(seconds(1));
  transmitter_->withdraw(kQuiet);
  run_for(seconds(20));
  EXPECT_EQ(sent_.size(), 0u);
  ASSERT_EQ(refused_.size(), 1u);
  EXPECT_EQ(refused_[0].second, Why::redundant);
  EXPECT_EQ(transmitter_->statistics().saved, radio::time_on_air(radio_.modulation(), 30));
  EXPECT_TRUE(transmitter_->statistics().balances());
}

// Also while a frame is on the air, after failures of both kinds, and after a stop in the middle.
TEST_F(SharingTest, WhatTheRadioRadiatesAndWhatIsDebitedAreTheSameAtEveryMoment) {
  under({hours(1), hours(1)});
  using Next = sim::ScriptedRadio::Next;
  radio_.script = {Next::send, Next::fail_unsure, Next::fail_unkeyed, Next::send};
  for (int i = 0; i < 10; ++i) transmitter_->submit(from(kBabbler));
  for (int i = 0; i < 30; ++i) {
    run_for(milliseconds(50));
    ASSERT_EQ(transmitter_->statistics().undebited(radio_), Duration::zero()) << i;
  }
  transmitter_->stop();
  EXPECT_EQ(transmitter_->statistics().undebited(radio_), Duration::zero());
  EXPECT_EQ(law_->total(), *radio_.radiated());
}

// --- Listening -----------------------------------------------------------------------------------

TEST_F(SharingTest, CarrierSenseObeysAnAbsoluteLevelForTheWholeSpanAndNothingIsForced) {
  Policy policy;
  policy.listening = Listening::off;
  policy.sense = {CarrierSense::Against::level, milliseconds(5), Dbm{-80 * 4}, {}};
  policy.busy_channel = BusyChannel::drop;
  under({hours(1), hours(1)}, policy);
  radio_.level = Dbm{-80 * 4};  // at the threshold counts as busy
  transmitter_->submit(from(kQuiet));
  run_for(seconds(10));
  EXPECT_TRUE(radio_.log.empty());
  ASSERT_EQ(refused_.size(), 1u);
  EXPECT_EQ(refused_[0].second, Why::channel_busy);
  EXPECT_GT(transmitter_->statistics().back_offs, 5u);

  radio_.level = Dbm{-80 * 4 - 1};
  const Duration before = radio_.sensed;
  transmitter_->submit(from(kQuiet));
  run_for(seconds(10));
  EXPECT_EQ(radio_.log.size(), 1u);
  EXPECT_EQ(radio_.sensed - before, Duration(milliseconds(5)));
}

TEST_F(SharingTest, CarrierSenseObeysAMarginAboveTheNoiseFloor) {
  Policy policy;
  policy.sense = {CarrierSense::Against::noise_floor, milliseconds(1), {}, Decibels{10 * 4}};
  under({hours(1), hours(1)}, policy);
  radio_.floor = Dbm{-110 * 4};
  radio_.level = Dbm{-100 * 4};
  transmitter_->submit(from(kQuiet));
  run_for(seconds(3));
  EXPECT_TRUE(radio_.log.empty());
  radio_.level = Dbm{-101 * 4};
  run_for(seconds(3));
  EXPECT_EQ(radio_.log.size(), 1u);
}

// A law that asks for silence to be measured is not kept by a radio that cannot.
TEST_F(SharingTest, ARadioThatCannotMeasureCountsAsBusy) {
  Policy policy;
  policy.sense = {CarrierSense::Against::level, milliseconds(5), Dbm{-80 * 4}, {}};
  policy.busy_channel = BusyChannel::drop;
  under({hours(1), hours(1)}, policy);
  transmitter_->submit(from(kQuiet));
  run_for(seconds(10));
  EXPECT_TRUE(radio_.log.empty());
}

TEST_F(SharingTest, BackOffsInARowDouble) {
  Policy policy;
  policy.busy_step = seconds(2);
  policy.busy_steps_max = 1;
  policy.busy_doublings = 3;
  policy.busy_cap = seconds(60);
  under({hours(1), hours(1)}, policy);
  radio_.busy_until = executor_.now() + hours(1);
  transmitter_->submit(from(kQuiet));
  run_for(seconds(59));  // looks at 0, 2, 6, 14, 30, 46
  EXPECT_EQ(radio_.listens(), 6u);
}

// Who retunes or calibrates in between would make what was heard worthless.
TEST_F(SharingTest, NobodyGetsTheRadioBetweenListeningAndTheFrame) {
  Policy policy;
  policy.listening = Listening::off;
  policy.sense = {CarrierSense::Against::level, milliseconds(5), Dbm{-80 * 4}, {}};
  under({hours(1), hours(1)}, policy);
  radio_.level = Dbm{-120 * 4};
  transmitter_->submit(from(kQuiet));
  run_for(milliseconds(2));
  ASSERT_TRUE(radio_.right().is_held());
  std::optional<std::size_t> sent_before;
  struct Other {
    static async::Task<> run(sim::ScriptedRadio& radio, std::optional<std::size_t>& sent_before) {
      const radio::Right right = co_await radio.right().take();
      sent_before = radio.log.size();
    }
  };
  async::TaskSlot<1024> other;
  executor_.spawn(other, "other", Other::run, radio_, sent_before);
  run_for(seconds(10));
  EXPECT_EQ(radio_.log.size(), 1u);
  EXPECT_EQ(sent_before, 1u);
}

TEST_F(SharingTest, StoppedWhileItListensItLetsTheRadioGo) {
  Policy policy;
  policy.listening = Listening::off;
  policy.sense = {CarrierSense::Against::level, milliseconds(5), Dbm{-80 * 4}, {}};
  under({hours(1), hours(1)}, policy);
  radio_.level = Dbm{-120 * 4};
  transmitter_->submit(from(kQuiet));
  run_for(milliseconds(2));
  ASSERT_TRUE(radio_.right().is_held());
  transmitter_->stop();
  EXPECT_FALSE(radio_.right().is_held());
  EXPECT_TRUE(radio_.credits().try_take(0));
  transmitter_->start();
  transmitter_->submit(from(kQuiet));
  run_for(seconds(10));
  EXPECT_EQ(radio_.log.size(), 1u);
}

// A frame that has waited long is not in more of a hurry: each wait begins when the channel was
// found busy.
TEST_F(SharingTest, BackOffsAreCountedFromNowHoweverLongTheFrameHasWaited) {
  Policy policy;
  policy.sense = {CarrierSense::Against::level, milliseconds(1), Dbm{-80 * 4}, {}};
  policy.busy_channel = BusyChannel::drop;
  under({hours(1), hours(1)}, policy);
  radio_.level = Dbm{-60 * 4};
  transmitter_->submit(from(kQuiet));
  run_for(seconds(3));
  // 120 to 360 ms each, and a look of 1 ms.
  EXPECT_GE(transmitter_->statistics().back_offs, 3'000u / 361);
  EXPECT_LE(transmitter_->statistics().back_offs, 3'000u / 121 + 1);
}

TEST_F(TransmitterTest, APolicyWithoutABackOffPanics) {
  Policy policy;
  policy.busy_steps_max = 0;
  EXPECT_DEATH(Transmitter(executor_, radio_, ledger_, random_, policy), "busy_steps_max");
}

}  // namespace
}  // namespace chappe::tx
