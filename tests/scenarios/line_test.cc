// A flood walks along a line of repeaters, each of which hears only its neighbours.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/scenarios/mesh.h"

namespace chappe::scenarios {
namespace {

constexpr tx::Rule kTenPercent{hours(1), minutes(6)};
constexpr std::size_t kRepeaters = 8;
constexpr std::size_t kPayload = 40;

struct Line : Mesh {
  explicit Line(std::uint64_t seed) : Mesh(1 + kRepeaters, {&kTenPercent, 1}, seed) {
    for (std::size_t i = 0; i < kRepeaters; ++i) connect(i, i + 1, 8);
    start();
  }
};

TEST(Line, PassesAFloodOnHopByHopAndEachHopAddsItsHash) {
  Line line(1);
  line.flood(0, kPayload);
  line.run_for(minutes(1));
  const auto& log = line.log.entries();
  ASSERT_EQ(log.size(), 1 + kRepeaters);
  for (std::size_t hop = 0; hop < log.size(); ++hop) {
    EXPECT_EQ(log[hop].station, line.nodes[hop]->radio.station());
    const auto packet = mesh::parse(log[hop].frame);
    ASSERT_TRUE(packet);
    ASSERT_EQ(packet->hop_count, hop);
    for (std::size_t i = 0; i < hop; ++i) EXPECT_EQ(packet->path[i], line.nodes[i + 1]->hash());
    if (hop > 0) {
      EXPECT_GE(log[hop].from, log[hop - 1].to);
    }
  }
  // Each hears its successor too, and knows that frame already.
  for (std::size_t i = 0; i < kRepeaters; ++i) {
    const auto& dropped = line.nodes[i]->repeater.books().dropped_by_judge;
    EXPECT_EQ(dropped[static_cast<std::size_t>(mesh::Why::duplicate)], 1u);
  }
}

// Shortest and longest follow from the airtimes and from delays uniform over whole milliseconds;
// measured on the firmware's own code, they agree. Here each repeater listens before it sends: 4.65
// symbols of SF 8 at 62.5 kHz.
TEST(Line, TakesAsLongAsAirtimesAndDelaysSay) {
  constexpr double kListening_ms = kRepeaters * 4.65 * 4.096;
  constexpr double kShortest_ms = 5268.5;
  constexpr double kMean_ms = 11168.5;
  constexpr double kLongest_ms = 17068.5;
  constexpr int kRuns = 100;
  double sum_ms = 0;
  for (std::uint64_t seed = 1; seed <= kRuns; ++seed) {
    Line line(seed);
    line.flood(0, kPayload);
    line.run_for(minutes(1));
    const auto& log = line.log.entries();
    ASSERT_EQ(log.size(), 1 + kRepeaters) << "seed " << seed;
    const double took_ms =
        static_cast<double>(in_us(log.back().to - log.front().from)) / 1000 - kListening_ms;
    EXPECT_GE(took_ms, kShortest_ms - 0.1) << "seed " << seed;
    EXPECT_LE(took_ms, kLongest_ms + 0.1) << "seed " << seed;
    sum_ms += took_ms;
  }
  // Eight uniform delays: the standard error of the mean of all runs, times four.
  const double span_ms = (kLongest_ms - kShortest_ms) / kRepeaters;
  const double error_ms = span_ms * std::sqrt(kRepeaters / 12.0) / std::sqrt(kRuns);
  EXPECT_NEAR(sum_ms / kRuns, kMean_ms, 4 * error_ms);
}

}  // namespace
}  // namespace chappe::scenarios
