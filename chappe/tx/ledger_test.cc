#include "chappe/tx/ledger.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>
#include <vector>

#include "chappe/base/random.h"

namespace chappe::tx {
namespace {

Time at_s(double s) {
  return at_us(std::llround(s * 1e6));
}
Duration for_s(double s) {
  return Duration(std::llround(s * 1e6));
}

constexpr Rule kHour{hours(1), seconds(360)};

/// A ledger under the hourly rule with a history of (start, end) in seconds.
class History {
 public:
  explicit History(std::vector<std::pair<double, double>> sent) {
    for (const auto& [start, end] : sent) {
      auto reservation = ledger.reserve(for_s(end - start), at_s(start));
      EXPECT_TRUE(reservation);
      if (reservation) reservation->commit(at_s(start), for_s(end - start));
    }
  }
  double earliest(double at, double length) {
    const Time start = ledger.earliest(for_s(length), at_s(at));
    return start == kNever ? -1 : static_cast<double>(in_us(start)) / 1e6;
  }
  Ledger ledger{std::span<const Rule>(&kHour, 1)};
};

// The numeric scenarios that need no restart.
TEST(Ledger, AllowsTheWholeBudgetAtOnceAndNotAMicrosecondMore) {
  EXPECT_EQ(History({}).earliest(0, 360), 0);
  EXPECT_EQ(History({}).earliest(0, 360.001), -1);
}

TEST(Ledger, FindsTheEarliestStartThroughSeveralEntries) {
  const std::vector<std::pair<double, double>> sent = {{0, 200}, {1000, 1160}};
  EXPECT_EQ(History(sent).earliest(1200, 10), 3600);
  EXPECT_EQ(History(sent).earliest(1200, 30), 3600);
  EXPECT_EQ(History(sent).earliest(1200, 200), 3600);
  EXPECT_EQ(History(sent).earliest(1200, 250), 4400);
}

TEST(Ledger, FillsTheWindowExactly) {
  EXPECT_EQ(History({{0, 359}}).earliest(359, 1), 359);
  EXPECT_EQ(History({{0, 359}}).earliest(359, 2), 3599);
  EXPECT_EQ(History({{0, 360}}).earliest(3599, 1), 3600);
  EXPECT_EQ(History({{0, 360}}).earliest(3600, 360), 3600);
}

TEST(Ledger, SustainsASteadyRhythmForEver) {
  std::vector<std::pair<double, double>> sent;
  for (int i = 0; i < 100; ++i) sent.emplace_back(36.0 * i, 36.0 * i + 3.6);
  EXPECT_EQ(History(sent).earliest(3567.6, 3.6), 3600);
}

TEST(Ledger, ObeysAllRulesAtOnce) {
  const Rule rules[] = {{minutes(1), seconds(10)}, {hours(1), seconds(12)}};
  Ledger ledger(rules);
  ledger.reserve(seconds(10), at_s(0))->commit(at_s(0), seconds(10));
  EXPECT_FALSE(ledger.reserve(seconds(1), at_s(20)));
  EXPECT_EQ(ledger.earliest(seconds(1), at_s(20)), at_s(60));
  ledger.reserve(seconds(2), at_s(70))->commit(at_s(70), seconds(2));
  EXPECT_EQ(ledger.earliest(seconds(1), at_s(200)), at_s(3600));
}

TEST(Ledger, KeepsThePauseAndTheLongestTransmission) {
  Ledger ledger({}, SingleLimits{milliseconds(400), milliseconds(50)});
  EXPECT_EQ(ledger.earliest(milliseconds(401), at_s(0)), kNever);
  EXPECT_FALSE(ledger.reserve(milliseconds(401), at_s(0)));
  ledger.reserve(milliseconds(400), at_s(1))->commit(at_s(1), milliseconds(400));
  EXPECT_EQ(ledger.earliest(milliseconds(10), at_s(1.4)), at_s(1.45));
  EXPECT_FALSE(ledger.reserve(milliseconds(10), at_s(1.449999)));
  EXPECT_TRUE(ledger.reserve(milliseconds(10), at_s(1.45)));
}

TEST(Ledger, WithNoRulesEverythingIsLegal) {
  Ledger ledger({});
  EXPECT_EQ(ledger.earliest(hours(5), at_s(3)), at_s(3));
  EXPECT_TRUE(ledger.reserve(hours(5), at_s(3)));
}

TEST(Ledger, WhatIsCancelledIsGivenBackAndWhatIsUnsureStays) {
  Ledger ledger(std::span<const Rule>(&kHour, 1));
  ledger.reserve(seconds(300), at_s(0))->cancel();
  EXPECT_EQ(ledger.spent(kHour, at_s(1)), Duration::zero());
  ledger.reserve(seconds(200), at_s(1))->keep(at_s(201));
  EXPECT_TRUE(ledger.reserve(seconds(100), at_s(300)));  // dropped on the floor: stays spent
  EXPECT_EQ(ledger.spent(kHour, at_s(500)), Duration(seconds(300)));
  EXPECT_FALSE(ledger.reserve(seconds(61), at_s(500)));
  EXPECT_TRUE(ledger.reserve(seconds(60), at_s(500)));
  EXPECT_EQ(ledger.spent_ppm(at_s(560)), 1'000'000u);
}

TEST(Ledger, TheMeasuredAirtimeReplacesTheReservedOne) {
  Ledger ledger(std::span<const Rule>(&kHour, 1));
  ledger.reserve(seconds(300), at_s(0))->commit(at_s(0), seconds(100));
  EXPECT_EQ(ledger.spent(kHour, at_s(300)), Duration(seconds(100)));
  EXPECT_TRUE(ledger.reserve(seconds(260), at_s(300)));
}

TEST(Ledger, TwoRadiosWithOpenReservationsShareOneBudget) {
  Ledger ledger(std::span<const Rule>(&kHour, 1));
  auto first = ledger.reserve(seconds(200), at_s(0));
  auto second = ledger.reserve(seconds(160), at_s(1));
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(ledger.reserve(seconds(1), at_s(2)));
  first->cancel();
  EXPECT_TRUE(ledger.reserve(seconds(200), at_s(3)));
}

// The oldest frame began more than a window ago, and most of it is still inside.
TEST(Ledger, TheTailOfALongFrameCountsWhenTwoRadiosAsk) {
  Ledger ledger(std::span<const Rule>(&kHour, 1));
  ledger.reserve(seconds(300), at_s(0))->commit(at_s(0), seconds(300));
  ledger.reserve(seconds(60), at_s(1000))->commit(at_s(1000), seconds(60));
  const auto first = ledger.reserve(seconds(100), at_s(3601));
  EXPECT_TRUE(first);
  EXPECT_FALSE(ledger.reserve(seconds(200), at_s(3601)));
}

TEST(LedgerDeathTest, SettlingTwicePanics) {
  Ledger ledger(std::span<const Rule>(&kHour, 1));
  auto reservation = ledger.reserve(seconds(1), at_s(0));
  reservation->commit(at_s(0), seconds(1));
  EXPECT_DEATH(reservation->cancel(), "law_ != nullptr");
}

// What was radiated, counted by brute force from a list of its own, in every window that ends where
// a frame ends: no other window can be fuller.
std::int64_t fullest_window(const std::vector<std::pair<std::int64_t, std::int64_t>>& sent,
                            std::int64_t window) {
  std::int64_t most = 0;
  for (std::size_t last = 0; last < sent.size(); ++last) {
    const std::int64_t edge = sent[last].second - window;
    std::int64_t sum = 0;
    for (std::size_t i = last + 1; i-- > 0 && sent[i].second > edge;) {
      sum += sent[i].second - std::max(sent[i].first, edge);
    }
    most = std::max(most, sum);
  }
  return most;
}

TEST(Ledger, NoWindowIsEverOverFullUnderSaturationAndTheBudgetIsUsed) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SeededRandom random(seed);
    const Rule rules[] = {{seconds(60), seconds(5)}, {seconds(600), seconds(40)}};
    Ledger ledger(rules);
    std::vector<std::pair<std::int64_t, std::int64_t>> sent;
    std::int64_t now = random.up_to(1'000'000);
    while (now < 3'600'000'000) {
      const Duration length(50'000 + random.up_to(2'000'000));
      const Time start = ledger.earliest(length, at_us(now));
      ASSERT_NE(start, kNever);
      // One microsecond earlier would break a rule.
      if (in_us(start) > now) {
        ASSERT_FALSE(ledger.reserve(length, start - Duration(1)));
      }
      auto reservation = ledger.reserve(length, start);
      ASSERT_TRUE(reservation);
      now = in_us(start);
      switch (random.up_to(9)) {
        case 0:
          reservation->cancel();
          break;
        case 1:
          reservation->keep(start + length);
          sent.emplace_back(now, now + in_us(length));
          now += in_us(length);
          break;
        default:
          reservation->commit(start, length);
          sent.emplace_back(now, now + in_us(length));
          now += in_us(length);
          break;
      }
      if (random.up_to(5) == 0) now += random.up_to(20'000'000);
    }
    for (const Rule& rule : rules) {
      const std::int64_t most = fullest_window(sent, in_us(rule.window));
      ASSERT_LE(most, in_us(rule.limit)) << "seed " << seed;
    }
    EXPECT_GT(fullest_window(sent, in_us(rules[1].window)), in_us(rules[1].limit) * 9 / 10);
  }
}

// The radio keyed later than it was told to: its window ends later too.
TEST(Ledger, CountsAFrameFromWhenItWasReallyKeyed) {
  Ledger ledger(std::span<const Rule>(&kHour, 1));
  ledger.reserve(seconds(360), at_s(0))->commit(at_s(0.5), seconds(360));
  EXPECT_EQ(ledger.earliest(seconds(1), at_s(400)), at_s(3600.5));
}

TEST(Ledger, BooksWhatIsUnsureAsLateAsItCanHaveBeen) {
  Ledger ledger(std::span<const Rule>(&kHour, 1));
  ledger.reserve(seconds(360), at_s(0))->keep(at_s(370));
  EXPECT_EQ(ledger.earliest(seconds(1), at_s(400)), at_s(3610));
}

TEST(Ledger, TheTailOfAFrameThatBeganBeforeTheWindowStillCounts) {
  const Rule rule{hours(1), seconds(360)};
  Ledger ledger(std::span<const Rule>(&rule, 1));
  const Block old{Time{}, Time(seconds(200))};
  ledger.restore({&old, 1});
  const Time now(seconds(3700));
  ledger.reserve(seconds(1), now)->commit(now, seconds(1));
  EXPECT_EQ(ledger.spent(rule, now + seconds(1)), Duration(seconds(99 + 1)));
}

TEST(Ledger, TellsTheShareSpentOfALimitOfYears) {
  const Rule decades{hours(24 * 365 * 40), hours(24 * 365 * 20)};
  Ledger ledger(std::span<const Rule>(&decades, 1));
  ledger.reserve(hours(24 * 365 * 10), at_s(0))->keep(at_s(0));
  EXPECT_EQ(ledger.spent_ppm(at_s(0) + hours(24 * 365 * 10)), 500'000u);
  EXPECT_EQ(ledger.usage(at_s(0) + hours(24 * 365 * 10)).limit, decades.limit);
}

TEST(Ledger, GoesOnWithARestoredHistoryAsIfItHadNeverStopped) {
  const Block history[] = {{at_s(-3000), at_s(-2800)}, {at_s(-100), at_s(60)}};
  Ledger ledger(std::span<const Rule>(&kHour, 1));
  ledger.restore(history);
  EXPECT_EQ(ledger.total(), Duration::zero());
  EXPECT_EQ(ledger.earliest(seconds(10), at_s(100)), at_s(600));
  Block told[8];
  ASSERT_EQ(ledger.history(at_s(100), told), 2u);
  EXPECT_EQ(told[0].start, at_s(-3000));
  EXPECT_EQ(told[1].end, at_s(60));
  // What no longer counts is not told.
  ASSERT_EQ(ledger.history(at_s(800.5), told), 1u);
  EXPECT_EQ(told[0].start, at_s(-100));
}

TEST(Ledger, AHistoryInFewBlocksIsNeverEarlierThanTheTruth) {
  SeededRandom random(7);
  Ledger exact(std::span<const Rule>(&kHour, 1));
  std::int64_t now = 0;
  while (now < 3'600'000'000) {
    const Duration length(50'000 + random.up_to(500'000));
    exact.reserve(length, at_us(now))->commit(at_us(now), length);
    now += 5'000'000 + random.up_to(6'000'000);
  }
  Block told[40];
  const std::size_t count = exact.history(at_us(now), told);
  EXPECT_LE(count, 40u);
  Ledger again(std::span<const Rule>(&kHour, 1));
  again.restore({told, count});
  std::int64_t worst = 0;
  for (std::int64_t at = now; at < now + 3'600'000'000; at += 1'000'000) {
    const std::int64_t more = in_us(again.spent(kHour, at_us(at)) - exact.spent(kHour, at_us(at)));
    ASSERT_GE(more, 0);
    worst = std::max(worst, more);
  }
  EXPECT_LT(worst, 360'000'000 / 30);  // about one of 38 slots
}

TEST(Ledger, AFullTableForgetsNothingItMustKnow) {
  const Rule rule{hours(1), seconds(360)};
  Ledger ledger(std::span<const Rule>(&rule, 1));
  std::vector<std::pair<std::int64_t, std::int64_t>> sent;
  std::int64_t now = 0;
  // Ten times as many entries as there is room for, each so short that the hour never fills.
  for (std::size_t i = 0; i < 10 * Ledger::kEntriesMax; ++i) {
    auto reservation = ledger.reserve(Duration(1'000), at_us(now));
    ASSERT_TRUE(reservation);
    reservation->commit(at_us(now), Duration(1'000));
    sent.emplace_back(now, now + 1'000);
    now += 100'000;
  }
  std::int64_t real = 0;
  for (const auto& [start, end] : sent) {
    if (end > now - in_us(rule.window)) real += end - std::max(start, now - in_us(rule.window));
  }
  EXPECT_GE(in_us(ledger.spent(rule, at_us(now))), real);
}

// A microcontroller's table: full all the time.
TEST(Ledger, TheSmallOneObeysTooAndLosesAboutASixtyFourth) {
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    SeededRandom random(seed);
    const Rule rule{hours(1), seconds(360)};
    SmallLedger ledger(std::span<const Rule>(&rule, 1));
    std::vector<std::pair<std::int64_t, std::int64_t>> sent;
    std::int64_t now = 0;
    std::int64_t all = 0;
    constexpr std::int64_t kSpan = 6 * 3'600'000'000;
    for (;;) {
      const Duration length(70'000 + random.up_to(400'000));
      const Time start = ledger.earliest(length, at_us(now));
      now = in_us(start);
      if (now > kSpan) break;
      auto reservation = ledger.reserve(length, start);
      ASSERT_TRUE(reservation);
      reservation->commit(start, length);
      sent.emplace_back(now, now + in_us(length));
      now += in_us(length);
      all += in_us(length);
    }
    ASSERT_LE(fullest_window(sent, in_us(rule.window)), in_us(rule.limit)) << "seed " << seed;
    EXPECT_GT(all, kSpan / 10 * 96 / 100);
  }
}

}  // namespace
}  // namespace chappe::tx
