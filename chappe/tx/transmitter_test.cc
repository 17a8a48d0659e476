// What may happen while somebody is told of a result, and at the edges of time.
#include "chappe/tx/transmitter.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "chappe/base/random.h"
#include "chappe/port/virtual/virtual_port.h"
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
  for (std::size_t i = 0; i < Transmitter::kPool; ++i) transmitter_->submit(submission(9));
  EXPECT_EQ(transmitter_->waiting_count(), Transmitter::kPool);
  bool answered = false;
  on_outcome_ = [&](const Outcome&) {
    if (std::exchange(answered, true)) return;
    transmitter_->submit(submission(9));
  };
  transmitter_->submit(submission(1));
  EXPECT_TRUE(answered);
  EXPECT_TRUE(transmitter_->statistics().balances());
  EXPECT_EQ(transmitter_->waiting_count(), Transmitter::kPool);
  ASSERT_NE(transmitter_->next_in_line(), nullptr);
  EXPECT_EQ(transmitter_->next_in_line()->priority(), 1);
}

TEST_F(TransmitterTest, WhatIsSubmittedWhileItStopsIsRefusedToo) {
  // Full, so that the answer gets the place that was just left.
  for (std::size_t i = 0; i < Transmitter::kPool; ++i) transmitter_->submit(submission());
  bool answered = false;
  on_outcome_ = [&](const Outcome&) {
    if (std::exchange(answered, true)) return;
    transmitter_->submit(submission());
  };
  transmitter_->stop();
  EXPECT_TRUE(answered);
  EXPECT_EQ(transmitter_->waiting_count(), 0u);
  EXPECT_EQ(outcomes_.size(), Transmitter::kPool + 1);
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

}  // namespace
}  // namespace chappe::tx
