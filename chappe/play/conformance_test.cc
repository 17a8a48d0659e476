#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "chappe/play/commands.h"

namespace chappe::play {
namespace {

const std::string kVectors = std::string(CHAPPE_SOURCE_DIR) + "/tests/vectors/";

struct Report {
  int code = 0;
  std::string out;
  std::string talk;
};

Report run(std::vector<std::string> files, std::vector<std::string> kinds = {}, bool json = false) {
  ConformanceOptions options;
  options.files = std::move(files);
  options.kinds = std::move(kinds);
  options.json = json;
  std::ostringstream out;
  std::ostringstream talk;
  const int code = conformance(options, out, talk);
  return {code, out.str(), talk.str()};
}

std::string file_with(const std::string& name, const std::string& text) {
  const std::string path = testing::TempDir() + name;
  std::ofstream(path) << text;
  return path;
}

class PureKind : public testing::TestWithParam<const char*> {};

TEST_P(PureKind, AgreesWithTheReference) {
  const Report result = run({kVectors + "meshcore-packets.json"}, {GetParam()});
  EXPECT_EQ(result.code, kExitOk) << result.out << result.talk;
}

INSTANTIATE_TEST_SUITE_P(Conformance,
                         PureKind,
                         testing::Values("ack_checksum",
                                         "airtime",
                                         "appdata",
                                         "bridge_frame",
                                         "channel",
                                         "checksum",
                                         "cipher",
                                         "ecdh",
                                         "keypair",
                                         "kiss_session",
                                         "lpp",
                                         "packet",
                                         "packet_hash",
                                         "region_key",
                                         "reject",
                                         "rx_delay",
                                         "score",
                                         "sign",
                                         "transport_code",
                                         "verify"),
                         [](const auto& test) { return std::string(test.param); });

TEST(Conformance, TheExactAirtimeAgreesInEveryCase) {
  const Report result = run({kVectors + "airtime.json"});
  EXPECT_EQ(result.code, kExitOk);
  EXPECT_EQ(result.out, "airtime.json/airtime 732 0\n732 passed, 0 failed\n") << result.talk;
}

TEST(Conformance, TheReferencesOwnEstimateIsReproducedToTheMicrosecond) {
  const Report result = run({kVectors + "oracle/airtime.jsonl"});
  EXPECT_EQ(result.code, kExitOk);
  EXPECT_EQ(result.out, "airtime.jsonl/airtime 8480 0\n8480 passed, 0 failed\n") << result.talk;
}

TEST(Conformance, AWrongVectorFailsAndIsNamed) {
  const std::string path =
      file_with("wrong.json",
                R"({"vectors":[{"name":"off by one","kind":"checksum","hex":"616263646566",)"
                R"("expect":{"fletcher16":8280}}]})");
  const Report result = run({path});
  EXPECT_EQ(result.code, kExitFailed);
  EXPECT_EQ(result.out, "wrong.json/checksum 0 1\n0 passed, 1 failed\n");
  EXPECT_NE(result.talk.find("off by one"), std::string::npos);
  EXPECT_NE(result.talk.find("expected 8280, got 8279"), std::string::npos) << result.talk;
}

// A session of one ping, answered as `said` after `after_ms`.
Report ping_session(const std::string& said, int after_ms) {
  const std::string key =
      "805b920bda4cd49d251d3329144a0cf8bdaaa07502626fa87f08e80faedab15f"
      "092539815e61663c7f9c4c9c377346f5d2936875bd760f0ac5c5f4f6e78a6d76";
  return run({file_with(
      "ping.json",
      R"({"vectors":[{"name":"ping","kind":"kiss_session","params":{"node_prv":")" + key +
          R"(","radio":{"bw_khz":62.5,"sf":8,"cr":8,"preamble":32},)"
          R"("steps":[{"op":"serial_in","hex":"c00617c0","run_ms":50}]},)"
          R"("expect":{"steps":[{"serial_out":[{"after_ms":)" +
          std::to_string(after_ms) + R"(,"hex":")" + said + R"("}],"radio_tx":[]}]}}]})")});
}

TEST(Conformance, AModemsAnswerThatDiffersInAByteOrComesAtAnotherTimeIsAFailure) {
  EXPECT_EQ(ping_session("c00697c0", 0).code, kExitOk) << ping_session("c00697c0", 0).talk;
  EXPECT_EQ(ping_session("c00697c0", 30).code, kExitFailed);
  EXPECT_EQ(ping_session("c00696c0", 0).code, kExitFailed);
  EXPECT_EQ(ping_session("c00697c0c0", 0).code, kExitFailed);
}

TEST(Conformance, AKindNobodyKnowsIsAFailure) {
  const std::string path =
      file_with("unknown.json", R"({"vectors":[{"name":"x","kind":"telepathy","expect":{}}]})");
  const Report result = run({path});
  EXPECT_EQ(result.code, kExitFailed);
  EXPECT_EQ(result.out, "unknown.json/telepathy 0 1\n0 passed, 1 failed\n");
}

TEST(Conformance, AskingForAKindThatIsNowhereIsAFailure) {
  const Report result = run({kVectors + "airtime.json"}, {"packt"});
  EXPECT_EQ(result.code, kExitFailed);
}

TEST(Conformance, AFileThatIsNoVectorFileIsAnInputError) {
  EXPECT_EQ(run({"/nowhere/at/all.json"}).code, kExitUsage);
  EXPECT_EQ(run({file_with("text.json", "not json at all\n")}).code, kExitUsage);
  EXPECT_EQ(run({file_with("shape.json", R"({"something":1})")}).code, kExitUsage);
  EXPECT_EQ(run({file_with("empty.json", "")}).code, kExitUsage);
  EXPECT_EQ(run({}).code, kExitUsage);
}

TEST(Conformance, WhatIsLeftOutIsCountedApart) {
  const std::string wrap = kVectors + "oracle/clock_wrap.jsonl";
  EXPECT_EQ(run({wrap}).out,
            "clock_wrap.jsonl/clock_wrap 2 0 (12 inputs left out)\n"
            "2 passed, 0 failed, 12 inputs left out\n");
  EXPECT_EQ(run({wrap}, {}, true).out,
            "{\"kind\":\"clock_wrap.jsonl/"
            "clock_wrap\",\"passed\":2,\"failed\":0,\"inputs_left_out\":12}\n"
            "{\"kind\":\"total\",\"passed\":2,\"failed\":0,\"inputs_left_out\":12}\n");
}

TEST(Conformance, WhatIsNotBuiltHasNeitherPassedNorFailed) {
  const Report result = run({kVectors + "oracle/login.jsonl"});
  EXPECT_EQ(result.code, kExitOk) << result.talk;
  EXPECT_EQ(result.out,
            "login.jsonl/login 13 0 (6 not built, 225 inputs left out)\n"
            "13 passed, 0 failed, 6 not built, 225 inputs left out\n");
}

TEST(Conformance, OneObjectALineIsAskedFor) {
  const Report result = run({kVectors + "airtime.json"}, {}, true);
  EXPECT_EQ(result.out,
            "{\"kind\":\"airtime.json/airtime\",\"passed\":732,\"failed\":0}\n"
            "{\"kind\":\"total\",\"passed\":732,\"failed\":0}\n");
}

}  // namespace
}  // namespace chappe::play
