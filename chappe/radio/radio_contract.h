#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "chappe/async/executor.h"
#include "chappe/radio/airtime.h"
#include "chappe/radio/radio.h"

/// What every radio::Radio promises, as tests. A radio's own test file describes its surroundings
/// and runs them unchanged:
///
///   struct MyWorld { … };  // see World below
///   INSTANTIATE_TYPED_TEST_SUITE_P(MyRadio, RadioContract, MyWorld);
namespace chappe::radio::contract {

/// A radio, and somebody else in its range.
template <class T>
concept World = requires(T world, Duration span, Bytes frame) {
  { world.executor() } -> std::same_as<async::Executor&>;
  { world.radio() } -> std::same_as<Radio&>;
  /// Lets time pass, and everything happen that is due.
  world.run_for(span);
  /// A stranger begins to send, now, whatever else is on the air.
  world.stranger_sends(frame);
  /// What the radio under test has keyed so far.
  { world.radiated_count() } -> std::convertible_to<std::size_t>;
  { world.last_radiated() } -> std::convertible_to<FrameBytes>;
};

/// A task that sends one frame: credit, Right, transmit.
class Sending {
 public:
  using Outcome = Result<Transmitted, TransmitFailure>;

  Sending(async::Executor& executor, Radio& radio, Bytes frame)
      : executor_(executor), radio_(radio), frame_(frame) {}
  void start() { executor_.spawn(slot_, "sending", &Sending::run, this); }
  void cancel() { slot_.cancel(); }
  bool ended() const { return outcome_.has_value(); }
  const Outcome& outcome() const { return *outcome_; }

 private:
  async::Task<> run() {
    flow::Credit credit = co_await radio_.credits().take(0);
    const Right right = co_await radio_.right().take();
    const Outcome outcome = co_await radio_.transmit(right, frame_, std::move(credit));
    outcome_.emplace(outcome);
  }

  async::Executor& executor_;
  Radio& radio_;
  FrameBytes frame_;
  std::optional<Outcome> outcome_;
  async::TaskSlot<4096> slot_;
};

/// A task that listens once.
class Listening {
 public:
  Listening(async::Executor& executor, Radio& radio) : executor_(executor), radio_(radio) {}
  void start() { executor_.spawn(slot_, "listening", &Listening::run, this); }
  std::optional<Channel> heard() const { return heard_; }

 private:
  async::Task<> run() {
    const Right right = co_await radio_.right().take();
    const Channel channel = co_await radio_.listen(right);
    heard_ = channel;
  }

  async::Executor& executor_;
  Radio& radio_;
  std::optional<Channel> heard_;
  async::TaskSlot<4096> slot_;
};

inline constexpr std::array<std::uint8_t, 20> kOurs = {0x11, 0x22};
inline constexpr std::array<std::uint8_t, 20> kTheirs = {0x33, 0x44};

template <World T>
class RadioContract : public testing::Test {
 protected:
  Radio& radio() { return world_.radio(); }
  async::Executor& executor() { return world_.executor(); }
  void run_for(Duration span) { world_.run_for(span); }
  Duration airtime(std::size_t bytes) { return time_on_air(radio().modulation(), bytes); }
  // More than any radio needs before and after a frame, and less than a frame of ours.
  Duration turnaround() { return airtime(kOurs.size()) / 4; }
  std::size_t on_loan() { return radio().credits().read().total; }

