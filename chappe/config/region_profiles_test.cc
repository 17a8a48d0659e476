#include "chappe/config/region_profiles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace chappe::config {
namespace {

using testing::HasSubstr;

// What is wrong with it, or "nothing".
std::string judged(const std::string& text) {
  const auto read = read_regions(text);
  return read ? "nothing" : std::to_string(read.error().place.line) + ": " + read.error().what;
}

std::string region_with(const std::string& band) {
  return "[[region]]\nid = \"aa\"\ntitle = \"A\"\n[[region.band]]\n" + band;
}
const std::string kBand = "id = \"B-1\"\nlow = \"1 MHz\"\nhigh = \"2 MHz\"\nerp_dbm = 14\n";

TEST(RegionProfiles, WhatIsBuiltInHasNoMistake) {
  EXPECT_EQ(judged(std::string(kRegionsText)), "nothing");
}

TEST(RegionProfiles, KeepTheOrderOfTheFileForItDecidesWhereBandsOverlap) {
  const auto read =
      read_regions(region_with(kBand) +
                   "[[region.band]]\nid = \"A-1\"\nlow = \"1 MHz\"\nhigh = \"2 MHz\"\n"
                   "eirp_dbm = -1.5\nlisten = {span = \"1ms\", below_dbm = -80}\n"
                   "[[region]]\nid = \"a\"\ntitle = \"B\"\n[[region.band]]\n" +
                   kBand);
  ASSERT_TRUE(read) << read.error().what;
  ASSERT_EQ(read->regions.size(), 2u);
  EXPECT_EQ(read->regions[0].id, "aa");
  EXPECT_EQ(read->regions[1].id, "a");
  ASSERT_EQ(read->regions[0].bands.size(), 2u);
  EXPECT_EQ(read->regions[0].bands[0].id, "B-1");
  EXPECT_EQ(read->regions[0].bands[1].power_max_cdbm, -150);
  EXPECT_EQ(read->regions[0].bands[1].listen_threshold_cdbm, -8000);
}

TEST(RegionProfiles, EveryMistakeIsNamedWithItsLine) {
  const auto expect = [](const std::string& text, const std::string& words) {
    EXPECT_THAT(judged(text), HasSubstr(words)) << text;
  };
  expect("", "no region");
  expect("[[region", "1: ");
  expect("regions = 1", "1: unknown key \"regions\"");
  expect("region = 1", "no array");
  expect("[[region]]\ntitle = \"A\"\n[[region.band]]\n" + kBand, "no id");
  expect("[[region]]\nid = \"aa\"\n[[region.band]]\n" + kBand, "no title");
  expect("[[region]]\nid = \"aa\"\ntitle = \"A\"", "no band");
  expect("[[region]]\nid = \"a/a\"", "2: an id is");
  expect(region_with(kBand) + region_with(kBand), "two regions");
  expect(region_with(kBand + "[[region.band]]\n" + kBand), "two bands");
  expect(region_with(kBand + "pause = \"1s\""), "9: unknown key \"pause\"");
  expect(region_with(kBand + "eirp_dbm = 14"), "one of erp_dbm");
  expect(region_with("id = \"B\"\nlow = \"1 MHz\"\nhigh = \"2 MHz\""), "one of erp_dbm");
  expect(region_with("id = \"B\"\nlow = \"2 MHz\"\nhigh = \"2 MHz\"\nerp_dbm = 1"), "ends before");
  expect(region_with("low = \"1 MHz\"\nhigh = \"2 MHz\"\nerp_dbm = 1"), "no id");
  expect(region_with(kBand + "pause_min = \"5\""), "9: ");
  expect(region_with(kBand + "pause_min = 5"), "no text");
  expect(region_with(kBand + "pause_min = \"0s\""), "limits nothing");
  expect(region_with(kBand + "airtime = {limit = \"2s\", window = \"1s\"}"), "no longer than");
  expect(region_with(kBand + "airtime = {limit = \"2s\"}"), "no longer than");
  expect(region_with(kBand + "airtime = {window = \"1s\"}"), "no longer than");
  expect(region_with(kBand + "dwell = \"1s\""), "no table");
  expect(region_with(kBand + "listen = {span = \"5ms\"}"), "below_dbm");
  expect(region_with(kBand + "listen = {below_dbm = -80}"), "a span");
  expect(region_with(kBand + "listen = {span = \"5ms\", below_dbm = -8000}"), "from -150");
}

}  // namespace
}  // namespace chappe::config
