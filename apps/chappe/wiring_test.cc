#include "apps/chappe/wiring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <variant>

#include "chappe/config/load.h"
#include "chappe/config/quantity.h"
#include "chappe/config/schema.h"
#include "chappe/port/linux/serial_line.h"

namespace chappe::app {
namespace {

TEST(Wiring, TheRadioKnowsEveryBandwidthThatAConfigurationMayName) {
  std::size_t bandwidths = 0;
  for (const config::Setting& setting : config::schema()) {
    if (setting.key != "bandwidth") continue;
    for (const Hertz bandwidth : std::get<config::FrequencyShape>(setting.shape).allowed) {
      const auto loaded = config::parse("[radio]\nbandwidth = \"" + config::print(bandwidth) +
                                        "\"\nfrequency = \"866 MHz\"\ntx_power_dbm = 14\n");
      ASSERT_TRUE(loaded) << config::print(bandwidth);
      modulation_of(*loaded);  // panics on one that it does not know
      ++bandwidths;
    }
  }
  EXPECT_EQ(bandwidths, 10u);
}

TEST(Wiring, ASerialLineHasEverySpeedThatAConfigurationMayName) {
  for (const config::Setting& setting : config::schema()) {
    if (setting.section != "modem" || setting.key != "speed") continue;
    const auto named = std::get<config::IntegerShape>(setting.shape).allowed;
    EXPECT_TRUE(std::ranges::equal(named, port::serial_speeds()));
    return;
  }
  FAIL() << "no such setting";
}

TEST(Wiring, ThePreambleFollowsTheSpreadingFactorUnlessItIsGiven) {
  config::Configuration configuration;
  EXPECT_EQ(modulation_of(configuration).preamble, 32);
  configuration.radio.spreading_factor = 9;
  EXPECT_EQ(modulation_of(configuration).preamble, 16);
  configuration.radio.preamble = 12;
  EXPECT_EQ(modulation_of(configuration).preamble, 12);
}

TEST(Wiring, WhereTheLawAsksForSilenceItIsMeasuredAndNothingIsForced) {
  config::Configuration configuration;
  configuration.region = "jp920";
  configuration.radio.frequency = Hertz{921'000'000};
  configuration.listen.when_busy = config::WhenBusy::transmit;
  configuration.listen.noise_margin_db = 6;  // the law's level holds all the same
  const tx::Policy policy = settings_of(configuration).policy;
  EXPECT_EQ(policy.sense.against, tx::CarrierSense::Against::level);
  EXPECT_EQ(policy.sense.level, Dbm{-80 * 4});
  EXPECT_EQ(policy.sense.span, Duration(milliseconds(5)));
  EXPECT_EQ(policy.busy_channel, tx::BusyChannel::drop);
  EXPECT_EQ(policy.busy_step, Duration(seconds(2)));
  EXPECT_EQ(single_limits_of(configuration).pause, Duration(milliseconds(50)));
  EXPECT_EQ(single_limits_of(configuration).longest, Duration(seconds(4)));

  configuration.region = "kr920";
  EXPECT_EQ(settings_of(configuration).policy.sense.level, Dbm{-65 * 4});
}

TEST(Wiring, OnlyARadioThatOthersHearHasRamps) {
  config::Configuration configuration;
  EXPECT_EQ(settings_of(configuration).policy.ramps, Duration::zero());
  configuration.radio.kind.kind = config::RadioSource::Kind::kiss;
  EXPECT_EQ(settings_of(configuration).policy.ramps, microseconds(400));
  configuration.radio.kind.kind = config::RadioSource::Kind::sx126x;
  EXPECT_EQ(settings_of(configuration).policy.ramps, microseconds(400));
}

TEST(Wiring, ElsewhereTheNoiseFloorCountsIfAsked) {
  config::Configuration configuration;
  EXPECT_EQ(settings_of(configuration).policy.sense.against, tx::CarrierSense::Against::nothing);
  configuration.listen.noise_margin_db = 6;
  EXPECT_EQ(settings_of(configuration).policy.sense.against,
            tx::CarrierSense::Against::noise_floor);
  EXPECT_EQ(settings_of(configuration).policy.sense.margin, Decibels{24});
}

}  // namespace
}  // namespace chappe::app
