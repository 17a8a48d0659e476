#include "chappe/node/console.h"

#include <gtest/gtest.h>

#include "chappe/mesh/advert.h"
#include "tests/node/test_node.h"

// What is ours and not the reference's, and what no recording shows. Its replies as recorded are in
// chappe/node/recorded_sessions_test.cc.
namespace chappe::node {
namespace {

// --- The reference's faults are not copied (protocol 19) -----------------------------------------

TEST(Console, AValueOutOfRangeIsRefusedAndChangesNothing) {
  TestNode node;
  struct Case {
    std::string_view name;
    std::string_view good;
    std::string_view shown;
    std::string_view bad;
  };
  constexpr Case kCases[] = {
      {"multi.acks", "1", "> 1", "7"},
      {"tx", "14", "> 14", "100"},
      {"lat", "48.5", "> 48.5", "90.1"},
      {"lon", "-180", "> -180.0", "181"},
      {"int.thresh", "14", "> 14", "300"},
      {"freq", "868.5", "> 868.5", "3000"},
      {"flood.max", "5", "> 5", "256"},
      {"agc.reset.interval", "8", "> 8", "1024"},
      {"advert.interval", "60", "> 60", "-4"},
      {"flood.advert.interval", "12", "> 12", "-4"},
      {"rxdelay", "2.5", "> 2.5", "20.1"},
      {"path.hash.mode", "2", "> 2", "3"},
  };
  for (const Case& one : kCases) {
    const std::string set = "set " + std::string(one.name) + " ";
    const std::string get = "get " + std::string(one.name);
    EXPECT_TRUE(node.type(set + std::string(one.good)).starts_with("OK")) << one.name;
    EXPECT_EQ(node.type(get), one.shown);
    for (const std::string_view bad : {one.bad, std::string_view("x"), std::string_view()}) {
      EXPECT_TRUE(node.type(set + std::string(bad)).starts_with("Err")) << one.name << ' ' << bad;
      EXPECT_EQ(node.type(get), one.shown) << "after " << bad;
    }
  }
}

TEST(Console, MoreAcknowledgementsThanHelpAreShownButNotSent) {
  Settings settings;
  settings.ranges = Ranges::as_recorded;
  TestNode node(settings);
  EXPECT_EQ(node.type("set multi.acks 7"), "OK");
  EXPECT_EQ(node.type("get multi.acks"), "> 7");
  EXPECT_EQ(node.repeater.rules().multi_acks, mesh::kMultiAcksMax);
}

TEST(Console, LoadingRegionsKeepsTheWildcardTheHomeAndTheScope) {
  TestNode node;
  node.type("region put eu");
  node.type("region put fr eu");
  node.type("region put us");
  node.type("region home eu");
  node.type("region default fr");
  node.type("region denyf *");
  for (const char* line : {"region load", " us F", "  new F", " eu", "  fr", "  other"}) {
    EXPECT_EQ(node.type(line), "");
  }
  EXPECT_EQ(node.type(""), "OK - loaded 5 regions");
  EXPECT_EQ(node.type("region"), "*\n us F\n  new F\n eu^ F\n  fr F\n  other\n");
  EXPECT_EQ(node.type("region default"), " default scope is fr");
}

TEST(Console, UntilALoadIsCompleteTheRegionsBeforeItCount) {
  TestNode node;
  node.type("region put eu");
  node.type("region load");
  node.type(" us F");
  EXPECT_NE(node.repeater.regions().find("eu"), nullptr);
  node.type(" ");
  EXPECT_EQ(node.repeater.regions().find("eu"), nullptr);
  EXPECT_NE(node.repeater.regions().find("us"), nullptr);
}

TEST(Console, AHomeThatIsLoadedAwayIsNoHome) {
  TestNode node;
  node.type("region put eu");
  node.type("region home eu");
  node.type("region default eu");
  node.type("region load");
  node.type(" us F");
  node.type("");
  EXPECT_EQ(node.type("region home"), " home is *");
  EXPECT_EQ(node.type("region default"), " default scope is <null>");
  // The next region gets an id that no old one had.
  node.type("region put eu");
  EXPECT_EQ(node.type("region home"), " home is *");
}

TEST(Console, APositionFarOffTheGlobeIsNoUndefinedNumber) {
  Settings settings;
  settings.ranges = Ranges::as_recorded;
  TestNode node(settings);
  EXPECT_EQ(node.type("set lat 1e300"), "OK");
  EXPECT_EQ(node.type("advert"), "OK - Advert sent");
  EXPECT_EQ(node.type("set af 1e300"), "Error: unsupported");
}

// --- Ours ----------------------------------------------------------------------------------------

TEST(Console, UnderTheExactLawTheShareOfAirtimeIsNobodysToSet) {
  TestNode node;
  EXPECT_EQ(node.type("set dutycycle 50"), "Error: unsupported");
  EXPECT_EQ(node.type("set af 1"), "Error: unsupported");
}

TEST(Console, ANodeThatSendsNothingIsNotTalkedIntoRepeating) {
  Settings settings;
  settings.mode = Mode::no_tx;
  TestNode node(settings);
  EXPECT_EQ(node.type("set repeat on"), "OK - repeat is now OFF");
  EXPECT_EQ(node.type("get repeat"), "> off");
}

TEST(Console, OnlyTheLocalConsoleSeesSecretsAndErases) {
  TestNode node;
  EXPECT_EQ(node.type("get prv.key", 5), "??: prv.key");
  EXPECT_EQ(node.type("get prv.key").size(), 2u + 128);
  for (const char* line : {"erase", "log", "stats-core", "stats-radio", "stats-packets"}) {
    EXPECT_EQ(node.type(line, 5), "Unknown command") << line;
    EXPECT_NE(node.type(line), "Unknown command") << line;
  }
  node.type("setperm " + std::string(64, '1') + " 3");
  EXPECT_EQ(node.type("get acl", 5), "??: acl");
  EXPECT_EQ(node.board.printed, "");
}

TEST(Console, TheMachineIsToldToStopAndTheConsoleSaysSo) {
  TestNode node;
  EXPECT_FALSE(node.console.halted());
  EXPECT_EQ(node.type("clkreboot"), "");
  EXPECT_EQ(node.board.halted, Halt::restart);
  EXPECT_TRUE(node.console.halted());
  EXPECT_EQ(node.repeater.unix_now(), 1'715'770'351u);
  EXPECT_EQ(node.type("shutdown"), "");
  EXPECT_EQ(node.board.halted, Halt::power_off);
}

TEST(Console, WhatCannotBeKeptIsNotCalledKept) {
  TestNode node;
  node.board.keeps = false;
  EXPECT_EQ(node.type("region save"), "Err - save failed");
  EXPECT_EQ(node.repeater.preferences().modified_at, 0u);
  Reply key;
  append_hex(key, mesh::identity_of({9}).prv);
  EXPECT_EQ(node.type("set prv.key " + std::string(key.view())), "Error, failed to save");
  node.board.keeps = true;
  EXPECT_EQ(node.type("region save"), "OK");
  EXPECT_EQ(node.repeater.preferences().modified_at, TestNode::kStart);
}

TEST(Console, TemporaryRadioParametersComeAfterTheReplyAndGoByThemselves) {
  TestNode node;
  const std::uint32_t estimate = node.repeater.rules().estimates_ms[50];
  EXPECT_EQ(node.type("tempradio 868.1,125,7,5,3"), "OK - temp params for 3 mins");
  node.run_for(milliseconds(1999));
  EXPECT_EQ(node.radio.modulation().spreading, 8);
  node.run_for(milliseconds(2));
  EXPECT_EQ(node.radio.modulation().spreading, 7);
  EXPECT_EQ(node.radio.modulation().frequency, Hertz{868'100'000});
  EXPECT_LT(node.repeater.rules().estimates_ms[50], estimate);
  EXPECT_EQ(node.repeater.rules().spreading, 7);
  // Others meanwhile: it still ends where it began.
  EXPECT_EQ(node.type("tempradio 868.1,250,10,5,1"), "OK - temp params for 1 mins");
  node.run_for(seconds(3));
  EXPECT_EQ(node.radio.modulation().spreading, 10);
  node.run_for(seconds(60));
  EXPECT_EQ(node.radio.modulation().spreading, 8);
  EXPECT_EQ(node.repeater.rules().estimates_ms[50], estimate);
}

TEST(Console, ARadioThatMayNotSendLikeThatIsNotSetToIt) {
  TestNode node;
  node.board.permits = false;
  EXPECT_EQ(node.type("tempradio 868.1,125,7,5,3"), "Error, invalid params");
  EXPECT_EQ(node.type("set radio 868.1,125,7,5"), "Error, invalid radio params");
  node.board.permits = true;
  EXPECT_EQ(node.type("set radio 868.1,100,7,5"), "Error, invalid radio params");
}

TEST(Console, PermissionsNeedAWholeKeyAndDeletingItsBeginning) {
  TestNode node;
  Reply hex;
  append_hex(hex, mesh::identity_of({7}).pub);
  const std::string key(hex.view());
  EXPECT_EQ(node.type("setperm " + key + " 2"), "OK");
  ASSERT_EQ(node.access.all().size(), 1u);
  EXPECT_EQ(node.access.all()[0].role(), Role::read_write);
  EXPECT_EQ(node.access.all()[0].secret,
            mesh::crypto::shared_secret(mesh::identity_of({7}).prv, node.identity.pub));
  EXPECT_EQ(node.type("setperm " + key.substr(0, 63) + " 2"), "Err - bad pubkey");
  EXPECT_EQ(node.type("setperm " + key.substr(0, 62) + "zz 2"), "Err - bad pubkey");
  EXPECT_EQ(node.type("setperm " + key.substr(0, 8) + " 2"), "Err - invalid params");
  EXPECT_EQ(node.type("setperm " + key.substr(0, 8) + " 0"), "OK");
  EXPECT_TRUE(node.access.all().empty());
}

TEST(Console, TheListOfNeighboursEndsBeforeItIsTooLong) {
  TestNode node;
  EXPECT_EQ(node.type("neighbors"), "-none-");
  for (std::uint8_t i = 0; i < 15; ++i) {
    mesh::PublicKey key{i, 0xab};
    node.repeater.neighbours().put(key, 0, Decibels{-20}, TestNode::kStart - i * 10U);
  }
  const std::string list = node.type("neighbors");
  EXPECT_TRUE(list.starts_with("00AB0000:0:-20\n01AB0000:10:-20\n")) << list;
  EXPECT_EQ(std::ranges::count(list, '\n'), 8);
  EXPECT_EQ(node.type("neighbor.remove 00ab"), "OK");
  EXPECT_TRUE(node.type("neighbors").starts_with("01AB"));
}

TEST(Console, OnlyAPasswordThatFitsIsKept) {
  TestNode node;
  EXPECT_EQ(node.type("password 0123456789abcdefXYZ"), "password now: 0123456789abcde");
  EXPECT_EQ(node.repeater.preferences().admin_password.view(), "0123456789abcde");
}

}  // namespace
}  // namespace chappe::node
