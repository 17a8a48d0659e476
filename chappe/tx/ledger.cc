#include "chappe/tx/ledger.h"

#include <algorithm>

#include "chappe/base/check.h"

namespace chappe::tx {

Ledger::Ledger(std::span<const Rule> rules, const SingleLimits& single) : single_(single) {
  longest_window_ = in_us(single.pause);
  CHAPPE_CHECK(rules.size() <= kRulesMax);
  for (const Rule& rule : rules) {
    CHAPPE_CHECK(rule.window > Duration::zero());
    CHAPPE_CHECK(rule.limit >= Duration::zero());
    CHAPPE_CHECK(rule.limit <= rule.window);
    rules_[rule_count_++] = rule;
    longest_window_ = std::max(longest_window_, in_us(rule.window));
  }
}

// Airtime of everything before the instant `at`.
std::int64_t Ledger::sent_before(std::int64_t at) const {
  if (entries_.empty()) return total_;
  // The usual case: the window reaches back beyond everything that is still remembered.
  if (at <= entries_[0].start) return entries_[0].before;
  std::size_t low = 0;
  std::size_t high = entries_.size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (entries_[middle].start < at) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const Entry& entry = entries_[low - 1];
  return entry.before + std::min(at, entry.end) - entry.start;
}

// By how much a frame that begins at `start` would exceed the rule; 0 or less: it does not.
//
// Everything since the left edge of its window counts, also what another radio has reserved beyond
// `start`: a booking is never earlier than what it stands for, so this never counts too little.
std::int64_t Ledger::over(const Rule& rule, std::int64_t airtime, std::int64_t start) const {
  const std::int64_t remembered = entries_.empty() ? 0 : total_ - entries_[0].before;
  const std::int64_t at_most = remembered + airtime - in_us(rule.limit);
  if (at_most <= 0) return at_most;  // even all of it together is legal: no need to search
  const std::int64_t left_edge = start + airtime - in_us(rule.window);
  return total_ - sent_before(left_edge) + airtime - in_us(rule.limit);
}

bool Ledger::too_long(std::int64_t airtime) const {
  return single_.longest > Duration::zero() && airtime > in_us(single_.longest);
}

// The first instant from `at` on at which the pause after the newest entry is over.
std::int64_t Ledger::after_pause(std::int64_t at) const {
  if (single_.pause == Duration::zero() || entries_.empty()) return at;
  return std::max(at, entries_.back().end + in_us(single_.pause));
}

Time Ledger::earliest(Duration airtime, Time at) const {
  const std::int64_t length = in_us(airtime);
  if (too_long(length)) return kNever;
  const std::int64_t asked = after_pause(in_us(at));
  std::int64_t start = asked;
  for (const Rule& rule : rules()) {
    if (length > in_us(rule.limit)) return kNever;
    const std::int64_t excess = over(rule, length, asked);
    if (excess <= 0) continue;
    // The left edge has to move right until it has passed `excess` of airtime.
    const std::int64_t shed = sent_before(asked + length - in_us(rule.window)) + excess;
    std::size_t low = 0;
    std::size_t high = entries_.size();
    while (low < high) {
      const std::size_t middle = (low + high) / 2;
      const Entry& entry = entries_[middle];
      if (entry.before + (entry.end - entry.start) < shed) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    const Entry& entry = entries_[low];
    const std::int64_t left_edge = entry.start + (shed - entry.before);
    // The window only empties as time passes, so the latest of all rules satisfies all.
    start = std::max(start, left_edge + in_us(rule.window) - length);
  }
  return at_us(start);
}

std::optional<Reservation> Ledger::reserve(Duration airtime, Time now) {
  const std::int64_t length = in_us(airtime);
  CHAPPE_CHECK(length > 0);
  forget_old(in_us(now));
  if (too_long(length) || after_pause(in_us(now)) > in_us(now)) return std::nullopt;
  for (const Rule& rule : rules()) {
    if (over(rule, length, in_us(now)) > 0) return std::nullopt;
  }
  const std::int64_t last_end = entries_.empty() ? in_us(now) : entries_.back().end;
  append(std::max(in_us(now), last_end), length);
  return make_reservation(first_id_ + entries_.size() - 1);
}

void Ledger::append(std::int64_t start, std::int64_t airtime) {
  if (entries_.full()) {
    const Entry oldest = entries_.pop();
    ++first_id_;
    Entry& next = entries_[0];
    next.start -= oldest.end - oldest.start;
    next.before = oldest.before;
  }
  CHAPPE_CHECK(entries_.try_push({start, start + airtime, total_}));
  total_ += airtime;
}

void Ledger::forget_old(std::int64_t now) {
  while (!entries_.empty() && entries_[0].end <= now - longest_window_) {
    static_cast<void>(entries_.pop());
    ++first_id_;
  }
}

void Ledger::commit(std::uint64_t id, Duration airtime) {
  set_length(id, in_us(airtime));
}

void Ledger::cancel(std::uint64_t id) {
  set_length(id, 0);
}

void Ledger::set_length(std::uint64_t id, std::int64_t airtime) {
  CHAPPE_CHECK(airtime >= 0);
  // Settled after its window has passed, or merged with a newer one: it stays as it was debited.
  if (id < first_id_) return;
  const std::size_t index = id - first_id_;
  Entry& entry = entries_[index];
  const std::int64_t change = airtime - (entry.end - entry.start);
  entry.end = entry.start + airtime;
  total_ += change;
  // Newer entries are other radios' reservations: a handful at most. What grew pushes them later.
  for (std::size_t i = index + 1; i < entries_.size(); ++i) {
    Entry& newer = entries_[i];
    newer.before += change;
    const std::int64_t overlap = entries_[i - 1].end - newer.start;
    if (overlap > 0) {
      newer.start += overlap;
      newer.end += overlap;
    }
  }
  if (airtime == 0 && index + 1 == entries_.size()) entries_.drop_back();
}

Duration Ledger::spent(const Rule& rule, Time now) const {
  return Duration(total_ - sent_before(in_us(now) - in_us(rule.window)));
}

std::uint32_t Ledger::spent_ppm(Time now) const {
  std::int64_t most = 0;
  for (const Rule& rule : rules()) {
    if (rule.limit == Duration::zero()) return 1'000'000;
    most = std::max(most, in_us(spent(rule, now)) * 1'000'000 / in_us(rule.limit));
  }
  return static_cast<std::uint32_t>(std::min<std::int64_t>(most, 1'000'000));
}

}  // namespace chappe::tx
