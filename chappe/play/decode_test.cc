#include <gtest/gtest.h>

#include <sstream>

#include "chappe/play/commands.h"
#include "chappe/play/json_value.h"

namespace chappe::play {
namespace {

struct Report {
  int code = 0;
  std::string out;
  std::string talk;
};

Report report_of(const DecodeOptions& options) {
  std::ostringstream out;
  std::ostringstream talk;
  const int code = decode(options, out, talk);
  return {code, out.str(), talk.str()};
}

Report report_of(const AirtimeOptions& options) {
  std::ostringstream out;
  std::ostringstream talk;
  const int code = airtime(options, out, talk);
  return {code, out.str(), talk.str()};
}

DecodeOptions as_json(std::vector<std::string> hex, std::vector<std::string> keys = {}) {
  DecodeOptions options;
  options.hex = std::move(hex);
  options.json = true;
  options.keys = std::move(keys);
  return options;
}

const std::string kPublicText =
    "150011c3c1354d619bae9590e4d177db7eeaf982f5bdcf78005d75157d9535fa90178f785d";
const std::string kPublicKey = "channel:8b3387e9c5cdea6ac9e5edbaa115cd72";

TEST(Decode, PrintsOneObjectALineWithTheVectorsNames) {
  const Report report = report_of(as_json({"0d04b891647ebb40ba70", "0d0001020304"}));
  EXPECT_EQ(report.code, kExitOk);
  EXPECT_EQ(report.out.substr(0, report.out.find('\n')),
            R"({"route_type":1,"route":"FLOOD","payload_type":3,"type":"ACK","version":0,)"
            R"("path_len_byte":4,"path_hash_size":1,"hop_count":4,"path":["b8","91","64","7e"],)"
            R"("payload":"bb40ba70","packet_hash":"bbf95563c6eec9fe",)"
            R"("fields":{"ack_crc":"bb40ba70"}})");
  EXPECT_EQ(std::count(report.out.begin(), report.out.end(), '\n'), 2);
}

TEST(Decode, AKeyThatFitsOpensThePayload) {
  const Report closed = report_of(as_json({kPublicText}));
  EXPECT_FALSE(Json::parse(closed.out)->has("plain"));
  const Report opened = report_of(as_json({kPublicText}, {kPublicKey}));
  EXPECT_EQ((*Json::parse(opened.out))["plain_fields"]["text"].text(),
            "\xf0\x9f\x8c\xb2 Tree: \xe2\x98\x81\xef\xb8\x8f");
}

TEST(Decode, ForPeopleThereAreLines) {
  DecodeOptions options;
  options.hex = {"0d04b891647ebb40ba70"};
  const Report report = report_of(options);
  EXPECT_NE(report.out.find("type              ACK\n"), std::string::npos) << report.out;
  EXPECT_NE(report.out.find("path              b8 91 64 7e\n"), std::string::npos) << report.out;
}

TEST(Decode, WhatIsNoPacketFailsForANamedReason) {
  const Report report = report_of(as_json({"01c1"}));
  EXPECT_EQ(report.code, kExitFailed);
  EXPECT_EQ(report.out, "{\"accepted\":false,\"reason\":\"reserved_path_mode\"}\n");
}

TEST(Decode, WhatIsNoHexOrNoKeyIsAnInputError) {
  EXPECT_EQ(report_of(as_json({"0d0"})).code, kExitUsage);
  EXPECT_EQ(report_of(as_json({"xx"})).code, kExitUsage);
  EXPECT_EQ(report_of(as_json({})).code, kExitUsage);
  for (const char* const key : {"channel:00", "secret:00", "8b33", "door:8b33", "channel:zz"}) {
    EXPECT_EQ(report_of(as_json({kPublicText}, {key})).code, kExitUsage) << key;
  }
}

TEST(Decode, WhatCameOverTheAirDoesNotDriveTheTerminal) {
  // A text on the public channel that begins with an escape sequence, via a name in an advert.
  DecodeOptions options;
  options.hex = {"1100" + std::string(200, '0') + "811b5b324a"};
  const Report report = report_of(options);
  EXPECT_EQ(report.out.find('\x1b'), std::string::npos);
  EXPECT_NE(report.out.find("?[2J"), std::string::npos) << report.out;
}

TEST(AirtimeCommand, PrintsTheExactAndTheReferencesTime) {
  AirtimeOptions options;
  options.sf = 8;
  options.bw_khz = 41.7;
  options.cr = 5;
  options.len = 50;
  options.json = true;
  const auto line = Json::parse(report_of(options).out);
  ASSERT_TRUE(line.has_value());
  EXPECT_GT((*line)["us"].integer(), (*line)["reference_us"].integer());
  EXPECT_EQ((*line)["preamble"].integer(), 32);  // as MeshCore chooses it
}

TEST(AirtimeCommand, HeaderAndCrcAndLdroMatter) {
  AirtimeOptions options;
  options.sf = 12;
  options.bw_khz = 125;
  options.cr = 5;
  options.preamble = 8;
  options.len = 30;
  options.json = true;
  const auto us_of = [&] { return (*Json::parse(report_of(options).out))["us"].integer(); };
  EXPECT_EQ(us_of(), 1'646'592);
  options.ldro = "off";
  EXPECT_LT(us_of(), 1'646'592);
  options.ldro = "auto";
  options.implicit = true;
  options.no_crc = true;
  EXPECT_LT(us_of(), 1'646'592);
}

TEST(AirtimeCommand, RefusesWhatNoRadioCanDo) {
  AirtimeOptions good;
  good.sf = 8;
  good.bw_khz = 62.5;
  good.cr = 8;
  good.len = 10;
  EXPECT_EQ(report_of(good).code, kExitOk);
  const auto refused = [&](auto change) {
    AirtimeOptions bad = good;
    change(bad);
    return report_of(bad).code == kExitUsage;
  };
  EXPECT_TRUE(refused([](AirtimeOptions& bad) { bad.sf = 4; }));
  EXPECT_TRUE(refused([](AirtimeOptions& bad) { bad.sf = 13; }));
  EXPECT_TRUE(refused([](AirtimeOptions& bad) { bad.bw_khz = 100; }));
  EXPECT_TRUE(refused([](AirtimeOptions& bad) { bad.bw_khz = 0; }));
  EXPECT_TRUE(refused([](AirtimeOptions& bad) { bad.cr = 9; }));
  EXPECT_TRUE(refused([](AirtimeOptions& bad) { bad.len = 256; }));
  EXPECT_TRUE(refused([](AirtimeOptions& bad) { bad.len = -1; }));
  EXPECT_TRUE(refused([](AirtimeOptions& bad) { bad.preamble = 70'000; }));
  EXPECT_TRUE(refused([](AirtimeOptions& bad) { bad.ldro = "maybe"; }));
}

TEST(JsonValue, ReadsWhatItWrites) {
  const std::string text = R"({"a":[1,2.5,null,true,"\u00e9"],"b":{"c":-7}})";
  const auto value = Json::parse(text);
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(Json::parse(value->dump()), value);
  EXPECT_EQ((*value)["a"][1].number(), 2.5);
  EXPECT_EQ((*value)["b"]["c"].integer(), -7);
  EXPECT_FALSE(Json::parse("{\"a\":").has_value());
}

TEST(JsonValue, BytesThatAreNoTextDoNotBreakALine) {
  EXPECT_NO_THROW(static_cast<void>(Json(std::string("\xff\xfe")).dump()));
}

TEST(JsonValue, OnlyWhatIsExpectedIsCompared) {
  const Json expected = *Json::parse(R"({"a":{"b":2}})");
  EXPECT_FALSE(first_difference(expected, *Json::parse(R"({"a":{"b":2.0,"x":1},"y":1})")));
  EXPECT_EQ(first_difference(expected, *Json::parse(R"({"a":{"b":3}})")), "a.b: expected 2, got 3");
  EXPECT_EQ(first_difference(expected, *Json::parse(R"({"a":{}})")), "a.b: missing");
}

}  // namespace
}  // namespace chappe::play
