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

/// How a group ends. What does not pass one of these ways has failed.
struct Tally {
  int passed = 0;
  int otherwise = 0;  // a quirk, answered our documented way
  int not_built = 0;  // all of it is for a server

  friend bool operator==(const Tally&, const Tally&) = default;
};
void PrintTo(const Tally& tally, std::ostream* out) {
  *out << tally.passed << " passed, " << tally.otherwise << " our way, " << tally.not_built
       << " not built";
}

void count(const SessionResult& result, Tally& tally) {
  if (result.outcome == Outcome::passed) ++tally.passed;
  if (result.outcome == Outcome::passed_otherwise) ++tally.otherwise;
  if (result.outcome == Outcome::not_built) ++tally.not_built;
}

struct Group {
  const char* name;
  Tally tally;
};
void PrintTo(const Group& group, std::ostream* out) {
  *out << group.name;
}

class RecordedNodes : public testing::TestWithParam<Group> {};

// A whole node: receiver, judge, transmitter, ledger, radio, console, clock. Each scenario is
// played three times.
TEST_P(RecordedNodes, DoWhatTheReferenceDid) {
  Tally tally;
  for (const Scenario& scenario : recording(GetParam().name)) {
    const SessionResult result = play(scenario);
    EXPECT_NE(result.outcome, Outcome::failed) << scenario.id << ": " << result.why;
    count(result, tally);
  }
  EXPECT_EQ(tally, GetParam().tally);
}

INSTANTIATE_TEST_SUITE_P(Oracle,
                         RecordedNodes,
                         testing::Values(Group{"acks", {6}},
                                         Group{"adverts", {11, 5}},
                                         Group{"anon_requests", {1, 0, 8}},
                                         Group{"channel_busy", {14}},
                                         Group{"cli", {96}},
                                         Group{"clock_wrap", {2}},
                                         Group{"console", {9}},
                                         Group{"direct", {55}},
                                         Group{"discover", {10}},
                                         Group{"duplicates", {12}},
                                         Group{"duty_cycle", {10}},
                                         Group{"flood_forward", {84, 1}},
                                         Group{"hop_limits", {6}},
                                         Group{"login", {13, 0, 6}},
                                         Group{"loop_detect", {12}},
                                         Group{"malformed", {71, 2}},
                                         Group{"path_return", {4}},
                                         Group{"queue", {8}},
                                         Group{"regions", {21}},
                                         Group{"requests", {20, 0, 1}},
                                         Group{"soak", {7}},
                                         Group{"trace", {8, 2}},
                                         Group{"undefined", {10}},
                                         Group{"zero_hop", {4}}),
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
  played_.halted = "reboot";
  expect_failure();
}

TEST_F(Altered, AnUnansweredCommandFails) {
  scenario_.node.setup.push_back({"set flood.max 3", "OK"});
  played_.setup_replies.push_back("");
  expect_failure();
}

