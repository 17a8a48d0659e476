#include "chappe/tx/lease.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <vector>

#include "chappe/base/random.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/radio/airtime.h"
#include "chappe/sim/flaky_journal.h"
#include "chappe/sim/scripted_radio.h"
#include "chappe/tx/transmitter.h"

namespace chappe::tx {
namespace {

constexpr AirtimeOwner kOwner = {1, 2, 3};
constexpr Rule kHour{hours(1), seconds(360)};
constexpr std::array<std::uint8_t, 100> kHundredBytes{};

/// A node's transmit path from a start to an end of any kind.
struct Life {
  Life(sim::Disk& on,
       const ClockReading& clock,
       std::span<const Rule> rules,
       const Lease::Terms& terms,
       Time from = {},
       std::uint64_t seed = 1)
      : port(from),
        random(seed),
        ledger(rules),
        journal(executor, on),
        lease(executor, ledger, journal, kOwner, terms),
        transmitter(executor, radio, lease, random, Policy{}) {
    journal.clock = clock;
    begun = restart(found_on(on), kOwner, rules, journal.clocks(), UnknownPast::exhausted);
    lease.start(begun);
    transmitter.start();
  }
  void run_for(Duration span) { port.run(executor, executor.now() + span); }
  void submit(Bytes frame, Time expiry = kNever, Origin origin = Origin::relay) {
    Submission submission;
    submission.frame = frame;
    submission.expiry = expiry;
    submission.origin = origin;
    transmitter.submit(submission);
  }

