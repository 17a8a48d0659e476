// The air against closed formulas of the literature.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "chappe/base/random.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/radio/airtime.h"
#include "chappe/sim/air.h"

namespace chappe::sim {
namespace {

struct Ear final : Antenna {
  bool on_frame(const radio::Frame&) noexcept override { return true; }
  void on_radiated(Time, Duration) noexcept override {}
};

constexpr std::array<std::uint8_t, 30> kFrame{};

/// One listener and so many senders that one is always free, all equally strong.
class Crowd {
 public:
  explicit Crowd(std::size_t size) : air(executor, size + 1) {
    listener = air.join(ear_, {});
    for (std::size_t i = 0; i < size; ++i) senders.push_back(air.join(ear_, {}));
    for (const StationId sender : senders) air.connect(listener, sender, kLink);
  }
  void let_all_hear_each_other() {
    for (std::size_t i = 0; i < senders.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) air.connect(senders[i], senders[j], kLink);
    }
  }
  StationId free_sender() {
    for (;;) {
      next_ = (next_ + 1) % senders.size();
      if (!air.is_radiating(senders[next_])) return senders[next_];
    }
  }
  /// Until the next of events that come at random, this many in the time of one frame.
  void wait(double per_frame) {
    const double uniform = (random.next() + 1.0) / 4294967297.0;
    const double frames = -std::log(uniform) / per_frame;
    const auto airtime_us = static_cast<double>(in_us(airtime));
    run_for(Duration(std::llround(frames * airtime_us)));
  }
  void run_for(Duration span) { port_.run(executor, executor.now() + span); }
  /// Frames that came through, for each time that a frame takes.
  double throughput() const {
    return static_cast<double>(air.fates(listener)[Fate::heard]) *
           static_cast<double>(in_us(airtime)) / static_cast<double>(in_us(executor.now()));
  }

 private:
  static constexpr Link kLink = link_of_snr(5);
  port::VirtualPort port_;
  Ear ear_;
  std::size_t next_ = 0;

 public:
  async::Executor executor{port_};
  Air air;
  SeededRandom random{11};
  StationId listener{};
  std::vector<StationId> senders;
  const Duration airtime = radio::time_on_air(radio::Modulation{}, kFrame.size());
};

TEST(AirAcceptance, PureAlohaYieldsGTimesEToTheMinusTwoG) {
  for (const double load : {0.1, 0.25, 0.5, 1.0}) {
    Crowd crowd(40);
    for (int i = 0; i < 8'000; ++i) {
      crowd.wait(load);
      crowd.air.radiate(crowd.free_sender(), kFrame);
    }
    EXPECT_NEAR(crowd.throughput(), load * std::exp(-2 * load), 0.01) << "G = " << load;
  }
}

// A sender who finds the channel busy gives up; nobody is sensed in the first part of a frame.
TEST(AirAcceptance, CarrierSenseWithABlindWindowYieldsKleinrocksThroughput) {
  struct Case {
    double blind;
    double load;
    double throughput;
  };
  for (const Case each : {Case{0.01, 1, 0.4950}, {0.1, 1, 0.4513}, {0.1, 5, 0.4966}}) {
    Crowd crowd(40);
    crowd.let_all_hear_each_other();
    const auto blind =
        Duration(std::llround(each.blind * static_cast<double>(in_us(crowd.airtime))));
    for (int i = 0; i < 10'000; ++i) {
      crowd.wait(each.load);
      const StationId sender = crowd.free_sender();
      const Time now = crowd.executor.now();
      if (crowd.air.is_occupied(sender, now - blind, now)) continue;
      crowd.air.radiate(sender, kFrame);
    }
    EXPECT_NEAR(crowd.throughput(), each.throughput, 0.02)
        << "b = " << each.blind << ", G = " << each.load;
  }
}

// Repeaters that do not hear each other repeat one flood after the reference's random delay.
TEST(AirAcceptance, RepeatsOfHiddenRepeatersAreCleanAsOftenAsGeometrySays) {
  struct Case {
    std::size_t repeaters;
    double clean;
  };
  constexpr int kFloods = 6000;
  for (const Case each : {Case{2, 0.3600}, {3, 0.1467}, {5, 0.0313}}) {
    Crowd crowd(each.repeaters);
    const auto delay_max = static_cast<std::uint32_t>(in_us(crowd.airtime) * 10 / 4);
    for (int i = 0; i < kFloods; ++i) {
      std::vector<std::pair<std::uint32_t, StationId>> order;
      for (const StationId sender : crowd.senders) {
        order.emplace_back(crowd.random.up_to(delay_max), sender);
      }
      std::ranges::sort(order);
      const Time heard = crowd.executor.now();
      for (const auto& [delay_us, sender] : order) {
        crowd.run_for(heard + Duration(delay_us) - crowd.executor.now());
        crowd.air.radiate(sender, kFrame);
      }
      crowd.run_for(seconds(5));
    }
    const Fates& fates = crowd.air.fates(crowd.listener);
    const double clean =
        static_cast<double>(fates[Fate::heard]) / static_cast<double>(fates.total());
    EXPECT_NEAR(clean, each.clean, 0.012) << each.repeaters << " repeaters";
  }
}

}  // namespace
}  // namespace chappe::sim
