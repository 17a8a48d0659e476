#include "chappe/config/nearest.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace chappe::config {
namespace {

TEST(Nearest, CountsSlips) {
  EXPECT_EQ(edit_distance("same", "same"), 0u);
  EXPECT_EQ(edit_distance("SAME", "same"), 0u);
  EXPECT_EQ(edit_distance("sme", "same"), 1u);
  EXPECT_EQ(edit_distance("saame", "same"), 1u);
  EXPECT_EQ(edit_distance("sane", "same"), 1u);
  EXPECT_EQ(edit_distance("smae", "same"), 1u);
  EXPECT_EQ(edit_distance("", "same"), 4u);
  EXPECT_EQ(edit_distance("same", ""), 4u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

TEST(Nearest, SuggestsTheClosestWordAndNoFarOne) {
  constexpr std::array<std::string_view, 4> kWords{"flood_max", "flood_max_advert", "loop", "cad"};
  EXPECT_EQ(nearest("flod_max", kWords), "flood_max");
  EXPECT_EQ(nearest("flood_max_advrt", kWords), "flood_max_advert");
  EXPECT_EQ(nearest("lopo", kWords), "loop");
  EXPECT_EQ(nearest("cab", kWords), "cad");
  EXPECT_EQ(nearest("c", kWords), std::nullopt);
  EXPECT_EQ(nearest("", kWords), std::nullopt);
  EXPECT_EQ(nearest("zebra", kWords), std::nullopt);
  EXPECT_EQ(nearest(std::string(100'000, 'f'), kWords), std::nullopt);
}

}  // namespace
}  // namespace chappe::config
