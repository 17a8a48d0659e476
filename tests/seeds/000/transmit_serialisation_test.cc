// The duty-cycle race: T1 to T8 of the document, in virtual time, made to test what they mean.
// Where the document expects drops, the drop policy runs; the counterpart under deferral is beside.
#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <vector>

#include "chappe/async/executor.h"
#include "chappe/async/sleep.h"
#include "chappe/base/random.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/sim/scripted_radio.h"
#include "chappe/tx/ledger.h"
#include "chappe/tx/transmitter.h"

namespace chappe::tx {
namespace {

using sim::ScriptedRadio;

constexpr std::array<std::uint8_t, 30> kThirtyBytes{};

// SF 8 at 125 kHz and 4/5, with a preamble so short that thirty bytes last the document's 111 ms.
radio::Modulation about_111_ms() {
  radio::Modulation modulation;
  modulation.bandwidth = *radio::Bandwidth::from_nominal(Hertz{125'000});
  modulation.coding = 5;
  modulation.preamble = 2;
  return modulation;
}

class Seed000 : public testing::Test, public Observer {
 protected:
  void limit_minute_to(Duration limit) { rules_ = {{minutes(1), limit}}; }
  void drop_over_budget() { policy_.over_budget = OverBudget::drop; }

  void start() {
    ledger_.emplace(rules_);
    transmitter_.emplace(executor_, radio_, *ledger_, random_, policy_);
    transmitter_->observe(this);
    transmitter_->start();
  }
  void submit(Duration after, Origin origin = Origin::relay, std::uint64_t tag = 0) {
    Submission submission;
    submission.frame = kThirtyBytes;
    submission.after = after;
    submission.origin = origin;
    submission.tag = tag;
    transmitter_->submit(submission);
  }
  void run() {
    port_.run(executor_);
    EXPECT_TRUE(transmitter_->statistics().balances());
  }

  void on_outcome(std::uint64_t tag, Bytes, const Outcome& outcome) noexcept override {
    outcomes_.emplace_back(tag, outcome);
  }
  std::size_t sent_count() const { return transmitter_->statistics().sent; }
  std::uint64_t refused_early(Why why) const {
    return transmitter_->statistics().refused_early[static_cast<std::size_t>(why)];
  }
  std::uint64_t refused_at_gate(Why why) const {
    return transmitter_->statistics().refused_at_gate[static_cast<std::size_t>(why)];
  }
  void expect_no_overlap() const {
    for (std::size_t i = 1; i < radio_.log.size(); ++i) {
      EXPECT_LE(radio_.log[i - 1].to, radio_.log[i].from) << "transmission " << i;
    }
  }

  port::VirtualPort port_;
  async::Executor executor_{port_};
  SeededRandom random_{1};
  ScriptedRadio radio_{executor_, about_111_ms()};
  std::vector<Rule> rules_;
  Policy policy_;
  std::optional<Ledger> ledger_;
  std::optional<Transmitter> transmitter_;
  std::vector<std::pair<std::uint64_t, Outcome>> outcomes_;
};

TEST_F(Seed000, TheFramesOfTheseTestsLastTheDocuments111Milliseconds) {
  EXPECT_EQ(radio::time_on_air(about_111_ms(), kThirtyBytes.size()), microseconds(111'104));
}

TEST_F(Seed000, T1_TwoFramesDueAtOneInstantAreSentOneAfterTheOtherUnderTheSendersOwnRight) {
  start();
  submit(milliseconds(10), Origin::relay, 1);
  submit(milliseconds(10), Origin::relay, 2);
  run();
  ASSERT_EQ(radio_.log.size(), 2u);
  expect_no_overlap();
  for (const ScriptedRadio::Keyed& keyed : radio_.log) {
    EXPECT_NE(keyed.holder, nullptr);
    EXPECT_EQ(keyed.holder, keyed.sender);  // not merely "somebody holds the lock"
  }
  ASSERT_EQ(outcomes_.size(), 2u);
  EXPECT_EQ(outcomes_[0].first, 1u);
  EXPECT_EQ(outcomes_[1].first, 2u);
}

TEST_F(Seed000, T1_TwentyFramesDueAtOneInstantNeverOverlap) {
  start();
  for (std::uint64_t i = 0; i < 20; ++i) submit(milliseconds(10), Origin::relay, i);
  run();
  EXPECT_EQ(radio_.log.size(), 20u);
  expect_no_overlap();
}

TEST_F(Seed000, T1_DelaysRunConcurrentlyAndTheRightIsTakenAfterThem) {
  start();
  submit(milliseconds(1200));
  submit(milliseconds(900));
  submit(milliseconds(2100));
  port_.run(executor_, at_ms(899));
  EXPECT_FALSE(radio_.right().is_held());
  EXPECT_EQ(transmitter_->waiting_count(), 3u);
  run();
  ASSERT_EQ(radio_.log.size(), 3u);
  EXPECT_EQ(radio_.log[0].from, at_ms(900));
  EXPECT_EQ(radio_.log[1].from, at_ms(1200));
  EXPECT_EQ(radio_.log[2].from, at_ms(2100));
}

TEST_F(Seed000, T2_TheSecondFrameIsDroppedAtTheGateWhenTheFirstFillsTheBudget) {
  limit_minute_to(milliseconds(150));
  drop_over_budget();
  start();
  submit(milliseconds(10));
  submit(milliseconds(10));
  EXPECT_EQ(outcomes_.size(), 0u);  // both pass the early look: nothing is spent yet
  run();
  EXPECT_EQ(sent_count(), 1u);
  EXPECT_EQ(refused_at_gate(Why::over_budget), 1u);
  EXPECT_EQ(refused_early(Why::over_budget), 0u);
}

TEST_F(Seed000, T2_UnderDeferralTheSecondFrameWaitsForTheEarliestLegalInstant) {
  limit_minute_to(milliseconds(150));
  start();
  submit(milliseconds(10));
  submit(milliseconds(10));
  run();
  ASSERT_EQ(radio_.log.size(), 2u);
  const Duration airtime = radio_.log[0].to - radio_.log[0].from;
  // The window that ends with the second frame may hold 150 ms of both.
  const Time legal = radio_.log[0].from + minutes(1) + (airtime - milliseconds(150));
  EXPECT_EQ(radio_.log[1].from, legal);
}

TEST_F(Seed000, T2_AFrameLongerThanTheWholeBudgetNeverFits) {
  limit_minute_to(milliseconds(50));
  start();
  submit(milliseconds(10));
  submit(milliseconds(10));
  run();
  EXPECT_TRUE(radio_.log.empty());
  EXPECT_EQ(refused_early(Why::never_fits), 2u);
}

TEST_F(Seed000, T3_AirtimeIsNotDebitedWhenTheFrameWasSurelyNotSent) {
  limit_minute_to(seconds(10));
  radio_.script = {ScriptedRadio::Next::fail_unkeyed};
  start();
  submit(Duration::zero());
  run();
  EXPECT_EQ(ledger_->total(), Duration::zero());
  EXPECT_EQ(transmitter_->statistics().airtime, Duration::zero());
  EXPECT_EQ(refused_at_gate(Why::radio_failed), 1u);
}

TEST_F(Seed000, T3_AirtimeStaysDebitedWhenTheFrameMayHaveBeenSent) {
  limit_minute_to(seconds(10));
  radio_.script = {ScriptedRadio::Next::fail_unsure};
  start();
  submit(Duration::zero());
  run();
  EXPECT_EQ(ledger_->total(), radio::time_on_air(radio_.modulation(), kThirtyBytes.size()));
}

TEST_F(Seed000, T4_TheEarlyLookRefusesWithoutATimerOrATask) {
  limit_minute_to(Duration::zero());
  drop_over_budget();
  start();
  port_.run(executor_);
  const std::uint64_t resumed = executor_.resumed_count();
  submit(seconds(5));
  EXPECT_EQ(outcomes_.size(), 1u);
  EXPECT_EQ(transmitter_->waiting_count(), 0u);
  EXPECT_EQ(executor_.next_deadline(), kNever);
  EXPECT_FALSE(executor_.has_ready());
  run();
  EXPECT_EQ(executor_.resumed_count(), resumed);
}

TEST_F(Seed000, T4_TheEarlyLookSaysHowLongToWait) {
  limit_minute_to(milliseconds(150));
  drop_over_budget();
  start();
  submit(Duration::zero());
  run();
  submit(seconds(1));
  ASSERT_EQ(outcomes_.size(), 2u);
  ASSERT_FALSE(outcomes_[1].second);
  const Refused refused = outcomes_[1].second.error();
  EXPECT_EQ(refused.why, Why::over_budget);
  EXPECT_EQ(refused.stage, Stage::early);
  EXPECT_GT(refused.earliest, executor_.now() + seconds(50));
  EXPECT_LT(refused.earliest, executor_.now() + seconds(61));
}

// --- The same bursts with the code before
// ---------------------------------------------------------

/// What the document replaces: a task per frame that looks at the budget, counts its delay down,
/// sends, and then notes what it has sent. Delays run at once and nothing else holds.
class Before {
 public:
  Before(async::Executor& executor, Duration per_minute)
      : executor_(executor), per_minute_(per_minute) {}

  void submit(Duration delay) {
    tasks_.emplace_back();
    executor_.spawn(tasks_.back(), "send", &Before::send, this, delay);
  }
  std::size_t sent() const { return log_.size(); }
  std::size_t dropped() const { return dropped_; }
  Duration spent() const { return spent_; }
  Duration on_air() const { return static_cast<std::int64_t>(log_.size()) * airtime_; }
  std::size_t overlaps() const {
    std::vector<Time> starts = log_;
    std::ranges::sort(starts);
    std::size_t count = 0;
    for (std::size_t i = 1; i < starts.size(); ++i) {
      if (starts[i] < starts[i - 1] + airtime_) ++count;
    }
    return count;
  }

 private:
  async::Task<> send(Duration delay) {
    if (spent_ + airtime_ > per_minute_) {
      ++dropped_;
      co_return;
    }
    co_await async::sleep_for(executor_, delay);
    log_.push_back(executor_.now());
    co_await async::sleep_for(executor_, airtime_);
    spent_ += airtime_;
  }

  async::Executor& executor_;
  const Duration per_minute_;
  const Duration airtime_ = radio::time_on_air(about_111_ms(), kThirtyBytes.size());
  std::list<async::TaskSlot<1024>> tasks_;
  std::vector<Time> log_;
  Duration spent_{};
  std::size_t dropped_ = 0;
};

TEST_F(Seed000, T5_BeforeABurstWithinOneDelayWindowOverlapsOnTheAir) {
  Before before(executor_, seconds(60));
  for (int i = 0; i < 5; ++i) {
    port_.run(executor_, at_ms(20 * i));
    before.submit(milliseconds(1000 + random_.up_to(300)));
  }
  port_.run(executor_);
  EXPECT_EQ(before.sent(), 5u);
  EXPECT_GT(before.overlaps(), 0u);
}

TEST_F(Seed000, T6_BeforeABurstBeyondTheBudgetIsSentCompletely) {
  const Duration limit = milliseconds(500);
  Before before(executor_, limit);
  for (int i = 0; i < 10; ++i) before.submit(milliseconds(100));
  port_.run(executor_);
  EXPECT_EQ(before.dropped(), 0u);  // all of them looked before the first was noted
  EXPECT_EQ(before.sent(), 10u);
  EXPECT_GT(before.on_air(), 2 * limit);
}

// Where nothing meets, the code before was right too: what changes costs nothing here.
TEST_F(Seed000, T7_BeforeOneFrameEachFiveSecondsWasSentAsWell) {
  Before before(executor_, seconds(30));
  for (int i = 0; i < 12; ++i) {
    port_.run(executor_, at_us(5'000'000 * i));
    before.submit(milliseconds(200));
  }
  port_.run(executor_);
  EXPECT_EQ(before.sent(), 12u);
  EXPECT_EQ(before.overlaps(), 0u);
  EXPECT_EQ(before.spent(), before.on_air());
}

// --- And with ours -------------------------------------------------------------------------------

TEST_F(Seed000, T5_ABurstWithinOneDelayWindowIsSentInSequenceAndItsAirtimeAddsUp) {
  limit_minute_to(seconds(60));
  start();
  Duration expected{};
  for (int i = 0; i < 5; ++i) {
    port_.run(executor_, at_ms(20 * i));
    submit(milliseconds(1000 + random_.up_to(300)));
    expected += radio::time_on_air(radio_.modulation(), kThirtyBytes.size());
  }
  run();
  EXPECT_EQ(radio_.log.size(), 5u);
  expect_no_overlap();
  EXPECT_EQ(ledger_->total(), expected);
  EXPECT_EQ(transmitter_->statistics().airtime, expected);
  EXPECT_EQ(transmitter_->statistics().refused(), 0u);
}

TEST_F(Seed000, T6_ABurstBeyondTheBudgetIsRefusedAtTheGateAndUtilisationStaysBelowAll) {
  limit_minute_to(milliseconds(500));
  drop_over_budget();
  start();
  for (int i = 0; i < 10; ++i) submit(milliseconds(100));
  run();
  EXPECT_EQ(sent_count(), 4u);
  EXPECT_EQ(refused_at_gate(Why::over_budget), 6u);
  EXPECT_EQ(refused_early(Why::over_budget), 0u);
  EXPECT_LE(ledger_->total(), Duration(milliseconds(500)));
  EXPECT_LE(ledger_->spent_ppm(executor_.now()), 1'000'000u);
}

TEST_F(Seed000, T6_UnderDeferralTheSameBurstIsSentCompletelyAndNoWindowIsOverFull) {
  limit_minute_to(milliseconds(500));
  start();
  for (int i = 0; i < 10; ++i) submit(milliseconds(100));
  run();
  ASSERT_EQ(radio_.log.size(), 10u);
  expect_no_overlap();
  for (const auto& last : radio_.log) {
    Duration in_window{};
    for (const auto& keyed : radio_.log) {
      const Time from = std::max(keyed.from, last.to - minutes(1));
      const Time to = std::min(keyed.to, last.to);
      if (to > from) in_window += to - from;
    }
    EXPECT_LE(in_window, Duration(milliseconds(500)));
  }
}

TEST_F(Seed000, T7_OneFrameEachFiveSecondsMeetsNoContention) {
  limit_minute_to(seconds(30));
  start();
  for (int i = 0; i < 12; ++i) {
    port_.run(executor_, at_us(5'000'000 * i));
    submit(milliseconds(200));
  }
  run();
  EXPECT_EQ(sent_count(), 12u);
  for (const auto& [tag, outcome] : outcomes_) {
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->waited, Duration::zero());
    EXPECT_EQ(outcome->airtime, radio::time_on_air(radio_.modulation(), kThirtyBytes.size()));
    EXPECT_EQ(outcome->attempts, 1);
  }
}

TEST_F(Seed000, T8_ALocalFrameIsTriedAgainAfterOneSecondThroughTheWholePath) {
  limit_minute_to(seconds(30));
  radio_.script = {ScriptedRadio::Next::fail_unkeyed};
  start();
  submit(Duration::zero(), Origin::local);
  run();
  ASSERT_EQ(outcomes_.size(), 1u);
  ASSERT_TRUE(outcomes_[0].second);
  EXPECT_EQ(outcomes_[0].second->attempts, 2);
  ASSERT_EQ(radio_.log.size(), 1u);
  EXPECT_EQ(radio_.log[0].from, at_ms(1000));
  EXPECT_EQ(radio_.listens(), 2u);  // the second attempt listened again
}

TEST_F(Seed000, T8_ARelayedFrameIsTriedOnce) {
  radio_.script = {ScriptedRadio::Next::fail_unkeyed};
  start();
  submit(Duration::zero(), Origin::relay);
  run();
  EXPECT_EQ(refused_at_gate(Why::radio_failed), 1u);
  EXPECT_TRUE(radio_.log.empty());
}

TEST_F(Seed000, T8_TheRightIsFreeBetweenTheTwoAttempts) {
  radio_.script = {ScriptedRadio::Next::fail_unkeyed};
  start();
  submit(Duration::zero(), Origin::local, 1);
  submit(milliseconds(100), Origin::relay, 2);
  run();
  ASSERT_EQ(outcomes_.size(), 2u);
  EXPECT_EQ(radio_.log[0].from, at_ms(100));
  EXPECT_EQ(outcomes_[0].first, 2u);  // the relay went out during the local frame's second
  EXPECT_EQ(outcomes_[1].first, 1u);
}

// --- S1 to S12 where T1 to T8 do not reach -------------------------------------------------------

TEST_F(Seed000, S7_ReceptionAndJudgingGoOnWhileTheRightIsHeld) {
  start();
  submit(Duration::zero());
  port_.run(executor_, at_ms(1));
  EXPECT_TRUE(radio_.right().is_held());
  radio_.hear({});
  radio::Frame frame;
  EXPECT_TRUE(radio_.take(frame));
  submit(milliseconds(1));  // submitting does not wait for anybody
  EXPECT_EQ(transmitter_->waiting_count(), 2u);
  run();
  expect_no_overlap();
}

TEST_F(Seed000, ABetterFrameOvertakesWhileTheChannelIsBusy) {
  radio_.busy_until = at_ms(1000);
  start();
  Submission flood;
  flood.frame = kThirtyBytes;
  flood.priority = 3;
  flood.tag = 3;
  transmitter_->submit(flood);
  port_.run(executor_, at_ms(500));
  EXPECT_FALSE(radio_.right().is_held());  // never across a back-off
  Submission direct = flood;
  direct.priority = 0;
  direct.tag = 1;
  transmitter_->submit(direct);
  run();
  ASSERT_EQ(outcomes_.size(), 2u);
  EXPECT_EQ(outcomes_[0].first, 1u);
}

TEST_F(Seed000, AChannelThatStaysBusyIsSentOverAtTheCapAndCounted) {
  radio_.busy_until = at_ms(60'000);
  start();
  submit(Duration::zero());
  run();
  ASSERT_EQ(radio_.log.size(), 1u);
  EXPECT_GT(radio_.log[0].from, at_ms(4000));
  EXPECT_LE(radio_.log[0].from, at_ms(4361));
  EXPECT_EQ(transmitter_->statistics().forced, 1u);
}

TEST_F(Seed000, WithListeningOffABusyChannelIsNotEvenLookedAt) {
  policy_.listening = Listening::off;
  radio_.busy_until = at_ms(60'000);
  start();
  submit(Duration::zero());
  run();
  ASSERT_EQ(radio_.log.size(), 1u);
  EXPECT_EQ(radio_.log[0].from, Time{});
  EXPECT_EQ(radio_.listens(), 0u);
}

TEST_F(Seed000, AFrameThatCannotStartBeforeItsExpiryIsRefusedAndNothingIsDebited) {
  limit_minute_to(milliseconds(150));
  start();
  submit(Duration::zero());
  run();
  Submission late;
  late.frame = kThirtyBytes;
  late.expiry = executor_.now() + seconds(10);
  transmitter_->submit(late);
  EXPECT_EQ(refused_early(Why::expired), 1u);
  EXPECT_EQ(transmitter_->waiting_count(), 0u);
}

TEST_F(Seed000, AFullPoolGivesWayOnlyToABetterFrame) {
  start();
  for (std::size_t i = 0; i < Transmitter::kRelaysWaiting; ++i) {
    Submission flood;
    flood.frame = kThirtyBytes;
    flood.after = seconds(5);
    flood.priority = static_cast<std::uint8_t>(i == 7 ? 9 : 4);
    flood.tag = i;
    transmitter_->submit(flood);
  }
  Submission equal;
  equal.frame = kThirtyBytes;
  equal.priority = 9;
  transmitter_->submit(equal);
  EXPECT_EQ(refused_early(Why::no_room), 1u);
  Submission better = equal;
  better.priority = 0;
  transmitter_->submit(better);
  EXPECT_EQ(refused_at_gate(Why::no_room), 1u);
  EXPECT_EQ(outcomes_.back().first, 7u);  // the least valuable, not the last that came
  run();
}

// The gate decides, not the forecast: a law that promises too much costs a delay and nothing else.
class HopefulLaw final : public Law {
 public:
  Time earliest(Duration, Time at) const override { return at; }
  std::optional<Reservation> reserve(Duration, Time now) override {
    if (now < at_ms(5000)) return std::nullopt;
    return make_reservation(1);
  }
  std::uint32_t spent_ppm(Time) const override { return 0; }

 private:
  void commit(std::uint64_t, Time, Duration) override {}
  void cancel(std::uint64_t) override {}
};

TEST_F(Seed000, S4_TheGateDecidesAndNotTheForecast) {
  HopefulLaw law;
  Transmitter transmitter(executor_, radio_, law, random_, policy_);
  transmitter.start();
  Submission submission;
  submission.frame = kThirtyBytes;
  transmitter.submit(submission);
  port_.run(executor_);
  ASSERT_EQ(radio_.log.size(), 1u);
  EXPECT_GE(radio_.log[0].from, at_ms(5000));
}

TEST_F(Seed000, AnAskerThatIsCancelledLeavesNothingBehind) {
  start();
  struct Ask {
    static async::Task<> run(Transmitter& transmitter) {
      Submission submission;
      submission.frame = kThirtyBytes;
      submission.after = seconds(1);
      const Outcome outcome = co_await transmitter.send(submission);
      static_cast<void>(outcome);
    }
  };
  {
    async::TaskSlot<4096> asker;
    executor_.spawn(asker, "asker", Ask::run, *transmitter_);
    port_.run(executor_, at_ms(10));
  }
  run();
  EXPECT_EQ(sent_count(), 1u);
}

TEST_F(Seed000, StoppingEndsEverySubmissionExactlyOnce) {
  start();
  for (std::uint64_t i = 0; i < 5; ++i) submit(milliseconds(100), Origin::relay, i);
  port_.run(executor_, at_ms(150));
  transmitter_->stop();
  EXPECT_EQ(outcomes_.size(), 5u);
  EXPECT_TRUE(transmitter_->statistics().balances());
  EXPECT_EQ(transmitter_->waiting_count(), 0u);
}

}  // namespace
}  // namespace chappe::tx
