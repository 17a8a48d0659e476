// What a start makes of what it finds: numbers worked out by hand (window 3600 s, limit 360 s).
#include "chappe/tx/restart.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include "chappe/base/hex.h"

namespace chappe::tx {
namespace {

constexpr Rule kHour{hours(1), seconds(360)};
constexpr std::span<const Rule> kRules{&kHour, 1};
constexpr AirtimeOwner kOwner = {1, 2, 3};

Time at_s(double s) {
  return at_us(std::llround(s * 1e6));
}
Duration for_s(double s) {
  return Duration(std::llround(s * 1e6));
}

struct Stored {
  Stored() {
    record.sequence = 5;
    record.owner = kOwner;
    record.written.boot = {7};
    record.written.now = at_s(1190);
    record.written.wall_us = 1'000'000'000'000'000;
    record.written.wall_is_set = true;
    record.window = hours(1);
    now = record.written;
    now.now = at_s(1200);
    now.wall_us += 10'000'000;
  }
  Stored& sent(std::vector<std::pair<double, double>> history) {
    for (const auto& [start, end] : history) {
      record.blocks[record.block_count++] = {at_s(start), at_s(end)};
    }
    return *this;
  }
  Restart begin(UnknownPast unknown = UnknownPast::exhausted) const {
    Found found;
    found.place = Found::Place::file;
    found.copies[1] = encode(record);
    return restart(found, kOwner, kRules, now, unknown);
  }
  double earliest(double at, double length) const {
    Ledger ledger(kRules);
    ledger.restore(begin().history());
    return static_cast<double>(in_us(ledger.earliest(for_s(length), at_s(at)))) / 1e6;
  }

