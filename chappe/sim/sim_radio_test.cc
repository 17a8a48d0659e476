#include "chappe/sim/sim_radio.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "chappe/async/sleep.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/radio/radio_contract.h"
#include "chappe/sim/air_log.h"

namespace chappe::radio::contract {
namespace {

// Somebody who sends and listens to nobody.
struct Stranger final : sim::Antenna {
  bool on_frame(const Frame&) noexcept override { return true; }
  void on_radiated(Time, Duration) noexcept override {}
};

class SimWorld {
  auto is_ours() const {
    return [this](const sim::AirLog::Entry& entry) { return entry.station == radio_.station(); };
  }

 public:
  SimWorld() {
    air_.listen(log_);
    air_.connect(radio_.station(), stranger_at_, sim::link_of_snr(5));
  }
  async::Executor& executor() { return executor_; }
  Radio& radio() { return radio_; }
  void run_for(Duration span) { port_.run(executor_, executor_.now() + span); }
  void stranger_sends(Bytes frame) { air_.radiate(stranger_at_, frame); }
  std::size_t radiated_count() const {
    return static_cast<std::size_t>(std::ranges::count_if(log_.entries(), is_ours()));
  }
  FrameBytes last_radiated() const {
    const auto& entries = log_.entries();
    return FrameBytes(std::find_if(entries.rbegin(), entries.rend(), is_ours())->frame);
  }

 private:
  port::VirtualPort port_;
  async::Executor executor_{port_};
  sim::Air air_{executor_, 2};
  sim::AirLog log_;
  sim::SimRadio radio_{executor_, air_};
  Stranger stranger_;
  sim::StationId stranger_at_ = air_.join(stranger_, Modulation{});
};

INSTANTIATE_TYPED_TEST_SUITE_P(SimRadio, RadioContract, SimWorld);

}  // namespace
}  // namespace chappe::radio::contract

namespace chappe::sim {
namespace {

using radio::contract::kOurs;
using radio::contract::kTheirs;
using radio::contract::Listening;
using radio::contract::Sending;

class SimRadioTest : public testing::Test {
 protected:
  SimRadioTest() { air_.connect(one_.station(), two_.station(), link_of_snr(5)); }
  void run_for(Duration span) { port_.run(executor_, executor_.now() + span); }
  Duration airtime() const { return radio::time_on_air(radio::Modulation{}, kOurs.size()); }

  port::VirtualPort port_;
  async::Executor executor_{port_};
  Air air_{executor_, 2};
  SimRadio one_{executor_, air_};
  SimRadio two_{executor_, air_};
};

TEST_F(SimRadioTest, CountsWhatItHasNoRoomForAndKeepsTheOldest) {
  for (std::size_t i = 0; i < SimRadio::kHeardMax + 3; ++i) {
    Sending sending(executor_, two_, i == 0 ? kTheirs : kOurs);
    sending.start();
    run_for(2 * airtime());
  }
  EXPECT_EQ(one_.fates()[Fate::heard], SimRadio::kHeardMax);
  EXPECT_EQ(one_.fates()[Fate::overrun], 3u);
  EXPECT_EQ(one_.fates().total(), air_.radiated_count());
  radio::Frame frame;
  ASSERT_TRUE(one_.take(frame));
  EXPECT_TRUE(std::ranges::equal(frame.bytes.view(), kTheirs));
  std::size_t taken = 1;
  while (one_.take(frame)) ++taken;
  EXPECT_EQ(taken, SimRadio::kHeardMax);
}

TEST_F(SimRadioTest, ALostConfirmationEndsAsUnsureAndTheCreditComesBackOnce) {
  one_.lose_next_confirmation();
  Sending lost(executor_, one_, kOurs);
  lost.start();
  run_for(2 * airtime());
  EXPECT_FALSE(lost.ended());
  EXPECT_EQ(one_.in_flight().pending, 1u);
  run_for(seconds(10));
  ASSERT_TRUE(lost.ended());
  ASSERT_FALSE(lost.outcome());
  EXPECT_EQ(lost.outcome().error(), radio::TransmitFailure::unsure);
  EXPECT_EQ(one_.wedge_count(), 1u);
  EXPECT_EQ(one_.credits().read().total, 0u);

  Sending next(executor_, one_, kOurs);
  next.start();
  run_for(2 * airtime());
  ASSERT_TRUE(next.ended());
  EXPECT_TRUE(next.outcome());
  EXPECT_EQ(one_.wedge_count(), 1u);
}

TEST_F(SimRadioTest, TheLongestFrameIsNoWedge) {
  const std::vector<std::uint8_t> longest(radio::kFrameMax, 0x55);
  for (int i = 0; i < 5; ++i) {
    Sending sending(executor_, one_, longest);
    sending.start();
    run_for(seconds(5));
    EXPECT_TRUE(sending.ended());
  }
  EXPECT_EQ(one_.wedge_count(), 0u);
  EXPECT_EQ(two_.fates()[Fate::heard], 5u);
}

TEST_F(SimRadioTest, ListeningTakesFourSymbolsAndTheChipsProcessing) {
  Listening listening(executor_, one_);
  listening.start();
  // SF 8 at 62.5 kHz: 4.65 symbols of 4096 us.
  run_for(microseconds(4096 * 465 / 100 - 1));
  EXPECT_FALSE(listening.heard().has_value());
  run_for(microseconds(1));
  EXPECT_EQ(listening.heard(), radio::Channel::clear);
}

TEST_F(SimRadioTest, ListeningMissesWhoBeginsWhileItLooks) {
  Listening listening(executor_, one_);
  listening.start();
  run_for(microseconds(1));
  Sending sending(executor_, two_, kOurs);
  sending.start();
  run_for(airtime() / 2);
  EXPECT_EQ(listening.heard(), radio::Channel::clear);
  Listening again(executor_, one_);
  again.start();
  run_for(airtime() / 4);
  EXPECT_EQ(again.heard(), radio::Channel::busy);
  run_for(airtime());
}

TEST(SimRadioLeaving, IsStillHeardToTheEndOfItsFrame) {
  port::VirtualPort port;
  async::Executor executor(port);
  Air air(executor, 2);
  SimRadio stays(executor, air);
  {
    SimRadio leaves(executor, air);
    air.connect(leaves.station(), stays.station(), link_of_snr(5));
    Sending sending(executor, leaves, kOurs);
    sending.start();
    port.run(executor, executor.now() + milliseconds(100));
  }
  port.run(executor, executor.now() + seconds(1));
  EXPECT_EQ(stays.fates()[Fate::heard], 1u);
}

}  // namespace
}  // namespace chappe::sim