  T world_;
};

TYPED_TEST_SUITE_P(RadioContract);

TYPED_TEST_P(RadioContract, ReturnsWithTheMeasuredAirtimeWhenTheLastSymbolIsOut) {
  Sending sending(this->executor(), this->radio(), kOurs);
  const Time asked = this->executor().now();
  sending.start();
  this->run_for(this->airtime(kOurs.size()) - microseconds(1));
  EXPECT_FALSE(sending.ended());
  this->run_for(this->turnaround());
  ASSERT_TRUE(sending.ended());
  ASSERT_TRUE(sending.outcome());
  EXPECT_EQ(sending.outcome()->airtime, this->airtime(kOurs.size()));
  EXPECT_GE(sending.outcome()->keyed, asked);
  EXPECT_LE(sending.outcome()->keyed, asked + this->turnaround());
  ASSERT_EQ(this->world_.radiated_count(), 1u);
  const FrameBytes radiated = this->world_.last_radiated();
  EXPECT_TRUE(std::ranges::equal(radiated.view(), kOurs));
}

TYPED_TEST_P(RadioContract, KeepsTheCreditWhileItHoldsTheFrame) {
  Sending sending(this->executor(), this->radio(), kOurs);
  sending.start();
  this->run_for(this->airtime(kOurs.size()) / 2);
  EXPECT_EQ(this->on_loan(), 1u);
  this->run_for(this->airtime(kOurs.size()));
  EXPECT_TRUE(sending.ended());
  EXPECT_EQ(this->on_loan(), 0u);
}

TYPED_TEST_P(RadioContract, EndsACancelledTransmissionAndOnlyThenGivesTheCreditBack) {
  Sending sending(this->executor(), this->radio(), kOurs);
  sending.start();
  this->run_for(this->airtime(kOurs.size()) / 2);
  sending.cancel();
  EXPECT_FALSE(this->radio().right().is_held());
  EXPECT_EQ(this->on_loan(), 1u) << "the radio still holds the frame";
  this->run_for(this->airtime(kOurs.size()) / 4);
  EXPECT_EQ(this->on_loan(), 1u) << "the radio still holds the frame";
  this->run_for(this->airtime(kOurs.size()));
  EXPECT_EQ(this->on_loan(), 0u);
  EXPECT_EQ(this->world_.radiated_count(), 1u);
}

TYPED_TEST_P(RadioContract, SendsAgainAfterACancelledTransmissionWithTheNewOnesResult) {
  Sending cancelled(this->executor(), this->radio(), kOurs);
  cancelled.start();
  this->run_for(this->airtime(kOurs.size()) / 2);
  cancelled.cancel();

  Sending next(this->executor(), this->radio(), kTheirs);
  const Time asked = this->executor().now();
  next.start();
  this->run_for(this->airtime(kOurs.size()) / 2 + this->turnaround());
  EXPECT_FALSE(next.ended()) << "it took the end of the cancelled one for its own";
  this->run_for(2 * this->airtime(kOurs.size()));
  ASSERT_TRUE(next.ended());
  ASSERT_TRUE(next.outcome());
  EXPECT_GE(next.outcome()->keyed, asked + this->airtime(kOurs.size()) / 2);
  EXPECT_EQ(this->world_.radiated_count(), 2u);
  EXPECT_EQ(this->on_loan(), 0u);
}

TYPED_TEST_P(RadioContract, HearsWhatOthersSendInOrderWithOneSetForEach) {
  this->world_.stranger_sends(kTheirs);
  this->run_for(2 * this->airtime(kTheirs.size()));
  const Time ended = this->executor().now();
  this->world_.stranger_sends(kOurs);
  this->run_for(2 * this->airtime(kOurs.size()));

  EXPECT_EQ(this->radio().heard().take(), 2u);
  Frame frame;
  ASSERT_TRUE(this->radio().take(frame));
  EXPECT_TRUE(std::ranges::equal(frame.bytes.view(), kTheirs));
  EXPECT_LE(frame.at, ended);
  ASSERT_TRUE(this->radio().take(frame));
  EXPECT_TRUE(std::ranges::equal(frame.bytes.view(), kOurs));
  EXPECT_GT(frame.at, ended);
  EXPECT_FALSE(this->radio().take(frame));
}

TYPED_TEST_P(RadioContract, HearsNothingOfWhatOverlapsItsOwnTransmission) {
  Sending sending(this->executor(), this->radio(), kOurs);
  sending.start();
  this->run_for(this->airtime(kOurs.size()) / 2);
  this->world_.stranger_sends(kTheirs);
  this->run_for(3 * this->airtime(kTheirs.size()));
  Frame frame;
  EXPECT_FALSE(this->radio().take(frame));

  this->world_.stranger_sends(kTheirs);
  this->run_for(2 * this->airtime(kTheirs.size()));
  EXPECT_TRUE(this->radio().take(frame)) << "it does not listen again";
}

TYPED_TEST_P(RadioContract, FindsTheChannelBusyWhileAStrangerSendsAndClearBeforeAndAfter) {
  Listening before(this->executor(), this->radio());
  before.start();
  this->run_for(this->airtime(kTheirs.size()));
  EXPECT_EQ(before.heard(), Channel::clear);

  this->world_.stranger_sends(kTheirs);
  this->run_for(this->airtime(kTheirs.size()) / 4);
  Listening during(this->executor(), this->radio());
  during.start();
  this->run_for(this->airtime(kTheirs.size()) / 2);
  EXPECT_EQ(during.heard(), Channel::busy);

  this->run_for(this->airtime(kTheirs.size()));
  Listening after(this->executor(), this->radio());
  after.start();
  this->run_for(this->airtime(kTheirs.size()));
  EXPECT_EQ(after.heard(), Channel::clear);
}

TYPED_TEST_P(RadioContract, IsBlindToItsOwnTransmission) {
  Sending sending(this->executor(), this->radio(), kOurs);
  sending.start();
  this->run_for(this->airtime(kOurs.size()) / 4);
  sending.cancel();  // gives the Right away while the frame is still on the air
  Listening listening(this->executor(), this->radio());
  listening.start();
  this->run_for(2 * this->airtime(kOurs.size()));
  EXPECT_EQ(listening.heard(), Channel::clear);
}

TYPED_TEST_P(RadioContract, SendsOneFrameAfterTheOtherWhoeverAsks) {
  Sending first(this->executor(), this->radio(), kOurs);
  Sending second(this->executor(), this->radio(), kTheirs);
  first.start();
  second.start();
  this->run_for(3 * this->airtime(kOurs.size()));
  ASSERT_TRUE(first.ended());
  ASSERT_TRUE(second.ended());
  ASSERT_TRUE(first.outcome());
  ASSERT_TRUE(second.outcome());
  EXPECT_GE(second.outcome()->keyed, first.outcome()->keyed + first.outcome()->airtime);
}

REGISTER_TYPED_TEST_SUITE_P(RadioContract,
                            ReturnsWithTheMeasuredAirtimeWhenTheLastSymbolIsOut,
                            KeepsTheCreditWhileItHoldsTheFrame,
                            EndsACancelledTransmissionAndOnlyThenGivesTheCreditBack,
                            SendsAgainAfterACancelledTransmissionWithTheNewOnesResult,
                            HearsWhatOthersSendInOrderWithOneSetForEach,
                            HearsNothingOfWhatOverlapsItsOwnTransmission,
                            FindsTheChannelBusyWhileAStrangerSendsAndClearBeforeAndAfter,
                            IsBlindToItsOwnTransmission,
                            SendsOneFrameAfterTheOtherWhoeverAsks);

}  // namespace chappe::radio::contract
