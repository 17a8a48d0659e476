#include "chappe/client/journal.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chappe/base/random.h"
#include "chappe/client/service.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/sim/scripted_radio.h"
#include "chappe/tx/ledger.h"

namespace chappe::client {
namespace {

using flow::Access;
using Disk = std::vector<std::array<std::uint8_t, Store::kRecord>>;

/// A store whose bytes outlive it, and that a kill cuts off.
class MemoryStore final : public Store {
 public:
  MemoryStore(sync::WakeList& wakes, Disk& disk) : disk_(disk), on_synced_(wakes) {}
  std::size_t record_count() const override { return disk_.size(); }
  bool read(std::size_t record, std::span<std::uint8_t> out) override {
    std::ranges::copy(disk_[record], out.begin());
    return true;
  }
  bool write(std::size_t record, Bytes bytes) noexcept override {
    if (dead || fails) return !fails;
    std::ranges::copy(bytes, disk_[record].begin());
    return true;
  }
  std::uint32_t ask_sync() noexcept override {
    if (!hangs) on_synced_.set();
    return ++asked_;
  }
  std::uint32_t synced() const noexcept override { return hangs ? 0 : asked_; }
  bool healthy() const noexcept override { return !fails; }
  sync::Signal& on_synced() override { return on_synced_; }
  void relent() {
    hangs = false;
    on_synced_.set();
  }

  bool dead = false;
  bool fails = false;
  bool hangs = false;

 private:
  Disk& disk_;
  std::uint32_t asked_ = 0;
  sync::Signal on_synced_;
};

constexpr std::uint32_t kUnknown = 1'000'000;
const BootId kThisBoot{1};
const BootId kNextBoot{2};

/// One life of the process.
struct Life {
  explicit Life(Disk& disk,
                Time start = Time{},
                const BootId& boot = kThisBoot,
                Journal::Fresh fresh = Journal::Fresh::yes)
      : port(start),
        repeater(executor, radio, ledger, random, node::Settings{}, {mesh::PublicKey{0x42}, {}}) {
    auto owned = std::make_unique<MemoryStore>(executor.wakes(), disk);
    store = owned.get();
    service.emplace(
        executor,
        repeater,
        std::make_unique<Journal>(std::move(owned), boot, executor.now(), fresh, kUnknown));
    repeater.start();
    service->resume();
  }
  ~Life() {
    store->dead = true;
    sessions.clear();
    service.reset();
    repeater.stop();
  }
  Session& session() {
    sessions.push_back(std::make_unique<Session>(*service));
    return *sessions.back();
  }
  void run(Duration span) { port.run(executor, executor.now() + span); }
  void stop_in_order() {
    sessions.clear();
    repeater.stop();
  }

  port::VirtualPort port;
  async::Executor executor{port};
  SeededRandom random{1};
  sim::ScriptedRadio radio{executor};
  std::array<tx::Rule, 1> rules{tx::Rule{hours(1), seconds(360)}};
  tx::Ledger ledger{rules};
  node::Repeater repeater;
  MemoryStore* store = nullptr;
  std::optional<Service> service;
  std::vector<std::unique_ptr<Session>> sessions;
};

Disk blank() {
  return Disk(Journal::kRecords);
}
std::vector<std::uint8_t> packet(std::uint8_t serial) {
  return {0x15, 0x00, 1, 2, 3, 4, 5, serial};
}

/// The answers of a session, in words.
std::vector<std::string> answers(Session& session) {
  std::vector<std::string> words;
  SubmissionResult result;
  while (session.next_result(result) == Access::granted) {
    const std::string key(result.key.view());
    if (result.kind == SubmissionResult::Kind::accepted) {
      words.push_back(key + (result.durable ? " durable" : " fleeting"));
    } else if (result.kind == SubmissionResult::Kind::claimed) {
      words.push_back(key + " claimed");
    } else if (result.outcome) {
      words.push_back(key + " sent");
    } else {
      words.push_back(key + " " + std::string(to_string(result.outcome.error().why)) +
                      (result.outcome.error().perhaps_sent ? " perhaps" : ""));
    }
  }
  return words;
}

using Words = std::vector<std::string>;

TEST(Journal, TheFirstGenerationIsZeroAndEachLaterOneIsOneMore) {
  Disk disk = blank();
  for (std::uint32_t expected = 0; expected < 3; ++expected) {
    const Life life(disk);
    EXPECT_EQ(life.service->generation(), expected);
    EXPECT_EQ(life.service->notifier().posts(), 0u);
  }
}

TEST(Journal, WhatIsNotKnownCountsAsARestart) {
  Disk lost = blank();
  EXPECT_EQ(Life(lost, Time{}, kThisBoot, Journal::Fresh::no).service->generation(), kUnknown);
  Disk corrupt = blank();
  corrupt[0][100] = 7;
  EXPECT_EQ(Life(corrupt).service->generation(), kUnknown);
  // One copy of two that was cut by a kill: the other one counts.
  Disk cut = blank();
  {
    const Life life(cut);
  }
  {
    const Life life(cut);
  }
  cut[0][40] ^= 1;  // the newer
  EXPECT_EQ(Life(cut).service->generation(), 1u);
}

TEST(Journal, ARestartInTheRunningProcessIsRememberedByTheNextOne) {
  Disk disk = blank();
  {
    Life life(disk);
    life.service->restart();
    EXPECT_EQ(life.service->generation(), 1u);
  }
  EXPECT_EQ(Life(disk).service->generation(), 2u);
}

TEST(Journal, AKeyIsSentOnceHoweverOftenItIsPresentedAndWhoeverPresentsIt) {
  Disk disk = blank();
  Life life(disk);
  Session& one = life.session();
  Session& two = life.session();
  ASSERT_TRUE(one.submit("k", packet(1), Duration::zero(), 1));
  const auto again = one.submit("k", packet(1), Duration::zero(), 1);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error(), SubmitError::under_way);
  ASSERT_TRUE(two.submit("k", packet(1), Duration::zero(), 1));
  life.run(seconds(10));
  EXPECT_EQ(answers(one), Words{"k claimed"});
  EXPECT_EQ(answers(two), (Words{"k durable", "k sent"}));
  ASSERT_TRUE(one.submit("k", packet(1), Duration::zero(), 1));
  EXPECT_EQ(answers(one), (Words{"k durable", "k sent"}));
  EXPECT_EQ(life.radio.log.size(), 1u);
  const auto other = one.submit("k", packet(2), Duration::zero(), 1);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error(), SubmitError::key_reused);
}