  port::VirtualPort port;
  async::Executor executor{port};
  SeededRandom random;
  sim::ScriptedRadio radio{executor};
  Ledger ledger;
  sim::FlakyJournal journal;
  Restart begun;
  Lease lease;
  Transmitter transmitter;
};

class LeaseTest : public testing::Test {
 protected:
  Lease::Terms terms() const { return Lease::terms_for({&kHour, 1}); }
  Life& live(Time from = {}) {
    life_.reset();
    life_ = std::make_unique<Life>(disk_, ClockReading{}, std::span(&kHour, 1), terms(), from);
    return *life_;
  }
  sim::Disk disk_;
  std::unique_ptr<Life> life_;
};

TEST_F(LeaseTest, PromisesOnceAtTheStartAndWritesNothingWhileIdle) {
  Life& life = live();
  life.run_for(hours(10));
  EXPECT_EQ(life.lease.write_count(), 1u);
  EXPECT_EQ(disk_.writes, 2u);  // each copy once
}

TEST_F(LeaseTest, AtSaturationWritesASmallRecordPerTenSecondsOfAirtimeAndUsesTheWholeBudget) {
  Life& life = live();
  for (int i = 0; i < 3 * 3600; ++i) {
    life.submit(kHundredBytes);
    life.run_for(seconds(1));
  }
  const auto sent = static_cast<std::uint64_t>(life.ledger.total() / seconds(1));
  EXPECT_GT(sent, 3 * 360u * 99 / 100);
  EXPECT_LE(life.lease.write_count(), 1 + sent / 10);
  EXPECT_LT(disk_.bytes / disk_.writes, 2048u);
}

TEST_F(LeaseTest, NothingIsKeyedBeforeItsPromiseIsOnTheDisk) {
  Life& life = live();
  life.journal.takes = seconds(5);
  life.submit(kHundredBytes);
  life.run_for(milliseconds(9'999));  // two copies of five seconds
  EXPECT_TRUE(life.radio.log.empty());
  life.run_for(seconds(1));
  EXPECT_EQ(life.radio.log.size(), 1u);
}

TEST_F(LeaseTest, TheGateRefusesWhatIsNotPromised) {
  Life& life = live();
  EXPECT_FALSE(life.lease.reserve(seconds(1), life.executor.now()));
  life.run_for(seconds(1));
  EXPECT_TRUE(life.lease.reserve(seconds(1), life.executor.now()));
  EXPECT_FALSE(life.lease.reserve(seconds(15), life.executor.now()));
}

TEST_F(LeaseTest, TheDiskIsNotWaitedForWhileThereIsAPromise) {
  Life& life = live();
  life.run_for(seconds(1));
  life.journal.takes = seconds(8);
  for (int i = 0; i < 20; ++i) life.submit(kHundredBytes);  // 20.7 s: more than a lease
  life.run_for(seconds(12));
  // Back to back: the second record was begun when a margin was left.
  EXPECT_GE(life.radio.log.size(), 10u);
}

TEST_F(LeaseTest, ACrashCostsAtMostTheRestOfOneLease) {
  Life& life = live();
  for (int i = 0; i < 60; ++i) life.submit(kHundredBytes);
  life.run_for(seconds(33));
  const Duration sent = life.ledger.total();
  const Time now = life.executor.now();
  Life& next = live(now);
  EXPECT_EQ(next.begun.past, Past::same_boot);
  const Duration remembered = next.ledger.spent(kHour, now + seconds(20));
  EXPECT_GE(remembered, sent);
  EXPECT_LE(remembered, sent + terms().size + terms().margin);
}

TEST_F(LeaseTest, AnOrderlyEndCostsNothing) {
  Life& life = live();
  for (int i = 0; i < 10; ++i) life.submit(kHundredBytes);
  life.run_for(seconds(33));
  const Duration sent = life.ledger.total();
  life.transmitter.stop();
  life.lease.stop();
  const RecordBytes closing = life.lease.closing_record();
  for (auto& copy : disk_.copies) copy.assign(closing.view().begin(), closing.view().end());
  Life& next = live(life.executor.now());
  EXPECT_EQ(next.ledger.spent(kHour, next.executor.now()), sent);
}

// Frames are refused by name as long as the disk takes nothing, and go again as soon as it does.
TEST_F(LeaseTest, AFullDiskRefusesByNameAndIsTriedAgain) {
  Life& life = live();
  life.run_for(seconds(1));
  life.journal.full = true;
  for (int i = 0; i < 40; ++i) {
    life.submit(kHundredBytes);
    life.run_for(seconds(2));
  }
  const auto refused = [&] {
    return life.transmitter.statistics()
        .refused_at_gate[static_cast<std::size_t>(Why::not_durable)];
  };
  EXPECT_LE(life.ledger.total(), terms().size + terms().margin);
  EXPECT_GT(refused(), 20u);
  EXPECT_TRUE(life.lease.is_failing());
  EXPECT_GT(life.lease.failure_count(), 3u);
  EXPECT_LT(life.lease.failure_count(), 12u);  // not at every frame
  life.journal.full = false;
  life.run_for(minutes(1));
  EXPECT_FALSE(life.lease.is_failing());
  const std::uint64_t before = refused();
  life.submit(kHundredBytes);
  life.run_for(seconds(5));
  EXPECT_EQ(refused(), before);
  EXPECT_TRUE(life.transmitter.statistics().balances());
}

// --- The whole of it, at random
// -------------------------------------------------------------------

// A node that is cut off again and again, and an independent log of what its radio did, in a time
// that no restart touches.
class Torture {
 public:
  explicit Torture(std::uint64_t seed) : random_(seed) {
    clock_.boot = {1};
    clock_.wall_is_set = random_.up_to(1) == 0;
  }

  void live_and_die() {
    const std::int64_t offset = true_us_ - boot_us_;  // of the node's clock at this start
    Life life(disk_, clock_, kRules, kTerms, at_us(offset), random_.next());
    life.journal.takes = Duration(random_.up_to(400'000));
    const std::uint32_t ways = random_.up_to(5);
    const Time death = at_us(offset + random_.up_to(40'000'000));
    while (life.executor.now() < death) {
      act(life);
      // The machine sleeps: its clock counts on, and whatever was due is late.
      if (random_.up_to(9) == 0) life.port.skip(Duration(random_.up_to(5'000'000)));
      const Duration step(random_.up_to(3'000'000));
      life.port.run(life.executor, std::min(death, life.executor.now() + step));
    }
    if (ways < 3) {
      // Somewhere in a write, at any byte, if one is under way.
      for (int i = 0; i < 200 && life.journal.bytes_under_way() == 0; ++i) {
        life.run_for(Duration(random_.up_to(20'000)));
      }
      const auto bytes = static_cast<std::uint32_t>(life.journal.bytes_under_way());
      cuts_ += life.journal.cut_power(random_.up_to(bytes)) ? 1u : 0u;
    } else if (ways == 3) {
      life.transmitter.stop();
      life.lease.stop();
      const RecordBytes closing = life.lease.closing_record();
      for (auto& copy : disk_.copies) copy.assign(closing.view().begin(), closing.view().end());
      disk_.exists = true;
    }
    for (const auto& keyed : life.radio.log) {
      log_.emplace_back(in_us(keyed.from) + boot_us_, in_us(keyed.to) + boot_us_);
    }
    // Down for a while, or longer; what is on the air goes on to its end.
    true_us_ = in_us(life.executor.now()) + boot_us_;
    if (!log_.empty()) true_us_ = std::max(true_us_, log_.back().second);
    true_us_ += random_.up_to(random_.up_to(3) == 0 ? 70'000'000 : 2'000'000);
    happen_outside();
  }

  void check(std::uint64_t seed) const {
    for (const Rule& rule : kRules) {
      for (std::size_t last = 0; last < log_.size(); ++last) {
        const std::int64_t edge = log_[last].second - in_us(rule.window);
        std::int64_t sum = 0;
        for (std::size_t i = last + 1; i-- > 0 && log_[i].second > edge;) {
          sum += log_[i].second - std::max(log_[i].first, edge);
        }
        ASSERT_LE(sum, in_us(rule.limit)) << "seed " << seed << ", frame " << last;
        if (last > 0) {
          ASSERT_LE(log_[last - 1].second, log_[last].first) << "seed " << seed;
        }
      }
    }
  }
  std::size_t sent() const { return log_.size(); }
  std::uint64_t cuts() const { return cuts_; }

 private:
  static constexpr Rule kRulesOfThis[] = {{seconds(60), seconds(6)}, {seconds(10), seconds(3)}};
  static constexpr std::span<const Rule> kRules{kRulesOfThis};
  static constexpr Lease::Terms kTerms{milliseconds(600), milliseconds(300)};

  void act(Life& life) {
    const std::array<std::uint8_t, 255> bytes{};
    for (std::uint32_t burst = random_.up_to(8); burst > 0; --burst) {
      const Time expiry = random_.up_to(2) == 0 ? life.executor.now() + seconds(5) : kNever;
      const Origin origin = random_.up_to(3) == 0 ? Origin::local : Origin::relay;
      life.submit(Bytes(bytes).first(1 + random_.up_to(30)), expiry, origin);
    }
    switch (random_.up_to(9)) {
      case 0:
        life.radio.script.push_back(sim::ScriptedRadio::Next::fail_unkeyed);
        break;
      case 1:
        life.radio.script.push_back(sim::ScriptedRadio::Next::fail_unsure);
        break;
      case 2:
        life.radio.busy_until = life.executor.now() + Duration(random_.up_to(6'000'000));
        break;
      case 3:
        life.journal.full = !life.journal.full;
        break;
      default:
        break;
    }
  }

  // The process starts again in the same boot, or the machine does, or somebody sets its clock.
  void happen_outside() {
    if (random_.up_to(1) == 0) return;
    const std::int64_t wall_error = clock_.wall_us - boot_us_;
    clock_.boot[1] = static_cast<std::uint8_t>(clock_.boot[1] + 1);
    boot_us_ = true_us_ - random_.up_to(1'000'000);
    clock_.wall_us = boot_us_ + wall_error;
    switch (random_.up_to(3)) {
      case 0:  // set by hand: not to be trusted from here on
        clock_.wall_us += static_cast<std::int64_t>(random_.next()) * 50'000 - 100'000'000'000'000;
        clock_.wall_is_set = false;
        break;
      case 1:  // by a time server
        clock_.wall_us = boot_us_ + kUnix;
        clock_.wall_is_set = true;
        break;
      default:
        break;
    }
  }

  static constexpr std::int64_t kUnix = 1'800'000'000'000'000;
  SeededRandom random_;
  sim::Disk disk_;
  ClockReading clock_{.wall_us = kUnix};
  std::int64_t true_us_ = 1'000'000;
  std::int64_t boot_us_ = 0;  // true time of the node's time 0
  std::vector<std::pair<std::int64_t, std::int64_t>> log_;
  std::uint64_t cuts_ = 0;
};

// --- Every place at which it can die -------------------------------------------------------------

/// One short life, the same each time until it dies, and what the next one makes of it.
class EveryDeath : public testing::Test {
 protected:
  static constexpr Rule kRule{seconds(60), seconds(6)};
  static constexpr std::span<const Rule> kRules{&kRule, 1};
  static constexpr Lease::Terms kTerms{milliseconds(600), milliseconds(300)};

  /// Before its first step it has sent for two seconds in a life that ended well.
  EveryDeath() {
    Life life(disk_, kClock, kRules, kTerms);
    for (int i = 0; i < 6; ++i) life.submit(kTwentyBytes);
    life.run_for(seconds(4));
    before_ = life.ledger.total();
    end_well(life);
    start_ = life.executor.now();
  }

  std::unique_ptr<Life> begin(sim::Disk& disk) const {
    auto life = std::make_unique<Life>(disk, kClock, kRules, kTerms, start_);
    for (int i = 0; i < 8; ++i) life->submit(kTwentyBytes);
    return life;
  }
  /// The next life, in the same boot and in another one: never less than what was radiated.
  void expect_remembered(const Life& dead, const sim::Disk& disk) const {
    Duration radiated = before_;
    const Time now = dead.executor.now();
    for (const auto& keyed : dead.radio.log) radiated += std::min(keyed.to, now) - keyed.from;
    for (const std::uint8_t boot : {std::uint8_t{1}, std::uint8_t{2}}) {
      ClockReading clock = kClock;
      clock.boot = {boot};
      sim::Disk copy = disk;
      const Life next(copy, clock, kRules, kTerms, now);
      ASSERT_GE(next.ledger.spent(kRule, now), radiated) << "boot " << int{boot};
      ASSERT_FALSE(is_unknown(next.begun.past)) << to_string(next.begun.past);
    }
  }
  void end_well(Life& life) {
    life.transmitter.stop();
    life.lease.stop();
    const RecordBytes closing = life.lease.closing_record();
    for (auto& copy : disk_.copies) copy.assign(closing.view().begin(), closing.view().end());
    disk_.exists = true;
  }

  static constexpr std::array<std::uint8_t, 20> kTwentyBytes{};
  static constexpr ClockReading kClock{.boot = {1}};
  sim::Disk disk_;
  Duration before_{};
  Time start_{};
};

TEST_F(EveryDeath, AtEveryStepIsRemembered) {
  std::size_t deaths = 0;
  for (Duration age{}; age < seconds(4); age += milliseconds(5)) {
    sim::Disk disk = disk_;
    const auto life = begin(disk);
    life->run_for(age);
    expect_remembered(*life, disk);
    ASSERT_FALSE(HasFatalFailure()) << "at the age of " << in_ms(age) << " ms";
    deaths += life->radio.log.empty() ? 0u : 1u;
  }
  EXPECT_GT(deaths, 700u);
}

TEST_F(EveryDeath, AtEveryByteOfEveryWriteIsRemembered) {
  std::size_t writes = 0;
  std::size_t deaths = 0;
  sim::Disk intact = disk_;
  const auto whole = begin(intact);
  while (whole->executor.now() < start_ + seconds(4)) {
    const std::uint64_t done = intact.writes;
    whole->run_for(milliseconds(1));
    const std::size_t bytes = whole->journal.bytes_under_way();
    if (bytes == 0 || (writes > 0 && intact.writes == done)) continue;
    ++writes;
    const Duration age = whole->executor.now() - start_;
    for (std::size_t byte = 0; byte <= bytes; ++byte) {
      sim::Disk disk = disk_;
      const auto life = begin(disk);
      life->run_for(age);
      ASSERT_TRUE(life->journal.cut_power(byte));
      expect_remembered(*life, disk);
      ASSERT_FALSE(HasFatalFailure()) << "write " << writes << ", byte " << byte;
      ++deaths;
    }
  }
  EXPECT_GE(writes, 8u);
  EXPECT_GT(deaths, 1000u);
}

// A thousand runs, with CHAPPE_SOAK in the environment a million, in ten parts that may run side by
// side.
class TortureTest : public testing::TestWithParam<std::uint64_t> {};

TEST_P(TortureTest, NoCrashNoDiskAndNoClockMakesAnyWindowTooFull) {
  const std::uint64_t runs = std::getenv("CHAPPE_SOAK") == nullptr ? 100 : 100'000;
  std::size_t sent = 0;
  std::uint64_t cuts = 0;
  for (std::uint64_t seed = 1 + GetParam() * runs; seed <= (GetParam() + 1) * runs; ++seed) {
    Torture torture(seed);
    for (int life = 0; life < 6; ++life) torture.live_and_die();
    torture.check(seed);
    if (testing::Test::HasFatalFailure()) return;
    sent += torture.sent();
    cuts += torture.cuts();
  }
  EXPECT_GT(sent, runs * 20);
  EXPECT_GT(cuts, runs / 2);
}

INSTANTIATE_TEST_SUITE_P(Part, TortureTest, testing::Range<std::uint64_t>(0, 10));

}  // namespace
}  // namespace chappe::tx
