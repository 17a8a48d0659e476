// What each law lets through in its worst hour: the numbers of docs/airtime-laws.md. To see them:
// build/release/test_scenarios --gtest_filter='WorstHour.*'
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "chappe/port/virtual/virtual_port.h"
#include "chappe/radio/airtime.h"
#include "chappe/tx/bucket.h"
#include "chappe/tx/ledger.h"

namespace chappe::scenarios {
namespace {

constexpr Duration kHour = hours(1);
constexpr Duration kLimit = seconds(360);
constexpr Duration kFrame = microseconds(1'033'216);  // 100 bytes at SF 8, 62.5 kHz, 4/8

/// Sends whenever `law` lets it, from `from` until `until`; where it was silent before, all the
/// budget there can be has gathered.
template <class May>
std::vector<Time> saturate(Time from, Time until, May may_start) {
  std::vector<Time> starts;
  for (Time now = from; now < until;) {
    const Time start = may_start(now, starts);
    if (start >= until) break;
    starts.push_back(start);
    now = start + kFrame;
  }
  return starts;
}

Duration worst_hour(const std::vector<Time>& starts) {
  Duration worst{};
  std::size_t first = 0;
  for (std::size_t last = 0; last < starts.size(); ++last) {
    const Time edge = starts[last] + kFrame - kHour;
    while (starts[first] + kFrame <= edge) ++first;
    Duration sum = kFrame * static_cast<std::int64_t>(last - first + 1);
    if (starts[first] < edge) sum -= edge - starts[first];
    worst = std::max(worst, sum);
  }
  return worst;
}

double told(const char* law, Duration worst) {
  const double seconds = static_cast<double>(in_us(worst)) / 1e6;
  std::printf(
      "%-26s %8.2f s in its worst hour, %5.2f %% of the time\n", law, seconds, seconds / 36);
  return seconds;
}

TEST(WorstHour, OfTheExactLedgerIsTheLimit) {
  const tx::Rule rule{kHour, kLimit};
  tx::Ledger ledger(std::span<const tx::Rule>(&rule, 1));
  const auto starts = saturate(Time{}, Time(hours(5)), [&](Time now, const auto&) {
    const Time start = ledger.earliest(kFrame, now);
    ledger.reserve(kFrame, start)->commit(start, kFrame);
    return start;
  });
  const double worst = told("exact (ours)", worst_hour(starts));
  EXPECT_LE(worst, 360.0);
  EXPECT_GT(worst, 356.4);  // and 99 % of it are used
}

TEST(WorstHour, OfTheReferencesBucketIsTwiceTheLimit) {
  port::VirtualPort port;
  async::Executor executor(port);
  tx::Bucket bucket(executor, radio::Modulation{}, 9.0F);  // 1 / (1 + 9) of the time
  const auto starts = saturate(Time{}, Time(hours(5)), [&](Time now, const auto&) {
    port.run(executor, now);
    Time start = bucket.earliest(kFrame, now);
    for (;;) {
      port.run(executor, start);
      if (auto reservation = bucket.reserve(kFrame, start)) {
        port.run(executor, start + kFrame);
        reservation->commit(start, kFrame);
        return start;
      }
      start = std::max(start + milliseconds(1), bucket.earliest(kFrame, start));
    }
  });
  EXPECT_NEAR(told("token bucket (reference)", worst_hour(starts)), 718.97, 2);
}

TEST(WorstHour, OfFixedHoursIsTwiceTheLimit) {
  // Silent until the end of an hour, as a node is at night; then the counter is reset.
  Duration used{};
  std::int64_t hour = 0;
  const auto starts = saturate(Time(minutes(54)), Time(hours(5)), [&](Time now, const auto&) {
    Time start = now;
    if (used + kFrame > kLimit) start = std::max(start, Time(hours(hour + 1)));
    const std::int64_t in_hour = start.time_since_epoch() / kHour;
    if (in_hour != hour) used = Duration::zero();
    hour = in_hour;
    used += kFrame;
    return start;
  });
  EXPECT_NEAR(told("fixed hours", worst_hour(starts)), 718, 4);
}

// The seed document's program: 60 seconds that slide, 3.6 s of them at 6 %; here the same at 10 %.
TEST(WorstHour, OfAMinuteThatSlidesIsTheLimitAndNoBurstFits) {
  const tx::Rule rule{minutes(1), kLimit / 60};
  tx::Ledger ledger(std::span<const tx::Rule>(&rule, 1));
  const auto starts = saturate(Time{}, Time(hours(5)), [&](Time now, const auto&) {
    const Time start = ledger.earliest(kFrame, now);
    ledger.reserve(kFrame, start)->commit(start, kFrame);
    return start;
  });
  // Whole frames of a minute's 6 s: five, and what is left over is never used.
  EXPECT_NEAR(told("sliding minute", worst_hour(starts)), 310, 8);
}

}  // namespace
}  // namespace chappe::scenarios