TEST(Journal, NothingIsAcceptedBeforeTheDiskHasIt) {
  Disk disk = blank();
  Life life(disk);
  life.store->hangs = true;
  Session& session = life.session();
  ASSERT_TRUE(session.submit("k", packet(1), Duration::zero(), 1));
  life.run(seconds(10));
  EXPECT_EQ(answers(session), Words{});
  EXPECT_TRUE(life.radio.log.empty());
  life.store->relent();
  life.run(seconds(10));
  EXPECT_EQ(answers(session), (Words{"k durable", "k sent"}));
}

TEST(Journal, WithoutADiskASubmissionIsAcceptedAndSaysThatItIsNotDurable) {
  Disk disk = blank();
  Life life(disk);
  life.store->fails = true;
  Session& session = life.session();
  ASSERT_TRUE(session.submit("k", packet(1), Duration::zero(), 1));
  life.run(seconds(10));
  EXPECT_EQ(answers(session), (Words{"k fleeting", "k sent"}));
}

// A kill at each millisecond of the life of three submissions, and the run after it.
TEST(Journal, KilledAtAnyInstantNothingAcceptedIsLostAndNothingIsSentTwice) {
  int resumed = 0;
  int perhaps = 0;
  for (int ms = 0; ms < 1500; ms += 13) {
    Disk disk = blank();
    std::map<std::uint8_t, int> keyed;
    std::map<std::string, bool> accepted;
    Time killed;
    {
      Life life(disk);
      Session& session = life.session();
      for (std::uint8_t i = 0; i < 3; ++i) {
        const std::string key(1, static_cast<char>('a' + i));
        ASSERT_TRUE(session.submit(key, packet(i), milliseconds(100 * i), 1));
      }
      life.run(milliseconds(ms));
      for (const std::string& words : answers(session)) accepted[words.substr(0, 1)] = true;
      for (const auto& frame : life.radio.log) ++keyed[frame.frame.back()];
      killed = life.executor.now();
    }
    Life next(disk, killed + seconds(1));
    const std::size_t sent_before = keyed.size();
    Session& session = next.session();
    for (const auto& [key, yes] : accepted) {
      const auto known = session.claim(key);
      ASSERT_TRUE(known);
      EXPECT_TRUE(*known) << "accepted and lost: " << key << " at " << ms;
    }
    next.run(seconds(20));
    for (const auto& frame : next.radio.log) ++keyed[frame.frame.back()];
    resumed += static_cast<int>(keyed.size() - sent_before);
    for (const auto& [serial, times] : keyed) EXPECT_EQ(times, 1) << int{serial} << " at " << ms;
    std::size_t ended = 0;
    for (const std::string& words : answers(session)) {
      if (words.ends_with("durable")) continue;
      ++ended;
      const auto serial = static_cast<std::uint8_t>(words[0] - 'a');
      if (words.ends_with("perhaps")) ++perhaps;
      EXPECT_TRUE(words.ends_with("sent") || words.ends_with("perhaps")) << words;
      EXPECT_EQ(keyed[serial], 1) << words << " at " << ms;
    }
    EXPECT_EQ(ended, accepted.size()) << "at " << ms;
  }
  EXPECT_GT(resumed, 10);
  EXPECT_GT(perhaps, 10);
}

