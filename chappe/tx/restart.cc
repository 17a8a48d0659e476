#include "chappe/tx/restart.h"

#include <algorithm>
#include <optional>

namespace chappe::tx {
namespace {

// Longer ago than this is no time that passed but a clock that was wrong.
constexpr Duration kAbsurd = hours(24 * 365 * 10);

// Two readings of a wall clock that is set, each off by up to a second (the port sees to that).
constexpr Duration kWallError = seconds(2);

// How long ago the record was written, at least, by the wall clock; nothing if that cannot be
// trusted.
std::optional<Duration> elapsed(const ClockReading& then, const ClockReading& now) {
  if (!then.wall_is_set || !now.wall_is_set) return std::nullopt;
  const Duration span(now.wall_us - then.wall_us);
  const Duration uptime = now.now.time_since_epoch();
  // The machine has been up longer than that: one of the two readings is wrong.
  if (span < uptime || span > kAbsurd) return std::nullopt;
  return std::max(span - kWallError, uptime);
}

Duration longest_window(std::span<const Rule> rules) {
  Duration longest{};
  for (const Rule& rule : rules) longest = std::max(longest, rule.window);
  return longest;
}

// The whole budget, spent just now or evenly over the window.
void presume(Restart& restart, std::span<const Rule> rules, Time now, UnknownPast unknown) {
  Rule worst{};
  for (const Rule& rule : rules) {
    if (rule.window > worst.window) worst = rule;
  }
  for (const Rule& rule : rules) worst.limit = std::max(worst.limit, rule.limit);
  restart.presumed = worst.limit;
  const auto count =
      static_cast<std::int64_t>(unknown == UnknownPast::paced ? Record::kBlocksMax : 1);
  for (std::int64_t i = 1; i <= count; ++i) {
    const Time end = now - worst.window * (count - i) / count;
    const Duration length = worst.limit * i / count - worst.limit * (i - 1) / count;
    restart.blocks[restart.block_count++] = {end - length, end};
  }
}

Past judge(const Record& record,
           const AirtimeOwner& owner,
           std::span<const Rule> rules,
           const ClockReading& now) {
  if (record.owner != owner) return Past::foreign;
  if (record.window < longest_window(rules)) return Past::too_short;
  if (record.written.boot == now.boot) {
    // Written later than now: another machine's, or a clock that is none.
    return record.written.now > now.now ? Past::foreign : Past::same_boot;
  }
  return elapsed(record.written, now) ? Past::timed_reboot : Past::untimed_reboot;
}

// By how much the record's clock is behind ours.
Duration shift_of(const Record& record, Past past, const ClockReading& now) {
  switch (past) {
    case Past::timed_reboot:
      return now.now - record.written.now - *elapsed(record.written, now);
    case Past::untimed_reboot: {
      // As if no time had passed: the last transmission ended when we started.
      const Time last = record.block_count > 0 ? record.history().back().end : record.written.now;
      return now.now - last;
    }
    default:
      return Duration::zero();
  }
}

void carry_over(Restart& restart, const Record& record, const ClockReading& now) {
  const Duration shift = shift_of(record, restart.past, now);
  for (const Block& block : record.history()) {
    restart.blocks[restart.block_count++] = {block.start + shift, block.end + shift};
  }
  // What was promised beyond that may have been spent until this moment.
  restart.presumed = record.promised;
  if (record.promised > Duration::zero()) {
    restart.blocks[restart.block_count++] = {now.now - record.promised, now.now};
  }
}

}  // namespace

std::string_view to_string(Past past) {
  constexpr std::string_view kNames[] = {"none",
                                         "same_boot",
                                         "timed_reboot",
                                         "untimed_reboot",
                                         "lost",
                                         "damaged",
                                         "foreign",
                                         "too_short"};
  return kNames[static_cast<std::size_t>(past)];
}

Restart restart(const Found& found,
                const AirtimeOwner& owner,
                std::span<const Rule> rules,
                const ClockReading& now,
                UnknownPast unknown) {
  Restart restart;
  if (found.place == Found::Place::new_directory) return restart;
  restart.past = found.place == Found::Place::no_file ? Past::lost : Past::damaged;

  const std::optional<Record> first = decode(found.copies[0]);
  const std::optional<Record> second = decode(found.copies[1]);
  const bool second_is_newer = second && (!first || is_newer(*second, *first));
  const std::optional<Record>& newest = second_is_newer ? second : first;
  if (newest) {
    restart.sequence = newest->sequence;
    restart.next_copy = second_is_newer ? 0 : 1;
    restart.past = judge(*newest, owner, rules, now);
  }
  if (is_unknown(restart.past)) {
    presume(restart, rules, now.now, unknown);
  } else {
    carry_over(restart, *newest, now);
  }
  return restart;
}

}  // namespace chappe::tx
