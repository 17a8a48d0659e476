#include "chappe/mesh/region_text.h"

#include <gtest/gtest.h>

#include <string>

namespace chappe::mesh {
namespace {

RegionTable some() {
  RegionTable table;
  const auto europe = table.put("europe", 0);
  (*europe)->floods = Floods::allowed;
  const std::uint16_t id = (*europe)->id;
  EXPECT_TRUE(table.put("#lyon", id));
  EXPECT_TRUE(table.put("gone", 0));
  table.remove(table.find("gone")->id);
  table.set_home(table.find("lyon")->id);
  table.set_default_scope(id);
  table.wildcard().floods = Floods::denied;
  return table;
}

std::string lines_of(const RegionTable& table) {
  RegionText text;
  append_lines(text, table);
  return std::string(text.view());
}

TEST(RegionText, BringsBackEverythingThatATableHolds) {
  const RegionTable table = some();
  const auto back = parse_lines(lines_of(table));
  ASSERT_TRUE(back);
  EXPECT_EQ(lines_of(*back), lines_of(table));
  EXPECT_EQ(back->wildcard().floods, Floods::denied);
  EXPECT_EQ(back->find("lyon")->parent, back->find("europe")->id);
  EXPECT_EQ(back->find("lyon")->floods, Floods::denied);
  EXPECT_EQ(back->find("europe")->floods, Floods::allowed);
  EXPECT_EQ(back->home(), back->find("lyon")->id);
  EXPECT_EQ(back->default_scope(), back->find("europe")->id);
  // An id that a removed region had is never given again.
  EXPECT_EQ(back->next_id(), table.next_id());
  EXPECT_EQ(back->find("europe")->key, region_key("europe"));
}

TEST(RegionText, HoldsAFullTableOfTheLongestNames) {
  RegionTable table;
  for (std::size_t i = 0; i < kRegionsMax; ++i) {
    std::string name(kRegionNameMax, 'a');
    name[0] = static_cast<char>('A' + i);
    ASSERT_TRUE(table.restore(name, static_cast<std::uint16_t>(65000 + i), 64999));
  }
  const auto back = parse_lines(lines_of(table));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->named().size(), kRegionsMax);
}

TEST(RegionText, NamesTheFirstLineThatIsNone) {
  const auto error_in = [](std::string_view text) { return parse_lines(text).error(); };
  EXPECT_EQ(error_in("wildcard F\nregion 1 0 F\n"), 2) << "no name";
  EXPECT_EQ(error_in("region 1 0 X europe\n"), 1);
  EXPECT_EQ(error_in("region 0 0 F europe\n"), 1) << "0 is the wildcard's";
  EXPECT_EQ(error_in("region 1 0 F a\n\nregion 1 0 F b\n"), 3) << "an id twice";
  EXPECT_EQ(error_in("home 65536\n"), 1);
  EXPECT_EQ(error_in("home\n"), 1);
  EXPECT_EQ(error_in("wildcard F F\n"), 1);
  EXPECT_EQ(error_in("nonsense 1\n"), 1);
  EXPECT_TRUE(parse_lines("# a remark\n\nwildcard F"));
}

TEST(RegionText, LetsGoOfWhatItNamesButDoesNotHold) {
  const auto table = parse_lines("region 7 3 F lyon\nhome 9\ndefault 9\nnext 1\n");
  ASSERT_TRUE(table);
  EXPECT_EQ(table->home(), kNoRegion);
  EXPECT_EQ(table->default_scope(), 0);
  EXPECT_EQ(table->next_id(), 8);
}

}  // namespace
}  // namespace chappe::mesh
