#include "chappe/sim/air.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "chappe/port/virtual/virtual_port.h"
#include "chappe/radio/airtime.h"
#include "chappe/sim/air_log.h"

namespace chappe::sim {
namespace {

struct Ear final : Antenna {
  bool on_frame(const radio::Frame& frame) noexcept override {
    heard.push_back(frame);
    return true;
  }
  void on_radiated(Time, Duration) noexcept override { ++sent; }
  std::vector<radio::Frame> heard;
  int sent = 0;
};

constexpr std::array<std::uint8_t, 20> kFrame = {7, 7, 7};

class AirTest : public testing::Test {
 protected:
  explicit AirTest(const Physics& physics = {}) : air_(executor_, 8, physics, &random_) {
    air_.listen(log_);
  }
  StationId join(const radio::Modulation& modulation = {}) {
    ears_.push_back(std::make_unique<Ear>());
    return air_.join(*ears_.back(), modulation);
  }
  Ear& ear(StationId station) { return *ears_[static_cast<std::size_t>(station)]; }
  void run_for(Duration span) { port_.run(executor_, executor_.now() + span); }
  std::uint64_t count(StationId at, Fate fate) const { return air_.fates(at)[fate]; }
  Duration airtime() const { return radio::time_on_air(radio::Modulation{}, kFrame.size()); }