TEST_F(Altered, AnythingElseInTheStateFails) {
  const Json state = played_.state;
  for (const auto& [name, value] : scenario_.state.members()) {
    played_.state = state;
    played_.state.set(name, "something else");
    SCOPED_TRACE(name);
    expect_failure();
  }
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

// A forged advert is a neighbour for the reference and not for us; all others are for both.
TEST(Quirks, OnlyWhatWasForgedIsMissingFromTheNeighbours) {
  const auto scenarios = recording("adverts");
  const Scenario& scenario = scenarios.front();
  auto played = play_through(scenario, std::nullopt, nullptr);
  ASSERT_TRUE(played.has_value());
  const auto outcome = [&] { return compare(scenario, *played, std::nullopt).outcome; };
  ASSERT_EQ(outcome(), Outcome::passed_otherwise);
  const Json::Array neighbours = played->state["neighbours"].items();
  ASSERT_FALSE(neighbours.empty());
  played->state.set("neighbours", Json::Array(neighbours.begin() + 1, neighbours.end()));
  EXPECT_EQ(outcome(), Outcome::failed);
  played->state.set("neighbours", neighbours);
  const std::string reply = played->replies.front().text;
  played->replies.front().text = reply.substr(reply.find('\n') + 1);
  EXPECT_EQ(outcome(), Outcome::failed);
}

class ForAServer : public testing::Test {
 protected:
  /// The first of a group; whatever changes it, changes it for good.
  void choose(const std::string& group) {
    scenario_ = recording(group).front();
    const auto played = play_through(scenario_, std::nullopt, nullptr);
    ASSERT_TRUE(played.has_value());
    played_ = *played;
  }
  SessionResult result() const { return compare(scenario_, played_, std::nullopt); }

  Scenario scenario_;
  Played played_;
};

TEST_F(ForAServer, InputsAreCounted) {
  choose("clock_wrap");
  EXPECT_EQ(result().outcome, Outcome::passed) << result().why;
  EXPECT_GT(result().left_out, 0);
  choose("acks");
  EXPECT_EQ(result().left_out, 0);
}

TEST_F(ForAServer, NothingElseIsNothingProved) {
  for (const Scenario& scenario : recording("login")) {
    if (scenario.id != "login/passwords/0") continue;
    EXPECT_EQ(play(scenario).outcome, Outcome::not_built);
  }
}

TEST_F(ForAServer, WhatDoesNotReachItFails) {
  choose("clock_wrap");
  const auto consumed =
      std::ranges::find(played_.verdicts, "addressed_here_known_client", &Played::Verdict::why);
  ASSERT_NE(consumed, played_.verdicts.end());
  consumed->why = "duplicate";
  EXPECT_EQ(result().outcome, Outcome::failed);
}

TEST_F(ForAServer, ACommandByRadioIsAnsweredByTheConsole) {
  choose("clock_wrap");
  ASSERT_FALSE(played_.radio_replies.empty());
  EXPECT_EQ(result().outcome, Outcome::passed) << result().why;
  played_.radio_replies.front().text += "!";
  EXPECT_EQ(result().outcome, Outcome::failed);
}

TEST(RecordedConsoles, WhatIsPrintedCounts) {
  for (const Scenario& scenario : recording("console")) {
    if (std::ranges::none_of(scenario.replies, [](const ExpectedReply& reply) {
          return !reply.serial.empty() && !reply.varies;
        })) {
      continue;
    }
    auto played = play_through(scenario, std::nullopt, nullptr);
    ASSERT_TRUE(played.has_value());
    EXPECT_EQ(compare(scenario, *played, std::nullopt).outcome, Outcome::passed);
    for (Played::Reply& reply : played->replies) reply.printed.clear();
    EXPECT_EQ(compare(scenario, *played, std::nullopt).outcome, Outcome::failed);
    return;
  }
  FAIL() << "no recording prints anything";
}

class RecordedSteps : public testing::TestWithParam<Group> {};

TEST_P(RecordedSteps, AreWhatTheReferenceDid) {
  const auto sessions =
      read_recording(std::string(CHAPPE_SOURCE_DIR) + "/tests/vectors/meshcore-packets.json");
  ASSERT_TRUE(sessions.has_value());
  Tally tally;
  for (const Scenario& scenario : *sessions) {
    if (scenario.group != GetParam().name) continue;
    const auto played = play_through(scenario, std::nullopt, nullptr);
    ASSERT_TRUE(played.has_value());
    // Sessions have bounds of their own, so any seed's rules are theirs.
    const SessionResult result = compare(scenario, *played, 0);
    EXPECT_NE(result.outcome, Outcome::failed) << scenario.id << ": " << result.why;
    count(result, tally);
  }
  EXPECT_EQ(tally, GetParam().tally);
}

INSTANTIATE_TEST_SUITE_P(Sessions,
                         RecordedSteps,
                         testing::Values(Group{"cli", {11}},
                                         Group{"forward", {71}},
                                         Group{"server", {33, 0, 18}},
                                         Group{"timing", {9}}),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace chappe::play
