#include "chappe/tx/ledger.h"

#include <algorithm>

#include "chappe/base/check.h"

namespace chappe::tx {
namespace {

// Which slot an instant lies in. Instants before the machine booted are negative.
std::int64_t slot_of(std::int64_t at, std::int64_t slot) {
  return at >= 0 ? at / slot : -((-at + slot - 1) / slot);
}

std::int64_t slot_length(std::int64_t window, std::size_t slots) {
  const auto count = static_cast<std::int64_t>(slots);
  return std::max<std::int64_t>(1, (window + count - 1) / count);
}

// `part` of `whole` in millionths, at most all of it. Both may be years in microseconds.
std::int64_t millionths(std::int64_t part, std::int64_t whole) {
  if (part >= whole) return 1'000'000;
  // Beyond this, a millionth of the whole is many microseconds: nothing is lost by dividing first.
  constexpr std::int64_t kProductMax = INT64_MAX / 1'000'000;
  return part <= kProductMax ? part * 1'000'000 / whole : part / (whole / 1'000'000);
}

}  // namespace

template <std::size_t kEntries>
LedgerOf<kEntries>::LedgerOf(std::span<const Rule> rules, const SingleLimits& single)
    : single_(single) {
  static_assert(kSlots + 2 + kRadiosMax < kEntries);  // after make_room() there is some
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

// --- The past ------------------------------------------------------------------------------------

template <std::size_t kEntries>
void LedgerOf<kEntries>::restore(std::span<const Block> history) {
  CHAPPE_CHECK(last_id_ == 0);
  for (const Block& block : history) {
    CHAPPE_CHECK(block.start <= block.end);
    if (block.start == block.end) continue;
    append(in_us(block.start), in_us(block.end - block.start));
  }
  restored_ = total_;
}

template <std::size_t kEntries>
std::size_t LedgerOf<kEntries>::history(Time now, std::span<Block> out) const {
  CHAPPE_CHECK(out.size() > 2);
  const bool exact = entries_.size() <= out.size();
  const std::int64_t slot = exact ? 1 : slot_length(longest_window_, out.size() - 2);
  std::size_t count = 0;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    if (entry.length() == 0 || entry.end <= in_us(now) - longest_window_) continue;
    if (count > 0) {
      Block& last = out[count - 1];
      const bool same_slot = slot_of(in_us(last.end), slot) == slot_of(entry.end, slot);
      if ((!exact && same_slot) || count == out.size()) {
        const Duration length = last.end - last.start + Duration(entry.length());
        last = {at_us(entry.end) - length, at_us(entry.end)};
        continue;
      }
    }
    out[count++] = {at_us(entry.start), at_us(entry.end)};
  }
  return count;
}

template <std::size_t kEntries>
void LedgerOf<kEntries>::forget_old(std::int64_t now) {
  while (!entries_.empty() && entries_[0].end <= now - longest_window_) {
    static_cast<void>(entries_.pop());
  }
}

// Cuts the longest window into slots, and books each entry in the slot in which it ends. The newest
// may be open reservations still and stay as they are.
template <std::size_t kEntries>
void LedgerOf<kEntries>::make_room() {
  const std::int64_t slot = slot_length(longest_window_, kSlots);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Entry entry = entries_[i];
    const bool may_be_open = i + kRadiosMax >= entries_.size();
    if (kept > 0 && !may_be_open) {
      Entry& last = entries_[kept - 1];
      if (slot_of(last.end, slot) == slot_of(entry.end, slot)) {
        last.start = entry.end - (last.length() + entry.length());
        last.end = entry.end;
        last.id = entry.id;
        continue;
      }
    }
    entries_[kept++] = entry;
  }
  while (entries_.size() > kept) entries_.drop_back();
  CHAPPE_CHECK(!entries_.full());
}

// --- The present ---------------------------------------------------------------------------------