  port::VirtualPort port_;
  async::Executor executor_{port_};
  SeededRandom random_{1};
  Air air_;
  AirLog log_;
  std::vector<std::unique_ptr<Ear>> ears_;
};

TEST_F(AirTest, AFrameArrivesWithTheLinksQualityWhenItsLastSymbolEnds) {
  const StationId from = join();
  const StationId to = join();
  air_.connect(from, to, link_of_snr(3.25));
  run_for(seconds(1));
  air_.radiate(from, kFrame);
  run_for(airtime() - microseconds(1));
  EXPECT_TRUE(ear(to).heard.empty());
  EXPECT_TRUE(air_.is_radiating(from));
  run_for(microseconds(1));
  ASSERT_EQ(ear(to).heard.size(), 1u);
  EXPECT_EQ(ear(to).heard[0].snr, Decibels{13});
  EXPECT_EQ(ear(to).heard[0].rssi, Dbm{-467});
  EXPECT_EQ(ear(to).heard[0].at, Time{} + seconds(1) + airtime());
  EXPECT_EQ(ear(from).sent, 1);
  EXPECT_TRUE(ear(from).heard.empty());
  EXPECT_FALSE(air_.is_radiating(from));
}

TEST_F(AirTest, TheSpreadingFactorsLimitIsHeardAndAQuarterDecibelLessIsNot) {
  const StationId from = join();
  const StationId limit = join();
  const StationId below = join();
  const StationId nowhere = join();
  air_.connect(from, limit, link_of_snr(-10));
  air_.connect(from, below, link_of_snr(-10.25));
  air_.radiate(from, kFrame);
  run_for(seconds(1));
  EXPECT_EQ(count(limit, Fate::heard), 1u);
  EXPECT_EQ(count(below, Fate::weak), 1u);
  EXPECT_EQ(count(nowhere, Fate::out_of_range), 1u);
}

TEST_F(AirTest, OfTwoFramesTheOneStrongerBySixDecibelsSurvives) {
  const StationId strong = join();
  const StationId weak = join();
  const StationId near = join();
  const StationId between = join();
  air_.connect(strong, near, link_of_snr(6));
  air_.connect(weak, near, link_of_snr(0));
  air_.connect(strong, between, link_of_snr(5.75));
  air_.connect(weak, between, link_of_snr(0));
  air_.radiate(weak, kFrame);
  run_for(airtime() / 2);
  air_.radiate(strong, kFrame);
  run_for(seconds(1));
  EXPECT_EQ(count(near, Fate::heard), 1u);
  EXPECT_EQ(count(near, Fate::collided), 1u);
  EXPECT_EQ(ear(near).heard[0].snr, Decibels{24});
  EXPECT_EQ(count(between, Fate::collided), 2u);
}

TEST_F(AirTest, FramesThatTouchDoNotDisturbEachOther) {
  const StationId first = join();
  const StationId second = join();
  const StationId listener = join();
  air_.connect(first, listener, link_of_snr(0));
  air_.connect(second, listener, link_of_snr(0));
  air_.connect(first, second, link_of_snr(0));
  air_.radiate(first, kFrame);
  run_for(airtime());
  air_.radiate(second, kFrame);
  run_for(seconds(1));
  EXPECT_EQ(count(listener, Fate::heard), 2u);
  EXPECT_EQ(count(second, Fate::heard), 1u);
  EXPECT_EQ(count(first, Fate::heard), 1u);
}

TEST_F(AirTest, WhoSendsHearsNothingThatOverlapsHoweverLittle) {
  const StationId one = join();
  const StationId other = join();
  air_.connect(one, other, link_of_snr(10));
  air_.radiate(one, kFrame);
  run_for(airtime() - microseconds(1));
  air_.radiate(other, kFrame);
  run_for(seconds(1));
  EXPECT_EQ(count(one, Fate::half_duplex), 1u);
  EXPECT_EQ(count(other, Fate::half_duplex), 1u);
}

TEST_F(AirTest, OtherSpreadingFactorsNeitherArriveNorDisturb) {
  radio::Modulation slower;
  slower.spreading = 9;
  const StationId wanted = join();
  const StationId foreign = join(slower);
  const StationId listener = join();
  air_.connect(wanted, listener, link_of_snr(0));
  air_.connect(foreign, listener, link_of_snr(20));
  air_.radiate(wanted, kFrame);
  air_.radiate(foreign, kFrame);
  run_for(seconds(2));
  EXPECT_EQ(count(listener, Fate::heard), 1u);
  EXPECT_EQ(count(listener, Fate::out_of_range), 1u);
}

TEST_F(AirTest, OccupiedIsAReceivableSignalThroughoutAndNeverOnesOwn) {
  const StationId sender = join();
  const StationId near = join();
  const StationId far = join();
  air_.connect(sender, near, link_of_snr(-10));
  air_.connect(sender, far, link_of_snr(-10.25));
  const Time began = executor_.now();
  air_.radiate(sender, kFrame);
  run_for(milliseconds(20));
  const Time now = executor_.now();
  EXPECT_TRUE(air_.is_occupied(near, began, now));
  EXPECT_FALSE(air_.is_occupied(near, began - microseconds(1), now));
  EXPECT_FALSE(air_.is_occupied(far, began, now));
  EXPECT_FALSE(air_.is_occupied(sender, began, now));
  run_for(seconds(1));
  EXPECT_FALSE(air_.is_occupied(near, began, executor_.now()));
}

TEST_F(AirTest, ALinkCutWhileAFrameIsUnderWayCountsFromTheNextFrame) {
  const StationId from = join();
  const StationId to = join();
  air_.connect(from, to, link_of_snr(0));
  air_.radiate(from, kFrame);
  air_.set_link(from, to, std::nullopt);
  run_for(seconds(1));
  EXPECT_EQ(count(to, Fate::heard), 1u);
  air_.radiate(from, kFrame);
  run_for(seconds(1));
  EXPECT_EQ(count(to, Fate::out_of_range), 1u);
}

TEST_F(AirTest, WhoComesWhileAFrameIsUnderWayMissesIt) {
  const StationId from = join();
  air_.radiate(from, kFrame);
  const StationId late = join();
  air_.connect(from, late, link_of_snr(0));
  run_for(seconds(1));
  EXPECT_EQ(count(late, Fate::out_of_range), 1u);
}

TEST_F(AirTest, KeyingTwiceAtOnceAndAStationTooManyArePanics) {
  const StationId from = join();
  air_.radiate(from, kFrame);
  EXPECT_DEATH(air_.radiate(from, kFrame), "newer.armed");
  while (air_.station_count() < 8) join();
  EXPECT_DEATH(join(), "joined_ < places_.size");
}

class LoRaSimAir : public AirTest {
 protected:
  LoRaSimAir() : AirTest({.expendable_symbols = 27}) {}  // 32 less the last five
};

TEST_F(LoRaSimAir, TheBeginningOfAPreambleMayBeHit) {
  const StationId first = join();
  const StationId second = join();
  const StationId listener = join();
  air_.connect(first, listener, link_of_snr(0));
  air_.connect(second, listener, link_of_snr(0));
  const Duration symbol = radio::Modulation{}.symbol();
  air_.radiate(first, kFrame);
  run_for(airtime() - 27 * symbol);
  air_.radiate(second, kFrame);
  run_for(seconds(1));
  EXPECT_EQ(count(listener, Fate::heard), 2u);
  air_.radiate(first, kFrame);
  run_for(airtime() - 27 * symbol - microseconds(1));
  air_.radiate(second, kFrame);
  run_for(seconds(1));
  EXPECT_EQ(count(listener, Fate::collided), 2u);
}

class SoftAir : public AirTest {
 protected:
  SoftAir() : AirTest({.threshold = Threshold::soft}) {}
};

TEST_F(SoftAir, LosesHalfOfTheFramesBelowTheLimitAndFewAtIt) {
  const StationId from = join();
  const StationId half = join();
  const StationId limit = join();
  air_.connect(from, half, link_of_snr(-11.5));
  air_.connect(from, limit, link_of_snr(-10));
  for (int i = 0; i < 2000; ++i) {
    air_.radiate(from, kFrame);
    run_for(seconds(1));
  }
  // Four standard deviations: 4 * sqrt(2000 * 0.25) = 89; at the limit 8.3 % are lost.
  EXPECT_NEAR(static_cast<double>(count(half, Fate::heard)), 1000, 89);
  EXPECT_NEAR(static_cast<double>(count(limit, Fate::weak)), 166, 50);
}

// The same rules, applied afterwards to the whole log, pair by pair.
TEST_F(AirTest, GivesEveryFrameTheFateThatBruteForceFinds) {
  SeededRandom random(20);
  std::vector<StationId> stations;
  for (int i = 0; i < 8; ++i) stations.push_back(join());
  std::optional<Link> links[8][8];
  for (std::size_t a = 0; a < 8; ++a) {
    for (std::size_t b = 0; b < 8; ++b) {
      if (a == b || random.up_to(4) == 0) continue;
      links[a][b] = link_of_snr(random.up_to(30) - 14.0);
      air_.set_link(stations[a], stations[b], links[a][b]);
    }
  }
  for (int i = 0; i < 3000; ++i) {
    const std::size_t from = random.up_to(7);
    const std::vector<std::uint8_t> frame(1 + random.up_to(40), 1);
    if (!air_.is_radiating(stations[from])) air_.radiate(stations[from], frame);
    run_for(milliseconds(random.up_to(400)));
  }
  run_for(seconds(5));

  std::array<Fates, 8> sums;
  const std::vector<AirLog::Entry>& log = log_.entries();
  for (std::size_t i = 0; i < log.size(); ++i) {
    const auto from = static_cast<std::size_t>(log[i].station);
    ASSERT_EQ(log[i].fates.size(), 7u);
    for (const auto& [station, told] : log[i].fates) {
      const auto at = static_cast<std::size_t>(station);
      Fate fate = Fate::heard;
      if (!links[from][at]) {
        fate = Fate::out_of_range;
      } else if (links[from][at]->snr.quarters < -40) {
        fate = Fate::weak;
      } else {
        for (std::size_t j = i < 40 ? 0 : i - 40; j < std::min(log.size(), i + 40); ++j) {
          if (j == i || log[j].to <= log[i].from || log[i].to <= log[j].from) continue;
          const auto other = static_cast<std::size_t>(log[j].station);
          if (other == at) {
            fate = Fate::half_duplex;
            break;
          }
          if (!links[other][at]) continue;
          if (links[from][at]->snr.quarters - links[other][at]->snr.quarters < 24) {
            fate = Fate::collided;
          }
        }
      }
      EXPECT_EQ(to_string(told), to_string(fate)) << "frame " << i << " at " << at;
      ++sums[at][fate];
    }
  }
  for (std::size_t at = 0; at < 8; ++at) {
    EXPECT_EQ(air_.fates(stations[at]).counts, sums[at].counts);
    EXPECT_EQ(ear(stations[at]).heard.size(), sums[at][Fate::heard]);
  }
  EXPECT_GT(sums[0][Fate::collided], 50u);
  EXPECT_GT(sums[0][Fate::half_duplex], 50u);
  EXPECT_GT(sums[0][Fate::heard], 50u);
}

}  // namespace
}  // namespace chappe::sim
