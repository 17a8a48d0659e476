// Five repeaters talk for an hour, louder than the law allows.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/scenarios/mesh.h"

namespace chappe::scenarios {
namespace {

constexpr std::size_t kNodes = 5;
// Both bite: the offered load is several times as much.
constexpr tx::Rule kRules[] = {{hours(1), seconds(60)}, {minutes(1), seconds(3)}};

class FiveNodes : private sim::AirListener {
 public:
  explicit FiveNodes(std::uint64_t seed) : world(kNodes, kRules, seed), random_(seed) {
    // A ring with one chord, some links good, some barely heard.
    world.connect(0, 1, 8);
    world.connect(1, 2, 2);
    world.connect(2, 3, -4);
    world.connect(3, 4, 10);
    world.connect(4, 0, -9.5);
    world.connect(1, 3, 0);
    for (std::size_t i = 0; i < kNodes; ++i) {
      watchers_.push_back(std::make_unique<Watcher>(*this));
      world.nodes[i]->repeater.listen(*watchers_.back());
    }
    world.air.listen(*this);
    world.start();
  }

  void live_for_an_hour() {
    const Time end = world.executor.now() + hours(1);
    while (world.executor.now() < end) {
      world.flood(random_.up_to(kNodes - 1), 10 + random_.up_to(100));
      world.run_for(milliseconds(2000 + random_.up_to(8000)));
    }
    // Until the last frame is sent or expired, or a frame would be cut from one book by the end.
    world.run_for(minutes(10));
    for (const auto& node : world.nodes) EXPECT_EQ(node->repeater.statistics().waiting, 0u);
    check();
  }

  std::uint64_t events() const { return events_; }

  Mesh world;

 private:
  struct Watcher final : node::EventListener {
    explicit Watcher(FiveNodes& of) : scenario(of) {}
    void on_event(const node::Event&) noexcept override { scenario.check(); }
    FiveNodes& scenario;
  };

  void on_keyed(const sim::Radiation&) noexcept override { check(); }
  void on_fate(const sim::Radiation&, sim::StationId, sim::Fate) noexcept override {}

  void check() {
    ++events_;
    for (const auto& node : world.nodes) {
      EXPECT_TRUE(node->repeater.books().balance());
      EXPECT_TRUE(node->repeater.statistics().balances());
      const auto credits = node->radio.credits().read();
      EXPECT_LE(credits.total, 1u);
      // What is with the air has a credit that is out.
      EXPECT_LE(node->radio.in_flight().pending, credits.total);
    }
  }

  SeededRandom random_;
  std::vector<std::unique_ptr<Watcher>> watchers_;
  std::uint64_t events_ = 0;
};

std::vector<sim::AirLog::Entry> of_station(const Mesh& world, std::size_t node) {
  std::vector<sim::AirLog::Entry> own;
  for (const sim::AirLog::Entry& entry : world.log.entries()) {
    if (entry.station == world.nodes[node]->radio.station()) own.push_back(entry);
  }
  return own;
}

TEST(FiveNodesForAnHour, KeepTheirBooksBalancedAtEveryEvent) {
  FiveNodes scenario(1);
  scenario.live_for_an_hour();
  EXPECT_GT(scenario.events(), 3000u);
  const Mesh& world = scenario.world;
  std::uint64_t sent = 0;
  for (std::size_t i = 0; i < kNodes; ++i) {
    const Node& node = *world.nodes[i];
    sent += node.repeater.statistics().sent;
    EXPECT_EQ(node.repeater.statistics().sent, of_station(world, i).size());
    // Two books of one thing, kept by the node and by the air.
    EXPECT_EQ(node.repeater.books().heard, node.radio.fates()[sim::Fate::heard]);
    EXPECT_EQ(node.repeater.statistics().airtime, world.air.airtime(node.radio.station()));
    EXPECT_EQ(node.repeater.statistics().undebited(node.radio), Duration::zero());
    EXPECT_EQ(node.radio.fates().total() + of_station(world, i).size(), world.air.radiated_count());
    EXPECT_EQ(node.radio.wedge_count(), 0u);
  }
  EXPECT_EQ(sent, world.air.radiated_count());
}

TEST(FiveNodesForAnHour, NeverSendTwoFramesAtOnce) {
  FiveNodes scenario(2);
  scenario.live_for_an_hour();
  for (std::size_t i = 0; i < kNodes; ++i) {
    const auto own = of_station(scenario.world, i);
    ASSERT_GT(own.size(), 20u);
    for (std::size_t j = 1; j < own.size(); ++j) EXPECT_LE(own[j - 1].to, own[j].from);
  }
}

// Airtime in each window that ends with a frame, counted from what was on the air.
TEST(FiveNodesForAnHour, StayWithinTheLawInEveryWindow) {
  FiveNodes scenario(3);
  scenario.live_for_an_hour();
  for (std::size_t i = 0; i < kNodes; ++i) {
    const auto own = of_station(scenario.world, i);
    for (const tx::Rule& rule : kRules) {
      Duration most{};
      for (const sim::AirLog::Entry& last : own) {
        Duration spent{};
        for (const sim::AirLog::Entry& entry : own) {
          const Time from = std::max(entry.from, last.to - rule.window);
          const Time to = std::min(entry.to, last.to);
          if (from < to) spent += to - from;
        }
        EXPECT_LE(spent, rule.limit) << "node " << i;
        most = std::max(most, spent);
      }
      EXPECT_GT(most, rule.limit * 8 / 10) << "this limit was not tried";
    }
  }
}

TEST(FiveNodesForAnHour, AreTheSameForTheSameSeedAndOthersForAnother) {
  const auto hour = [](std::uint64_t seed) {
    FiveNodes scenario(seed);
    scenario.live_for_an_hour();
    return scenario.world.log.text();
  };
  const std::string first = hour(4);
  EXPECT_GT(first.size(), 10'000u);
  EXPECT_TRUE(first == hour(4));
  EXPECT_FALSE(first == hour(5));
}

}  // namespace
}  // namespace chappe::scenarios
