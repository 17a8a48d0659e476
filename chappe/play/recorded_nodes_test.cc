#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "chappe/play/recording.h"
#include "chappe/play/session.h"

namespace chappe::play {
namespace {

using Outcome = SessionResult::Outcome;

std::string path_of(const std::string& group) {
  return std::string(CHAPPE_SOURCE_DIR) + "/tests/vectors/oracle/" + group + ".jsonl";
}

std::vector<Scenario> recording(const std::string& group) {
  auto scenarios = read_recording(path_of(group));
  EXPECT_TRUE(scenarios.has_value()) << group;
  return scenarios ? *std::move(scenarios) : std::vector<Scenario>{};
}

bool types_on_the_console(const Scenario& scenario) {
  return !scenario.node.setup.empty() ||
         std::ranges::any_of(scenario.inputs, [](const ScenarioInput& input) {
           return input.kind == ScenarioInput::Kind::console;
         });
}

struct Group {
  const char* name;
  int passed;  // scenarios that need no console; all of them must pass
};
void PrintTo(const Group& group, std::ostream* out) {
  *out << group.name;
}

class RecordedNodes : public testing::TestWithParam<Group> {};

// A whole node: receiver, judge, transmitter, ledger, radio. Each scenario is played three times.
TEST_P(RecordedNodes, DoWhatTheReferenceDid) {
  int passed = 0;
  for (const Scenario& scenario : recording(GetParam().name)) {
    if (types_on_the_console(scenario)) continue;
    const SessionResult result = play(scenario);
    EXPECT_NE(result.outcome, Outcome::failed) << scenario.id << ": " << result.why;
    ++passed;
  }
  EXPECT_EQ(passed, GetParam().passed);
}

INSTANTIATE_TEST_SUITE_P(Oracle,
                         RecordedNodes,
                         testing::Values(Group{"acks", 6},
                                         Group{"channel_busy", 7},
                                         Group{"direct", 55},
                                         Group{"duplicates", 9},
                                         Group{"duty_cycle", 8},
                                         Group{"flood_forward", 83},
                                         Group{"loop_detect", 12},
                                         Group{"malformed", 14},
                                         Group{"trace", 10},
                                         Group{"zero_hop", 4}),
                         [](const auto& test) { return std::string(test.param.name); });

class Altered : public testing::Test {
 protected:
  Altered() : scenario_(recording("acks").front()) {
    const auto played = play_through(scenario_, std::nullopt, nullptr);
    if (played) played_ = *played;
    EXPECT_EQ(result().outcome, Outcome::passed) << result().why;
  }
  SessionResult result() const { return compare(scenario_, played_, std::nullopt); }
  void expect_failure() const { EXPECT_EQ(result().outcome, Outcome::failed); }

  Scenario scenario_;
  Played played_;
};

TEST_F(Altered, AMissingTransmissionFails) {
  played_.transmissions.pop_back();
  expect_failure();
}

TEST_F(Altered, ATransmissionTooManyFails) {
  played_.transmissions.push_back(played_.transmissions.back());
  expect_failure();
}

TEST_F(Altered, AWrongByteFails) {
  played_.transmissions.front().frame.back() ^= 1;
  expect_failure();
}

TEST_F(Altered, FiveMillisecondsAreForgivenAndSixAreNot) {
  played_.transmissions.front().keyed += milliseconds(5);
  EXPECT_EQ(result().outcome, Outcome::passed) << result().why;
  played_.transmissions.front().keyed += milliseconds(1);
  expect_failure();
}

TEST_F(Altered, AnotherVerdictFails) {
  played_.verdicts.front().verdict = "drop";
  expect_failure();
}

TEST_F(Altered, AnotherReasonFails) {
  played_.verdicts.front().why = "duplicate";
  expect_failure();
}

TEST_F(Altered, AnotherRegionFails) {
  scenario_.verdicts.front().has_region = true;
  scenario_.verdicts.front().region = "somewhere";
  expect_failure();
}

TEST_F(Altered, AnotherHoldFails) {
  scenario_.verdicts.front().rx_delay_ms = 100;
  expect_failure();
}

TEST_F(Altered, AnotherPriorityFails) {
  ++played_.verdicts.front().priority;
  expect_failure();
}

TEST_F(Altered, AnotherDelayFails) {
  played_.verdicts.front().delay += milliseconds(2);
  expect_failure();
}

TEST_F(Altered, AHaltThatOnlyOneOfThemMadeFails) {
  played_.halted = true;
  expect_failure();
}

TEST_F(Altered, AnUnansweredCommandFails) {
  scenario_.node.setup.push_back({"set flood.max 3", "OK"});
  played_.setup_replies.push_back("");
  expect_failure();
}

TEST_F(Altered, AnotherCounterFails) {
  ++played_.counters.recv_flood;
  expect_failure();
}

TEST_F(Altered, BooksThatDidNotBalanceFail) {
  played_.trouble = "the books do not balance";
  expect_failure();
}

TEST(Masks, OnlyBytesThatCountAreCompared) {
  Scenario scenario = recording("acks").front();
  const auto played = play_through(scenario, std::nullopt, nullptr);
  ASSERT_TRUE(played.has_value());
  ExpectedTransmission& expected = scenario.transmissions.front();
  expected.varies = "bytes";
  expected.mask.assign(expected.frame.size(), 0xff);
  expected.frame.back() ^= 1;
  EXPECT_EQ(compare(scenario, *played, std::nullopt).outcome, Outcome::failed);
  expected.mask.back() = 0;
  EXPECT_EQ(compare(scenario, *played, std::nullopt).outcome, Outcome::passed);
}

// The answer to a quirk is ours by decision, and passes only as what we documented.
TEST(Quirks, PassOurWayAndNoOther) {
  for (Scenario& scenario : recording("trace")) {
    const auto tagged = std::ranges::find_if(
        scenario.inputs, [](const ScenarioInput& input) { return !input.quirk.empty(); });
    if (tagged == scenario.inputs.end()) continue;
    EXPECT_EQ(play(scenario).outcome, Outcome::passed_otherwise);
    tagged->quirk.clear();
    EXPECT_EQ(play(scenario).outcome, Outcome::failed);
  }
}

// Without commands on the console, which the node of this room does not have.
TEST(Sessions, ForwardAndTimeAsTheReferenceDid) {
  const auto sessions =
      read_recording(std::string(CHAPPE_SOURCE_DIR) + "/tests/vectors/meshcore-packets.json");
  ASSERT_TRUE(sessions.has_value());
  int passed = 0;
  for (const Scenario& scenario : *sessions) {
    if (scenario.group != "forward" && scenario.group != "timing") continue;
    if (types_on_the_console(scenario) || scenario.id == "timing-boot-local-advert") continue;
    const auto played = play_through(scenario, std::nullopt, nullptr);
    ASSERT_TRUE(played.has_value());
    // Sessions have bounds of their own, so any seed's rules are theirs.
    const SessionResult result = compare(scenario, *played, 0);
    EXPECT_EQ(result.outcome, Outcome::passed) << scenario.id << ": " << result.why;
    ++passed;
  }
  EXPECT_EQ(passed, 44);
}

}  // namespace
}  // namespace chappe::play