TEST(Journal, AfterAPowerCutWhatWasOpenIsNeverSentAgain) {
  Disk disk = blank();
  {
    Life life(disk);
    ASSERT_TRUE(life.session().submit("k", packet(1), seconds(30), 1));
    life.run(seconds(1));
  }
  Life next(disk, Time{} + seconds(5), kNextBoot);
  Session& session = next.session();
  const auto known = session.claim("k");
  ASSERT_TRUE(known);
  EXPECT_TRUE(*known);
  next.run(minutes(2));
  EXPECT_EQ(answers(session), (Words{"k durable", "k stopped perhaps"}));
  EXPECT_TRUE(next.radio.log.empty());
}

TEST(Journal, AnOrderlyStopIsNoRefusalTheNextRunSendsIt) {
  Disk disk = blank();
  {
    Life life(disk);
    ASSERT_TRUE(life.session().submit("k", packet(1), seconds(30), 1));
    life.run(seconds(1));
    life.stop_in_order();
  }
  Life next(disk, Time{} + seconds(5));
  next.run(minutes(1));
  EXPECT_EQ(next.radio.log.size(), 1u);
}

TEST(Journal, WhatComesTooLateAfterALongAbsenceHasExpired) {
  Disk disk = blank();
  {
    Life life(disk);
    ASSERT_TRUE(life.session().submit("k", packet(1), seconds(1), 1));
    life.run(milliseconds(500));
  }
  Life next(disk, Time{} + hours(5));
  Session& session = next.session();
  ASSERT_TRUE(session.claim("k"));
  next.run(minutes(1));
  EXPECT_EQ(answers(session), (Words{"k durable", "k expired"}));
  EXPECT_TRUE(next.radio.log.empty());
}

TEST(Journal, ARestartOfTheServiceKeepsWhatHasAKey) {
  Disk disk = blank();
  Life life(disk);
  Session& session = life.session();
  ASSERT_TRUE(session.submit("k", packet(1), seconds(5), 1));
  life.run(seconds(1));
  life.service->restart();
  life.run(seconds(10));
  SubmissionResult result;
  EXPECT_EQ(session.next_result(result), Access::restarted);
  EXPECT_EQ(answers(session), Words{});
  ASSERT_TRUE(session.claim("k"));
  EXPECT_EQ(answers(session), (Words{"k durable", "k sent"}));
  EXPECT_EQ(life.radio.log.size(), 1u);
}

TEST(Journal, WhatWasSentIsRememberedAndANewKeyIsRefusedWhenNothingMayBeForgotten) {
  Disk disk = blank();
  MemoryStore* store = nullptr;
  port::VirtualPort port;
  async::Executor executor(port);
  auto owned = std::make_unique<MemoryStore>(executor.wakes(), disk);
  store = owned.get();
  store->hangs = true;
  Journal journal(std::move(owned), kThisBoot, Time{}, Journal::Fresh::yes, kUnknown);
  for (std::size_t i = 0; i < Journal::kPlaces; ++i) {
    auto* const entry =
        journal.accept(nullptr, "key" + std::to_string(i), packet(1), Time{}, 1, Time{});
    ASSERT_NE(entry, nullptr);
    journal.close(*entry, tx::Sent{}, Time{} + seconds(static_cast<int>(i)));
  }
  const Time soon = Time{} + Journal::kRemembered - seconds(1);
  EXPECT_EQ(journal.accept(nullptr, "new", packet(1), soon, 1, soon), nullptr);
  const Time later = Time{} + Journal::kRemembered + seconds(1);
  EXPECT_NE(journal.accept(nullptr, "new", packet(1), later, 1, later), nullptr);
  EXPECT_EQ(journal.find("key0"), nullptr);
  EXPECT_NE(journal.find("key1"), nullptr);
}

TEST(Journal, AnyDamageIsReadAsLessNeverAsSomethingElse) {
  SeededRandom random(3);
  for (int round = 0; round < 60; ++round) {
    Disk disk = blank();
    {
      Life life(disk);
      ASSERT_TRUE(life.session().submit("k", packet(1), seconds(30), 1));
      life.run(seconds(1));
    }
    for (int damage = 0; damage < 3; ++damage) {
      disk[random.up_to(5)][random.up_to(Store::kRecord - 1)] ^=
          static_cast<std::uint8_t>(1 + random.up_to(254));
    }
    Life next(disk, Time{} + seconds(5));
    EXPECT_NE(next.service->generation(), 0u);
    next.run(minutes(1));
    EXPECT_LE(next.radio.log.size(), 1u);
    for (const auto& sent : next.radio.log) EXPECT_EQ(sent.frame, packet(1));
  }
}

}  // namespace
}  // namespace chappe::client