// Airtime of everything before the instant `at`.
template <std::size_t kEntries>
std::int64_t LedgerOf<kEntries>::sent_before(std::int64_t at) const {
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
template <std::size_t kEntries>
std::int64_t LedgerOf<kEntries>::over(const Rule& rule,
                                      std::int64_t airtime,
                                      std::int64_t start) const {
  const std::int64_t remembered = entries_.empty() ? 0 : total_ - entries_[0].before;
  const std::int64_t at_most = remembered + airtime - in_us(rule.limit);
  if (at_most <= 0) return at_most;  // even all of it together is legal: no need to search
  const std::int64_t left_edge = start + airtime - in_us(rule.window);
  return total_ - sent_before(left_edge) + airtime - in_us(rule.limit);
}

template <std::size_t kEntries>
bool LedgerOf<kEntries>::too_long(std::int64_t airtime) const {
  return single_.longest > Duration::zero() && airtime > in_us(single_.longest);
}

// The first instant from `at` on at which the pause after the newest entry is over.
template <std::size_t kEntries>
std::int64_t LedgerOf<kEntries>::after_pause(std::int64_t at) const {
  if (single_.pause == Duration::zero() || entries_.empty()) return at;
  return std::max(at, entries_.back().end + in_us(single_.pause));
}

template <std::size_t kEntries>
Time LedgerOf<kEntries>::earliest(Duration airtime, Time at) const {
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
      if (entry.before + entry.length() < shed) {
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

template <std::size_t kEntries>
std::optional<Reservation> LedgerOf<kEntries>::reserve(Duration airtime, Time now) {
  const std::int64_t length = in_us(airtime);
  CHAPPE_CHECK(length > 0);
  forget_old(in_us(now));
  if (too_long(length) || after_pause(in_us(now)) > in_us(now)) return std::nullopt;
  for (const Rule& rule : rules()) {
    if (over(rule, length, in_us(now)) > 0) return std::nullopt;
  }
  append(in_us(now), length);
  return make_reservation(last_id_);
}

// Behind what is there: never earlier than `start`.
template <std::size_t kEntries>
void LedgerOf<kEntries>::append(std::int64_t start, std::int64_t airtime) {
  if (entries_.full()) make_room();
  if (!entries_.empty()) start = std::max(start, entries_.back().end);
  CHAPPE_CHECK(entries_.try_push({start, start + airtime, total_, ++last_id_}));
  total_ += airtime;
}

template <std::size_t kEntries>
void LedgerOf<kEntries>::commit(std::uint64_t id, Time keyed, Duration airtime) {
  move(id, in_us(keyed), in_us(airtime));
}

template <std::size_t kEntries>
void LedgerOf<kEntries>::cancel(std::uint64_t id) {
  const std::size_t index = find(id);
  if (index < entries_.size()) move(id, entries_[index].start, 0);
}

// Nobody knows when: as late as it can have been.
template <std::size_t kEntries>
void LedgerOf<kEntries>::keep(std::uint64_t id, Time until) {
  const std::size_t index = find(id);
  if (index == entries_.size()) return;
  const std::int64_t length = entries_[index].length();
  move(id, in_us(until) - length, length);
}

// Its index, or the count if it is no more: its window has passed, or it was merged with a newer
// one, and then it stays as it was debited.
template <std::size_t kEntries>
std::size_t LedgerOf<kEntries>::find(std::uint64_t id) const {
  for (std::size_t i = entries_.size(); i-- > 0 && entries_[i].id >= id;) {
    if (entries_[i].id == id) return i;
  }
  return entries_.size();
}

template <std::size_t kEntries>
void LedgerOf<kEntries>::move(std::uint64_t id, std::int64_t start, std::int64_t airtime) {
  CHAPPE_CHECK(airtime >= 0);
  const std::size_t index = find(id);
  if (index == entries_.size()) return;
  Entry& entry = entries_[index];
  const std::int64_t change = airtime - entry.length();
  // Never earlier than it was reserved: what stands before it was counted up to there.
  entry.start = std::max(entry.start, start);
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

// --- Told ----------------------------------------------------------------------------------------

template <std::size_t kEntries>
Duration LedgerOf<kEntries>::spent(const Rule& rule, Time now) const {
  return Duration(total_ - sent_before(in_us(now) - in_us(rule.window)));
}

template <std::size_t kEntries>
Usage LedgerOf<kEntries>::usage(Time now) const {
  Usage tightest;
  std::int64_t most = -1;
  for (const Rule& rule : rules()) {
    const Duration used = spent(rule, now);
    const std::int64_t share = millionths(in_us(used), in_us(rule.limit));
    if (share <= most) continue;
    most = share;
    tightest = {used, rule.limit, rule.window};
  }
  return tightest;
}

template <std::size_t kEntries>
std::uint32_t LedgerOf<kEntries>::spent_ppm(Time now) const {
  if (rules().empty()) return 0;
  const Usage tightest = usage(now);
  return static_cast<std::uint32_t>(millionths(in_us(tightest.spent), in_us(tightest.limit)));
}

template class LedgerOf<8192>;
template class LedgerOf<128>;

}  // namespace chappe::tx
