#include "chappe/play/replayed_radio.h"

#include <gtest/gtest.h>

#include "chappe/async/sleep.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/radio/airtime.h"

namespace chappe::play {
namespace {

constexpr std::array<std::uint8_t, 4> kSent{0x0d, 0x00, 0x01, 0x02};
constexpr std::array<std::uint8_t, 3> kHeard{0x15, 0x00, 0xaa};

class ReplayedRadioTest : public testing::Test {
 protected:
  using Kind = ChannelWindow::Kind;

  ReplayedRadio& radio() {
    if (!radio_) {
      radio_ =
          std::make_unique<ReplayedRadio>(executor_, radio::Modulation{}, windows_, listening_);
    }
    return *radio_;
  }

  async::Task<> send() {
    const radio::Right right = co_await radio().right().take();
    flow::Credit credit = radio().credits().try_take(0);
    const auto done = co_await radio().transmit(right, kSent, std::move(credit));
    if (done) {
      sent_ = *done;
    } else {
      failure_ = done.error();
    }
  }

  async::Task<> look() {
    const radio::Right right = co_await radio().right().take();
    const radio::Channel channel = co_await radio().listen(right);
    channel_ = channel;
  }

  void send_at(Time at) {
    port_.run(executor_, at);
    executor_.spawn(slot_, "sender", &ReplayedRadioTest::send, this);
    port_.run(executor_, at);
  }

  bool hear_at(Time at) {
    port_.run(executor_, at);
    return radio().hear(kHeard, Decibels{20}, Dbm{-320});
  }

  bool is_busy_at(std::int64_t ms) {
    radio();  // windows count from its making
    port_.run(executor_, at_ms(ms));
    executor_.spawn(slot_, "listener", &ReplayedRadioTest::look, this);
    port_.run(executor_, at_ms(ms));
    return channel_ == radio::Channel::busy;
  }