  Record record;
  ClockReading now;
};

const std::vector<std::pair<double, double>> kThird = {{0, 200}, {1000, 1160}};

// The numbers of the scenarios are those of regulation 7.4.
TEST(Restart, Scenario12_InTheSameBootNothingChanges) {
  Stored stored;
  stored.sent(kThird);
  EXPECT_EQ(stored.begin().past, Past::same_boot);
  EXPECT_EQ(stored.earliest(1200, 10), 3600);
}

TEST(Restart, Scenario13_AfterARebootWithoutATrustedClockTheLastFrameEndedJustNow) {
  Stored stored;
  stored.sent(kThird);
  stored.now.boot = {8};
  stored.now.now = at_s(0);
  stored.now.wall_is_set = false;
  EXPECT_EQ(stored.begin().past, Past::untimed_reboot);
  EXPECT_EQ(stored.earliest(0, 10), 2440);
}

TEST(Restart, Scenario14_AStepOfTheWallClockInOneBootChangesNothing) {
  for (const double days : {-1.0, 1.0}) {
    Stored stored;
    stored.sent(kThird);
    stored.now.wall_us += static_cast<std::int64_t>(days * 86'400'000'000.0);
    EXPECT_EQ(stored.earliest(1200, 10), 3600);
  }
}

TEST(Restart, Scenario15_AFrameThatWasReservedWhenTheProcessDiedCounts) {
  Stored stored;
  stored.sent(kThird).sent({{1164, 1166}});
  EXPECT_EQ(stored.earliest(1200, 10), 3602);
  // And what was promised beyond it, as if it had been sent until this moment.
  stored.record.promised = seconds(15);
  EXPECT_EQ(stored.begin().presumed, Duration(seconds(15)));
  EXPECT_EQ(stored.earliest(1200, 10), 3617);
}

TEST(Restart, AfterARebootTheWallClockTellsHowLongItTook) {
  Stored stored;
  stored.sent(kThird);
  stored.now.boot = {8};
  stored.now.now = at_s(20);  // since the machine is up
  stored.now.wall_us = stored.record.written.wall_us + 610'000'000;
  EXPECT_EQ(stored.begin().past, Past::timed_reboot);
  // 1190 + 610 - 20 = 1780 is the new zero; two readings may be wrong by two seconds.
  EXPECT_EQ(stored.earliest(20, 10), 3600 - 1780 + 2);
}

TEST(Restart, AWallClockThatCannotBeRightIsNotTrusted) {
  for (const std::int64_t step_s : {-1LL, 5LL, 11LL * 365 * 86'400}) {
    Stored stored;
    stored.sent(kThird);
    stored.now.boot = {8};
    stored.now.now = at_s(20);
    stored.now.wall_us = stored.record.written.wall_us + step_s * 1'000'000;
    EXPECT_EQ(stored.begin().past, Past::untimed_reboot) << step_s;
  }
  Stored unset;
  unset.sent(kThird);
  unset.record.written.wall_is_set = false;
  unset.now.boot = {8};
  EXPECT_EQ(unset.begin().past, Past::untimed_reboot);
}

TEST(Restart, AnUnknownPastCountsAsTheWholeBudgetSpentJustNow) {
  const auto is_unknown_past = [](const Stored& stored, Past past) {
    EXPECT_EQ(stored.begin().past, past);
    EXPECT_EQ(stored.earliest(1200, 1), 1200 + 3600 - 360);
  };
  Stored foreign;
  foreign.record.owner = {9};
  is_unknown_past(foreign, Past::foreign);
  Stored from_the_future;
  from_the_future.record.written.now = at_s(1201);
  is_unknown_past(from_the_future, Past::foreign);
  Stored too_short;
  too_short.record.window = minutes(59);
  is_unknown_past(too_short, Past::too_short);

  const ClockReading now = foreign.now;
  Found found;
  EXPECT_EQ(restart(found, kOwner, kRules, now, UnknownPast::exhausted).past, Past::lost);
  found.place = Found::Place::file;
  EXPECT_EQ(restart(found, kOwner, kRules, now, UnknownPast::exhausted).past, Past::damaged);
}

TEST(Restart, AnUnknownPastMayBePacedInstead) {
  Found found;
  ClockReading now;
  now.now = at_s(0);
  const Restart paced = restart(found, kOwner, kRules, now, UnknownPast::paced);
  Ledger ledger(kRules);
  ledger.restore(paced.history());
  for (const double t : {60.0, 600.0, 3000.0}) {
    // What is free is the share of the time since the start.
    const double free = 360 - static_cast<double>(in_us(ledger.spent(kHour, at_s(t)))) / 1e6;
    EXPECT_NEAR(free, t / 10, 3.1);
    EXPECT_LE(free, t / 10);
  }
}

TEST(Restart, ANewDirectoryHasAnEmptyHistory) {
  Found found;
  found.place = Found::Place::new_directory;
  const Restart fresh = restart(found, kOwner, kRules, {}, UnknownPast::exhausted);
  EXPECT_EQ(fresh.past, Past::none);
  EXPECT_TRUE(fresh.history().empty());
}

TEST(Restart, TheNewerCopyCountsAlsoWhenTheNumbersHaveWrapped) {
  Stored older;
  older.record.sequence = 0xffffffff;
  Stored newer;
  newer.record.sequence = 0;
  newer.sent(kThird);
  for (const std::size_t place : {0u, 1u}) {
    Found found;
    found.place = Found::Place::file;
    found.copies[place] = encode(newer.record);
    found.copies[1 - place] = encode(older.record);
    const Restart begun = restart(found, kOwner, kRules, older.now, UnknownPast::exhausted);
    EXPECT_EQ(begun.sequence, 0u);
    EXPECT_EQ(begun.next_copy, 1 - place);
    EXPECT_EQ(begun.history().size(), 2u);
  }
}

// The example of docs/formats/airtime.md.
TEST(Record, IsWhatTheFormatsPageSays) {
  Record record;
  record.sequence = 1;
  record.window = hours(1);
  const std::string_view digits =
      "63686170706541310100000000000000000000000000000000000000000000000000000000000000"
      "00000000000000000000000000000000000000000000a493d60000000000000000000000000000f6"
      "b2191b";
  RecordBytes expected;
  expected.resize(digits.size() / 2);
  ASSERT_TRUE(from_hex(digits, {expected.data(), expected.size()}));
  EXPECT_EQ(encode(record), expected);
}

TEST(Record, IsReadBackAsItWasAndNoDamagePassesForIt) {
  Stored stored;
  stored.sent(kThird);
  stored.record.promised = seconds(15);
  const RecordBytes bytes = encode(stored.record);
  const auto back = decode(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(encode(*back), bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_FALSE(decode(bytes.view().first(size))) << size;
  }
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    RecordBytes damaged = bytes;
    damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ 1u << bit % 8);
    ASSERT_FALSE(decode(damaged)) << bit;
  }
  // A shorter record over a longer one is whole.
  Stored longer;
  longer.sent(kThird).sent({{1170, 1180}});
  RecordBytes over = encode(longer.record);
  std::copy_n(bytes.data(), bytes.size(), over.data());
  EXPECT_TRUE(decode(over));
}

}  // namespace
}  // namespace chappe::tx
