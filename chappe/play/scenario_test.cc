#include "chappe/play/scenario.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "chappe/play/commands.h"
#include "chappe/play/vector_file.h"

namespace chappe::play {
namespace {

const std::string kVectors = std::string(CHAPPE_SOURCE_DIR) + "/tests/vectors/";

TEST(Scenario, EveryRecordedOneIsRead) {
  int scenarios = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kVectors + "oracle")) {
    if (entry.path().extension() != ".jsonl") continue;
    const auto trouble = read_vectors(entry.path(), [&](const VectorItem& item) {
      if (item.schema != VectorItem::Schema::scenario) return;
      ++scenarios;
      const auto scenario = scenario_from(item.value);
      ASSERT_TRUE(scenario.has_value()) << item.name;
      EXPECT_EQ(scenario->inputs.size(), item.value["inputs"].items().size());
      EXPECT_EQ(scenario->transmissions.size(), item.value["expect"]["tx"].items().size());
      EXPECT_EQ(scenario->verdicts.size(), item.value["expect"]["verdicts"].items().size());
      EXPECT_EQ(scenario->survival_only, item.value["expect"].has("assertion"));
    });
    EXPECT_FALSE(trouble.has_value()) << entry.path() << *trouble;
  }
  EXPECT_EQ(scenarios, 519);
}

TEST(Scenario, EveryNodeSessionIsRead) {
  int sessions = 0;
  const auto trouble =
      read_vectors(kVectors + "meshcore-packets.json", [&](const VectorItem& item) {
        if (item.kind != "forward" && item.kind != "server" && item.kind != "timing" &&
            item.kind != "cli") {
          return;
        }
        ++sessions;
        const auto session = session_from(item.value);
        ASSERT_TRUE(session.has_value()) << item.name;
        EXPECT_EQ(session->steps.size(), item.value["params"]["steps"].items().size());
      });
  EXPECT_FALSE(trouble.has_value());
  EXPECT_EQ(sessions, 142);
}

TEST(Scenario, AKindOfInputThatIsNotKnownIsNotSilentlyLeftOut) {
  bool checked = false;
  static_cast<void>(read_vectors(kVectors + "oracle/zero_hop.jsonl", [&](const VectorItem& item) {
    if (checked) return;
    checked = true;
    Json changed = item.value;
    Json input = changed["inputs"][0];
    input.set("kind", "telepathy");
    changed.set("inputs", Json::array().push(input));
    EXPECT_TRUE(scenario_from(item.value).has_value());
    EXPECT_FALSE(scenario_from(changed).has_value());
  }));
  EXPECT_TRUE(checked);
}

TEST(Replay, AFileOrAScenarioThatIsNotThereIsAnInputError) {
  std::ostringstream out;
  std::ostringstream talk;
  ReplayOptions options;
  options.file = "/nowhere.jsonl";
  EXPECT_EQ(replay(options, out, talk), kExitUsage);
  options.file = kVectors + "oracle/zero_hop.jsonl#no such scenario";
  EXPECT_EQ(replay(options, out, talk), kExitUsage);
  options.file = kVectors + "airtime.json";
  EXPECT_EQ(replay(options, out, talk), kExitUsage);
  EXPECT_TRUE(out.str().empty());
}

}  // namespace
}  // namespace chappe::play
