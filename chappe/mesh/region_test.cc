#include "chappe/mesh/region.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace chappe::mesh {
namespace {

const std::vector<std::uint8_t> kPayload = {1, 2, 3, 4, 5};

Packet scoped(const RegionKey& key) {
  Packet packet;
  packet.route = Route::transport_flood;
  packet.type = PayloadType::group_text;
  packet.payload = kPayload;
  packet.codes.scope = transport_code(key, packet.type, packet.payload);
  return packet;
}

Region& allowed(RegionTable& table, std::string_view name, std::uint16_t parent = 0) {
  Region& region = **table.put(name, parent);
  region.floods = Floods::allowed;
  return region;
}

TEST(Regions, ANameIsKnownWithAndWithoutItsHash) {
  RegionTable table;
  allowed(table, "#fr");
  EXPECT_NE(table.find("fr"), nullptr);
  EXPECT_NE(table.find("#fr"), nullptr);
  EXPECT_EQ(table.find("f"), nullptr);
  EXPECT_EQ(region_key("fr"), region_key("#fr"));
}

TEST(Regions, AScopedFloodMatchesTheRegionOfItsCode) {
  RegionTable table;
  allowed(table, "fr");
  const Region& de = allowed(table, "de");
  EXPECT_EQ(table.match(scoped(region_key("de"))), &de);
  EXPECT_EQ(table.match(scoped(region_key("it"))), nullptr);
}

TEST(Regions, ADeniedRegionMatchesNothing) {
  RegionTable table;
  Region& de = allowed(table, "de");
  de.floods = Floods::denied;
  EXPECT_EQ(table.match(scoped(region_key("de"))), nullptr);
}

TEST(Regions, APrivateRegionMatchesNothing) {
  RegionTable table;
  allowed(table, "$mine");
  EXPECT_EQ(table.match(scoped(region_key("$mine"))), nullptr);
}

TEST(Regions, TheWildcardIsForUnscopedFloodsAlone) {
  RegionTable table;
  Packet flood;
  EXPECT_EQ(table.match(flood), &table.wildcard());
  EXPECT_EQ(table.match(scoped(region_key("*"))), nullptr);
  table.wildcard().floods = Floods::denied;
  EXPECT_EQ(table.match(flood), nullptr);
}

TEST(Regions, ADirectPacketHasNone) {
  RegionTable table;
  Packet direct;
  direct.route = Route::transport_direct;
  EXPECT_EQ(table.match(direct), nullptr);
}

TEST(Regions, TheTableHolds32AndTheWildcard) {
  RegionTable table;
  for (int i = 0; i < 32; ++i)
    EXPECT_TRUE(table.put(std::string("r").append(std::to_string(i)), 0).has_value());
  const auto one_more = table.put("last", 0);
  ASSERT_FALSE(one_more.has_value());
  EXPECT_EQ(one_more.error(), RegionError::table_full);
  EXPECT_TRUE(table.put("r3", 0).has_value());  // known ones may still be moved
}

TEST(Regions, NamesOfForbiddenLettersOrTooLongAreRefused) {
  RegionTable table;
  EXPECT_TRUE(table.put("Z\xc3\xbcrich-2_a", 0).has_value());
  EXPECT_TRUE(table.put(std::string(30, 'a'), 0).has_value());
  for (const std::string& bad : {std::string(),
                                 std::string("a b"),
                                 std::string("*"),
                                 std::string("a,b"),
                                 std::string(31, 'a')}) {
    const auto put = table.put(bad, 0);
    ASSERT_FALSE(put.has_value()) << bad;
    EXPECT_EQ(put.error(), RegionError::bad_name) << bad;
  }
}

TEST(Regions, NobodyIsItsOwnParent) {
  RegionTable table;
  const std::uint16_t id = allowed(table, "de").id;
  EXPECT_FALSE(table.put("de", id).has_value());
}

TEST(Regions, RemovingLetsHomeAndDefaultGo) {
  RegionTable table;
  const std::uint16_t de = allowed(table, "de").id;
  const std::uint16_t fr = allowed(table, "fr").id;
  table.set_home(de);
  table.set_default_scope(de);
  table.remove(de);
  EXPECT_EQ(table.find("de"), nullptr);
  EXPECT_EQ(table.home(), kNoRegion);
  EXPECT_EQ(table.default_scope(), 0);
  ASSERT_NE(table.find_id(fr), nullptr);
  EXPECT_EQ(table.find_id(fr)->name(), "fr");
}

// A region of the same id once had another name: the firmware's cached key goes stale there.
TEST(Regions, AReusedIdHasTheKeyOfItsNewName) {
  RegionTable table;
  const std::uint16_t id = allowed(table, "de").id;
  table.remove(id);
  Region& fr = **table.restore("fr", id, 0);
  fr.floods = Floods::allowed;
  EXPECT_EQ(table.match(scoped(region_key("fr"))), &fr);
  EXPECT_EQ(table.match(scoped(region_key("de"))), nullptr);
}

TEST(Regions, APrefixMeansTheExactNameFirstAndElseTheLast) {
  RegionTable table;
  allowed(table, "paris-nord");
  allowed(table, "paris-sud");
  EXPECT_EQ(table.find_prefix("par")->name(), "paris-sud");
  allowed(table, "par");
  allowed(table, "para");
  EXPECT_EQ(table.find_prefix("par")->name(), "par");
  EXPECT_EQ(table.find_prefix("x"), nullptr);
}

}  // namespace
}  // namespace chappe::mesh
