#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>

#include "chappe/play/commands.h"
#include "chappe/play/json_value.h"
#include "chappe/play/live_replay.h"
#include "chappe/play/recording.h"
#include "chappe/port/virtual/virtual_port.h"

namespace chappe::play {
namespace {

using testing::HasSubstr;

const std::string kOracle = std::string(CHAPPE_SOURCE_DIR) + "/tests/vectors/oracle/";

struct Report {
  int code = 0;
  std::string out;
  std::string talk;
};

Report run(const std::string& file, bool json, std::optional<std::uint64_t> seed = std::nullopt) {
  std::ostringstream out;
  std::ostringstream talk;
  const int code = replay({kOracle + file, seed, json}, out, talk);
  return {code, out.str(), talk.str()};
}

std::vector<Json> events_of(const std::string& lines) {
  std::vector<Json> events;
  std::istringstream in(lines);
  for (std::string line; std::getline(in, line);) {
    const auto event = Json::parse(line);
    EXPECT_TRUE(event.has_value()) << line;
    if (event) events.push_back(*event);
  }
  return events;
}

TEST(Replay, IsTheSameByteForByteForOneSeedAndAnotherForAnother) {
  const std::string file = "flood_forward.jsonl";
  const Report once = run(file, true, 7);
  EXPECT_EQ(once.code, kExitOk) << once.talk;
  EXPECT_FALSE(once.out.empty());
  EXPECT_EQ(once.out, run(file, true, 7).out);
  EXPECT_NE(once.out, run(file, true, 8).out);
  EXPECT_NE(once.out, run(file, true).out);
  EXPECT_EQ(run(file, true).out, run(file, true).out);
  EXPECT_EQ(run(file, false).out, run(file, false).out);
}

TEST(Replay, NamesEachScenarioOfAFileAndNotTheOnlyOne) {
  const auto all = events_of(run("acks.jsonl", true).out);
  ASSERT_FALSE(all.empty());
  EXPECT_EQ(all[0]["event"].text(), "scenario");
  EXPECT_EQ(all[0]["id"].text(), "acks/flood_and_direct/0");
  EXPECT_EQ(std::ranges::count_if(
                all, [](const Json& event) { return event["event"].text() == "scenario"; }),
            6);
  const auto one = events_of(run("acks.jsonl#acks/multipart/0", true).out);
  ASSERT_FALSE(one.empty());
  EXPECT_EQ(one[0]["event"].text(), "heard");
}

TEST(Replay, FindsAScenarioByItsWholeIdByWhatFollowsTheGroupAndByNumber) {
  const Report whole = run("acks.jsonl#acks/flood_and_direct/3", true);
  EXPECT_EQ(whole.code, kExitOk) << whole.talk;
  EXPECT_EQ(whole.out, run("acks.jsonl#flood_and_direct/3", true).out);
  EXPECT_EQ(whole.out, run("acks.jsonl#2", true).out);
}

TEST(Replay, NamesTheNearestIdsOfOneThatIsUnknown) {
  const Report report = run("acks.jsonl#acks/multpart/0", true);
  EXPECT_EQ(report.code, kExitUsage);
  EXPECT_EQ(report.out, "");
  EXPECT_THAT(report.talk, HasSubstr("nearest: acks/multipart/0,"));
}

TEST(Replay, OfAFileThatIsMissingOrHoldsNoNodeIsAUsageError) {
  EXPECT_EQ(run("nothing.jsonl", true).code, kExitUsage);
  EXPECT_EQ(run("airtime.jsonl", true).code, kExitUsage);
}

// What somebody outside checks a recording with: each verdict, and each frame as it went out.
TEST(Replay, TellsOfEveryInputItsVerdictAndOfEveryTransmissionItsStart) {
  const auto recorded = read_recording(kOracle + "channel_busy.jsonl#half_duplex/0");
  ASSERT_TRUE(recorded.has_value());
  const Scenario& scenario = recorded->front();
  const auto events = events_of(run("channel_busy.jsonl#half_duplex/0", true).out);
  std::vector<const Json*> judged;
  std::vector<const Json*> sent;
  for (const Json& event : events) {
    if (event["event"].text() == "judged") judged.push_back(&event);
    if (event["event"].text() == "sent") sent.push_back(&event);
  }
  ASSERT_EQ(judged.size(), scenario.verdicts.size());
  int lost = 0;
  for (std::size_t i = 0; i < judged.size(); ++i) {
    const Json& event = *judged[i];
    EXPECT_EQ(event["verdict"].text(), scenario.verdicts[i].verdict);
    EXPECT_EQ(event["why"].text(), scenario.verdicts[i].why);
    EXPECT_EQ(event["hex"].text(), hex(scenario.inputs[i].frame));
    const bool forward = event["verdict"].text() == "forward";
    EXPECT_EQ(event.has("delay_us"), forward);
    EXPECT_EQ(event.has("priority"), forward);
    if (event["why"].text() != "radio_transmitting") continue;
    ++lost;
    EXPECT_EQ(event["id"].integer(), 0);
  }
  EXPECT_EQ(lost, 4);
  ASSERT_EQ(sent.size(), scenario.transmissions.size());
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const ExpectedTransmission& expected = scenario.transmissions[i];
    EXPECT_EQ((*sent[i])["hex"].text(), hex(expected.frame));
    EXPECT_EQ((*sent[i])["keyed_us"].integer(), in_us(expected.start.earliest));
    EXPECT_EQ((*sent[i])["airtime_us"].integer() / 1000, expected.air_ms);
  }
}

TEST(Replay, WritesLinesForPeople) {
  const Report report = run("channel_busy.jsonl#half_duplex/0", false);
  EXPECT_THAT(report.out, HasSubstr("forward: flood, region *, in 0.0 ms, priority 2\n"));
  EXPECT_THAT(report.out, HasSubstr("not_received: radio_transmitting\n"));
}

TEST(LiveReplay, IsARadioThatHearsTheRecordingFromItsStartOn) {
  const auto recorded = read_recording(kOracle + "acks.jsonl#1");
  ASSERT_TRUE(recorded.has_value());
  port::VirtualPort port(at_ms(1'000'000));
  async::Executor executor(port);
  const auto live = LiveReplay::create(executor, recorded->front());
  ASSERT_NE(live, nullptr);
  const Scenario& scenario = live->scenario();
  live->start();
  port.run(executor, at_ms(1'000'000) + scenario.inputs[0].at.time_since_epoch() - microseconds(1));
  radio::Frame frame;
  EXPECT_FALSE(live->radio().take(frame));
  port.run(executor);
  for (const ScenarioInput& input : scenario.inputs) {
    ASSERT_TRUE(live->radio().take(frame));
    EXPECT_EQ(frame.at, at_ms(1'000'000) + input.at.time_since_epoch());
    EXPECT_TRUE(std::ranges::equal(frame.bytes.view(), input.frame));
  }
  EXPECT_TRUE(live->finished());
  EXPECT_EQ(live->heard_count(), scenario.inputs.size());
  EXPECT_EQ(live->lost_count(), 0u);
}

TEST(LiveReplay, IsNothingIfNoRadioIsLikeTheRecordedOne) {
  port::VirtualPort port;
  async::Executor executor(port);
  Scenario scenario;
  scenario.node.radio.sf = 3;
  EXPECT_EQ(LiveReplay::create(executor, scenario), nullptr);
}

}  // namespace
}  // namespace chappe::play
