#include "chappe/config/regions.h"

#include <gtest/gtest.h>

#include <string>

#include "chappe/config/load.h"

namespace chappe::config {
namespace {

const Band* band(std::string_view region, std::uint32_t khz, std::uint32_t bandwidth_hz = 62'500) {
  const Region* found = find_region(region);
  return found == nullptr ? nullptr : find_band(*found, Hertz{khz * 1000}, Hertz{bandwidth_hz});
}

TEST(Regions, KnowsTheEightAndNoOther) {
  EXPECT_EQ(regions().size(), 8u);
  for (const char* id : {"eu868", "eu433", "us915", "anz915", "jp920", "kr920", "in865", "cn470"}) {
    EXPECT_NE(find_region(id), nullptr) << id;
  }
  EXPECT_EQ(find_region(""), nullptr);
  EXPECT_EQ(find_region("EU868"), nullptr);
}

TEST(Regions, HasTheEuropeanBudgetsAndPowers) {
  struct Expected {
    std::uint32_t khz;
    std::string_view id;
    std::int64_t budget_ms;
    std::int32_t power_cdbm;
  };
  for (const Expected& expected : {Expected{864'000, "K", 3'600, 1400},
                                   Expected{866'000, "L", 36'000, 1400},
                                   Expected{868'300, "M", 36'000, 1400},
                                   Expected{869'000, "N", 3'600, 1400},
                                   Expected{869'618, "P", 360'000, 2700},
                                   Expected{869'850, "R", 36'000, 1400}}) {
    const Band* found = band("eu868", expected.khz);
    ASSERT_NE(found, nullptr) << expected.id;
    EXPECT_EQ(found->id, expected.id);
    EXPECT_EQ(found->power_basis, PowerBasis::erp);
    EXPECT_EQ(found->power_max_cdbm, expected.power_cdbm) << expected.id;
    EXPECT_EQ(found->duty.window, hours(1)) << expected.id;
    EXPECT_EQ(in_ms(found->duty.limit), expected.budget_ms) << expected.id;
  }
}

TEST(Regions, ContainsTheOccupiedBandwidthNotOnlyTheCentre) {
  EXPECT_NE(band("eu868", 869'525, 250'000), nullptr);
  EXPECT_EQ(band("eu868", 869'526, 250'000), nullptr);
  EXPECT_EQ(band("eu868", 869'524, 250'000), nullptr);
  EXPECT_EQ(band("eu868", 869'525, 500'000), nullptr);
  // An odd bandwidth, half of which is no whole number of hertz.
  const Region* eu868 = find_region("eu868");
  EXPECT_NE(find_band(*eu868, Hertz{869'400'001}, Hertz{1}), nullptr);
  EXPECT_NE(find_band(*eu868, Hertz{869'400'000}, Hertz{0}), nullptr);
  EXPECT_EQ(find_band(*eu868, Hertz{869'400'000}, Hertz{1}), nullptr);
  EXPECT_EQ(find_band(*eu868, Hertz{869'650'000}, Hertz{1}), nullptr);
  EXPECT_EQ(find_band(*eu868, Hertz{0}, Hertz{500'000}), nullptr);
  EXPECT_EQ(find_band(*eu868, Hertz{4'294'967'295}, Hertz{500'000}), nullptr);
}

TEST(Regions, LeavesTheGapsBetweenTheEuropeanBandsAlone) {
  for (const std::uint32_t khz : {868'650u, 869'300u, 869'675u}) {
    EXPECT_EQ(band("eu868", khz, 1), nullptr) << khz;
  }
}

TEST(Regions, HasTheLimitsOfOtherRegions) {
  const Band* us = band("us915", 910'525);
  ASSERT_NE(us, nullptr);
  EXPECT_EQ(us->power_basis, PowerBasis::conducted);
  EXPECT_EQ(us->duty, Rule{});
  EXPECT_EQ(us->dwell, (Rule{seconds(20), milliseconds(400)}));

  const Band* japan = band("jp920", 920'800, 125'000);
  ASSERT_NE(japan, nullptr);
  EXPECT_EQ(japan->id, "JP-A");
  EXPECT_EQ(japan->transmission_max, Duration(seconds(4)));
  EXPECT_EQ(japan->pause_min, Duration(milliseconds(50)));
  EXPECT_EQ(japan->listen_min, Duration(milliseconds(5)));
  EXPECT_EQ(japan->listen_threshold_cdbm, -8000);
  EXPECT_EQ(band("jp920", 925'000)->id, "JP-B");
  EXPECT_EQ(band("jp920", 925'000)->duty.limit, Duration(seconds(360)));

  EXPECT_EQ(band("kr920", 921'000)->power_max_cdbm, 1000);
  EXPECT_EQ(band("kr920", 923'000)->power_max_cdbm, 1400);
  EXPECT_EQ(band("cn470", 480'000)->transmission_max, Duration(seconds(1)));
  EXPECT_EQ(band("in865", 866'000)->power_max_cdbm, 3000);
  EXPECT_EQ(band("anz915", 917'375)->power_basis, PowerBasis::eirp);
  EXPECT_EQ(band("eu433", 433'650)->power_max_cdbm, 1000);
}

TEST(Limits, AreTheBandsAndTheOperatorsOwnOnTop) {
  Configuration configuration;
  EXPECT_EQ(limits_of(configuration).rules, (std::vector<Rule>{{hours(1), seconds(360)}}));

  configuration.law.rules = {{seconds(60), seconds(6)}};
  EXPECT_EQ(limits_of(configuration).rules,
            (std::vector<Rule>{{hours(1), seconds(360)}, {seconds(60), seconds(6)}}));

  configuration.law.rules.clear();
  configuration.region = "us915";
  configuration.radio.frequency = Hertz{910'525'000};
  EXPECT_TRUE(limits_of(configuration).rules.empty());
  configuration.law.dwell = true;
  EXPECT_EQ(limits_of(configuration).rules, (std::vector<Rule>{{seconds(20), milliseconds(400)}}));
}

TEST(Power, IsMeasuredWhereTheLawMeasuresIt) {
  Radio radio;
  radio.tx_power_dbm = 20;
  radio.pa_gain_db = 3;
  radio.feeder_loss_db = 1.5;
  radio.antenna_gain_dbi = 5;
  EXPECT_EQ(power_cdbm(radio, PowerBasis::conducted), 2300);
  EXPECT_EQ(power_cdbm(radio, PowerBasis::eirp), 2650);
  EXPECT_EQ(power_cdbm(radio, PowerBasis::erp), 2435);
}

TEST(Regions, WhereTwoBandsHoldTheChannelTheConfiguredOneCounts) {
  const Region& japan = *find_region("jp920");
  const Hertz shared{923'000'000};
  EXPECT_EQ(find_band(japan, shared, Hertz{125'000})->id, "JP-A");
  EXPECT_EQ(find_band(japan, shared, Hertz{125'000}, "JP-B")->id, "JP-B");
  EXPECT_EQ(find_band(japan, Hertz{921'000'000}, Hertz{125'000}, "JP-B"), nullptr);

  Configuration configuration;
  configuration.region = "jp920";
  configuration.radio.frequency = Hertz{921'000'000};
  configuration.radio.tx_power_dbm = 13;
  configuration.band = "JP-B";
  const auto wrong = contradictions(configuration);
  ASSERT_EQ(wrong.size(), 1u);
  EXPECT_NE(wrong[0].find("JP-B"), std::string::npos) << wrong[0];
  configuration.radio.frequency = shared;
  EXPECT_TRUE(contradictions(configuration).empty());
  EXPECT_EQ(limits_of(configuration).transmission_max, Duration(milliseconds(400)));
}

}  // namespace
}  // namespace chappe::config
