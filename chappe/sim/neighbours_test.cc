#include "chappe/sim/neighbours.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "chappe/mesh/advert.h"
#include "chappe/mesh/channel.h"
#include "chappe/mesh/envelope.h"
#include "chappe/mesh/identity.h"
#include "chappe/node/repeater.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/sim/air_log.h"
#include "chappe/sim/captured.h"
#include "chappe/tx/ledger.h"

namespace chappe::sim {
namespace {

constexpr tx::Rule kTenPercent{hours(1), minutes(6)};

/// A repeater that comes to live there, as the program does with `--radio sim`.
class Newcomer : private node::EventListener {
 public:
  explicit Newcomer(std::uint64_t seed)
      : random_(seed + 1000),
        neighbourhood_(executor, air, {.seed = seed, .modulation = {}}),
        radio(executor, air),
        node(executor, radio, ledger_, random_, node::Settings{}, own_) {
    air.listen(log);
    node.listen(*this);
    neighbourhood_.welcome(radio.station(), own_.pub);
    node.start();
    neighbourhood_.start();
  }
  void run_for(Duration span) { port_.run(executor, executor.now() + span); }
  int count(node::EventKind kind) { return kinds_[kind]; }
  int why(const std::string& name) { return whys_[name]; }

 private:
  void on_event(const node::Event& event) noexcept override {
    ++kinds_[event.kind];
    if (event.kind == node::EventKind::heard) {
      if (!first_heard) first_heard = event.at;
      if (event.snr < Decibels{-30}) ++weak_heard;
      if (event.packet != nullptr) open(*event.packet);
    }
    if (event.kind == node::EventKind::judged) ++whys_[std::string(event.why)];
  }
  void open(const mesh::Packet& packet) {
    if (packet.type == mesh::PayloadType::advert) {
      const auto advert = mesh::parse_advert(packet.payload);
      if (advert && advert->is_genuine()) ++genuine_adverts;
    }
    if (packet.type == mesh::PayloadType::group_text && packet.payload[0] == 0x11) {
      constexpr std::uint8_t kKey[] = {0x8b,
                                       0x33,
                                       0x87,
                                       0xe9,
                                       0xc5,
                                       0xcd,
                                       0xea,
                                       0x6a,
                                       0xc9,
                                       0xe5,
                                       0xed,
                                       0xba,
                                       0xa1,
                                       0x15,
                                       0xcd,
                                       0x72};
      const auto plain = mesh::open(mesh::channel_of(kKey)->secret, packet.payload.subspan(1));
      if (plain) texts.emplace_back(reinterpret_cast<const char*>(plain->data()) + 5);
    }
  }

  port::VirtualPort port_;
  SeededRandom random_;
  const mesh::Identity own_ = mesh::identity_of({1, 2, 3});
  tx::Ledger ledger_{std::span(&kTenPercent, 1)};
  std::map<node::EventKind, int> kinds_;
  std::map<std::string, int> whys_;

 public:
  std::optional<Time> first_heard;
  int weak_heard = 0;
  int genuine_adverts = 0;
  std::vector<std::string> texts;
  async::Executor executor{port_};
  Air air{executor, Neighbourhood::kNeighbours + 1};
  AirLog log;

 private:
  Neighbourhood neighbourhood_;

 public:
  SimRadio radio;
  node::Repeater node;
};

TEST(Neighbourhood, ShowsANewcomerWithinTenSecondsPacketsHeardJudgedDelayedAndRepeated) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Newcomer newcomer(seed);
    newcomer.run_for(seconds(10));
    ASSERT_TRUE(newcomer.first_heard.has_value()) << "seed " << seed;
    EXPECT_LE(*newcomer.first_heard, Time{} + seconds(1)) << "seed " << seed;
    EXPECT_GE(newcomer.count(node::EventKind::judged), 4) << "seed " << seed;
    EXPECT_GE(newcomer.why("flood"), 2) << "seed " << seed;
    EXPECT_GE(newcomer.count(node::EventKind::sent), 2) << "seed " << seed;
  }
}

TEST(Neighbourhood, OpensWithThePacketsThatWereCaptured) {
  Newcomer newcomer(1);
  newcomer.run_for(minutes(2));
  for (const Captured& packet : captured()) {
    const auto is_it = [&](const AirLog::Entry& entry) {
      return std::ranges::equal(entry.frame, packet.frame);
    };
    EXPECT_TRUE(std::ranges::any_of(newcomer.log.entries(), is_it)) << packet.name;
  }
}

TEST(Neighbourhood, BringsEverythingThatANodeHasToDealWithWithinAnHour) {
  Newcomer newcomer(1);
  newcomer.run_for(hours(1));
  EXPECT_GE(newcomer.genuine_adverts, 20);
  EXPECT_GE(newcomer.texts.size(), 60u);
  EXPECT_NE(newcomer.texts.back().find(": "), std::string::npos) << newcomer.texts.back();
  EXPECT_GE(newcomer.weak_heard, 3);
  EXPECT_GE(newcomer.why("duplicate"), 20);
  EXPECT_GE(newcomer.why("parse:unsupported_version"), 3);
  EXPECT_GE(newcomer.why("direct_next_hop"), 5) << "letters";
  EXPECT_GE(newcomer.why("direct_ack"), 3) << "acknowledgements, which only a letter carried earns";
  EXPECT_TRUE(newcomer.node.books().balance());
  EXPECT_EQ(newcomer.radio.fates()[Fate::overrun], 0u);
}

TEST(Neighbourhood, IsTheSameForTheSameSeedAndAnotherForAnother) {
  const auto hour = [](std::uint64_t seed) {
    Newcomer newcomer(seed);
    newcomer.run_for(hours(1));
    return newcomer.log.text();
  };
  const std::string first = hour(7);
  EXPECT_GT(first.size(), 10'000u);
  EXPECT_EQ(first, hour(7));
  EXPECT_NE(first, hour(8));
}

TEST(Neighbourhood, LivesWithoutANewcomerAndStopsWhenTold) {
  port::VirtualPort port;
  async::Executor executor(port);
  Air air(executor, Neighbourhood::kNeighbours);
  Neighbourhood neighbourhood(executor, air, {});
  neighbourhood.start();
  port.run(executor, executor.now() + minutes(10));
  const std::uint64_t radiated = air.radiated_count();
  EXPECT_GT(radiated, 40u);
  neighbourhood.stop();
  port.run(executor, executor.now() + minutes(10));
  EXPECT_LE(air.radiated_count(), radiated);
}

}  // namespace
}  // namespace chappe::sim
