#include "chappe/config/regions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

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

// Worked out from the regulations, apart from the file that is built in.
TEST(Regions, EveryRowOfEveryRegionIsWhatItsLawSays) {
  struct Row {
    std::string_view region;
    std::string_view band;
    std::uint32_t low_khz;
    std::uint32_t high_khz;
    PowerBasis basis;
    std::int32_t power_cdbm;
    std::int64_t budget_ms = 0;  // of an hour
    std::int64_t transmission_max_ms = 0;
    std::int64_t pause_min_ms = 0;
    std::int64_t listen_min_us = 0;
    std::int32_t listen_threshold_cdbm = 0;
    Rule dwell{};
  };
  constexpr PowerBasis kErp = PowerBasis::erp;
  constexpr PowerBasis kEirp = PowerBasis::eirp;
  constexpr PowerBasis kConducted = PowerBasis::conducted;
  const Rule dwell{seconds(20), milliseconds(400)};
  const std::vector<Row> rows{
      {"eu868", "K", 863'000, 865'000, kErp, 1400, 3'600},
      {"eu868", "L", 865'000, 868'000, kErp, 1400, 36'000},
      {"eu868", "M", 868'000, 868'600, kErp, 1400, 36'000},
      {"eu868", "N", 868'700, 869'200, kErp, 1400, 3'600},
      {"eu868", "P", 869'400, 869'650, kErp, 2700, 360'000},
      {"eu868", "R", 869'700, 870'000, kErp, 1400, 36'000},
      {"eu433", "433", 433'050, 434'790, kErp, 1000, 360'000},
      {"us915", "US", 902'000, 928'000, kConducted, 3000, 0, 0, 0, 0, 0, dwell},
      {"anz915", "ANZ", 915'000, 928'000, kEirp, 3000},
      {"jp920", "JP-A", 920'500, 923'500, kEirp, 1300, 0, 4'000, 50, 5'000, -8000},
      {"jp920", "JP-B", 922'300, 928'100, kEirp, 1300, 360'000, 400, 2, 128, -8000},
      {"kr920", "KR-lo", 920'800, 922'000, kEirp, 1000, 0, 4'000, 0, 5'000, -6500},
      {"kr920", "KR-hi", 922'000, 923'400, kEirp, 1400, 0, 4'000, 0, 5'000, -6500},
      {"in865", "IN", 865'000, 867'000, kEirp, 3000},
      {"cn470", "CN", 470'000, 510'000, kEirp, 1915, 0, 1'000},
  };
  std::size_t bands = 0;
  for (const Region& region : regions()) bands += region.bands.size();
  EXPECT_EQ(bands, rows.size());
  for (const Row& row : rows) {
    const std::string name = std::string(row.region) + " " + std::string(row.band);
    const Region* region = find_region(row.region);
    ASSERT_NE(region, nullptr) << name;
    const auto found = std::ranges::find(region->bands, row.band, &Band::id);
    ASSERT_NE(found, region->bands.end()) << name;
    EXPECT_EQ(found->low.count, row.low_khz * 1000) << name;
    EXPECT_EQ(found->high.count, row.high_khz * 1000) << name;
    EXPECT_EQ(found->power_basis, row.basis) << name;
    EXPECT_EQ(found->power_max_cdbm, row.power_cdbm) << name;
    const Rule duty = row.budget_ms == 0 ? Rule{} : Rule{hours(1), milliseconds(row.budget_ms)};
    EXPECT_EQ(found->duty, duty) << name;
    EXPECT_EQ(found->dwell, row.dwell) << name;
    EXPECT_EQ(found->transmission_max, Duration(milliseconds(row.transmission_max_ms))) << name;
    EXPECT_EQ(found->pause_min, Duration(milliseconds(row.pause_min_ms))) << name;
    EXPECT_EQ(found->listen_min, microseconds(row.listen_min_us)) << name;
    EXPECT_EQ(found->listen_threshold_cdbm, row.listen_threshold_cdbm) << name;
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