  port::VirtualPort port_;
  async::Executor executor_{port_};
  std::vector<ChannelWindow> windows_;
  ReplayedRadio::Listening listening_;
  std::unique_ptr<ReplayedRadio> radio_;
  std::optional<radio::Transmitted> sent_;
  std::optional<radio::TransmitFailure> failure_;
  std::optional<radio::Channel> channel_;
  async::TaskSlot<1024> slot_;
};

TEST_F(ReplayedRadioTest, ATransmissionTakesItsTimeOnAir) {
  send_at(at_ms(100));
  port_.run(executor_);
  ASSERT_TRUE(sent_.has_value());
  EXPECT_EQ(sent_->keyed, at_ms(100));
  EXPECT_EQ(sent_->airtime, radio::time_on_air(radio().modulation(), kSent.size()));
  EXPECT_EQ(port_.now(), sent_->keyed + sent_->airtime);
}

TEST_F(ReplayedRadioTest, AFrameThatEndsWhileTheNodeSendsIsLost) {
  send_at(at_ms(100));
  EXPECT_FALSE(hear_at(at_ms(101)));
  radio::Frame frame;
  EXPECT_FALSE(radio().take(frame));
}

TEST_F(ReplayedRadioTest, AFrameThatEndsInTheInstantOfKeyingOrJustAfterTheEndIsHeard) {
  const Duration airtime = radio::time_on_air(radio().modulation(), kSent.size());
  send_at(at_ms(100));
  EXPECT_TRUE(hear_at(at_ms(100)));
  EXPECT_FALSE(hear_at(at_ms(100) + airtime - microseconds(1)));
  EXPECT_TRUE(hear_at(at_ms(100) + airtime));
  radio::Frame frame;
  ASSERT_TRUE(radio().take(frame));
  EXPECT_EQ(frame.at, at_ms(100));
  EXPECT_TRUE(std::ranges::equal(frame.bytes.view(), kHeard));
  ASSERT_TRUE(radio().take(frame));
  EXPECT_EQ(frame.at, at_ms(100) + airtime);
}

TEST_F(ReplayedRadioTest, ARefusedTransmissionIsSurelyNotRadiatedAndTheNextOneIs) {
  radio().refuse_next();
  send_at(at_ms(100));
  EXPECT_EQ(failure_, radio::TransmitFailure::never_keyed);
  EXPECT_TRUE(hear_at(at_ms(101)));
  send_at(at_ms(200));
  port_.run(executor_);
  EXPECT_TRUE(sent_.has_value());
}

TEST_F(ReplayedRadioTest, AWindowBeginsAtItsFirstMomentAndEndsBeforeItsLast) {
  windows_.push_back({Kind::cad, at_ms(10), at_ms(20), {}});
  listening_.cad = true;
  EXPECT_FALSE(is_busy_at(9));
  EXPECT_TRUE(is_busy_at(10));
  EXPECT_TRUE(is_busy_at(19));
  EXPECT_FALSE(is_busy_at(20));
}

TEST_F(ReplayedRadioTest, ActivityIsNoticedOnlyByANodeThatLooksForIt) {
  windows_.push_back({Kind::cad, at_ms(10), at_ms(20), {}});
  EXPECT_FALSE(is_busy_at(15));
}

TEST_F(ReplayedRadioTest, ALevelCountsFromTheThresholdOverTheFloor) {
  windows_.push_back({Kind::rssi, at_ms(10), at_ms(20), Dbm{-97 * 4}});
  windows_.push_back({Kind::rssi, at_ms(30), at_ms(40), Dbm{-95 * 4}});
  listening_.threshold = Decibels{14 * 4};
  listening_.floor = Dbm{-110 * 4};
  EXPECT_FALSE(is_busy_at(15));
  EXPECT_TRUE(is_busy_at(35));
}

TEST_F(ReplayedRadioTest, ANodeToldToListenOtherwiseDoesSoFromTheNextLookOn) {
  windows_.push_back({Kind::cad, at_ms(10), at_ms(20), {}});
  windows_.push_back({Kind::rssi, at_ms(30), at_ms(40), Dbm{-95 * 4}});
  EXPECT_FALSE(is_busy_at(12));
  radio().listen_like(ReplayedRadio::Listening::of(true, 14, -110));
  EXPECT_TRUE(is_busy_at(15));
  EXPECT_TRUE(is_busy_at(32));
  radio().listen_like(ReplayedRadio::Listening::of(true, 0, -110));
  EXPECT_FALSE(is_busy_at(35));
}

TEST_F(ReplayedRadioTest, TunedOtherwiseAFrameTakesItsTimeThere) {
  radio::Modulation slow;
  slow.spreading = radio::kSpreadingMax;
  radio().tune(slow);
  send_at(at_ms(10));
  port_.run(executor_, at_ms(60'000));
  ASSERT_TRUE(sent_.has_value());
  EXPECT_EQ(sent_->airtime, radio::time_on_air(slow, kSent.size()));
}

TEST_F(ReplayedRadioTest, TheDriverStopsBelievingAPreambleThatNoFrameFollows) {
  windows_.push_back({Kind::preamble, at_ms(0), at_ms(5000), {}});
  // 44.25 symbols of 4.096 ms, rounded up.
  EXPECT_TRUE(is_busy_at(181));
  EXPECT_FALSE(is_busy_at(182));
}

TEST_F(ReplayedRadioTest, AHeaderIsBelievedAsLongAsTheLongestFrameMayLast) {
  windows_.push_back({Kind::header, at_ms(0), at_ms(5000), {}});
  const Duration longest = radio::reference_airtime(radio().modulation(), radio::kFrameMax);
  const std::int64_t believed_ms = in_ms(longest) + 1 - 182;  // at 4/8 nothing is rescaled
  EXPECT_TRUE(is_busy_at(believed_ms - 1));
  EXPECT_FALSE(is_busy_at(believed_ms + 1));
}

TEST(Modulation, OfARecordingIsTheNodesOrNone) {
  RecordedRadio recorded;
  recorded.bw_khz = 250;
  recorded.sf = 11;
  const auto modulation = modulation_of(recorded);
  ASSERT_TRUE(modulation.has_value());
  EXPECT_EQ(modulation->bandwidth.nominal(), Hertz{250'000});
  EXPECT_EQ(modulation->spreading, 11);
  EXPECT_EQ(modulation->preamble, 16);
  recorded.sf = 13;
  EXPECT_FALSE(modulation_of(recorded).has_value());
  recorded.sf = 11;
  recorded.bw_khz = -1;
  EXPECT_FALSE(modulation_of(recorded).has_value());
}

}  // namespace
}  // namespace chappe::play
