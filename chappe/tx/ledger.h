#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "chappe/base/ring.h"
#include "chappe/base/units.h"
#include "chappe/tx/law.h"

namespace chappe::tx {

/// No more than `limit` of airtime in any window of this length, wherever it begins.
struct Rule {
  Duration window;
  Duration limit;
};

/// What a single transmission must respect besides the windows. Zero limits nothing.
struct SingleLimits {
  Duration longest{};  // of one transmission
  Duration pause{};    // of silence between the end of one and the start of the next
};

/// Airtime from `start` to `end`, all of it.
struct Block {
  Time start{};
  Time end{};
};

/// The exact sliding window, for any number of rules at once.
///
/// While sending, the airtime of the last window only grows, and afterwards it only falls until the
/// next frame. So every window complies if the window that ends with each frame does, and one look
/// per rule at admission is enough.
///
/// Entries are disjoint and in order, each with the sum of all before it: what was sent before an
/// instant is one binary search, and so are the check and the earliest legal start.
///
/// Exact as long as the table has room. When it is full, entries that end in one slot of the
/// longest window become one that ends when the last of them did: never less than the truth, and a
/// window is too full by at most one slot. A host's table is not filled by LoRa's usual speeds; a
/// microcontroller's small one always is, and loses 1/64 of the budget.
/// Cost: O(log entries) per rule, amortised. Memory: in place. Context: the transmitter's executor.
template <std::size_t kEntries>
class LedgerOf final : public Law {
 public:
  static constexpr std::size_t kBandRules = 2;  // duty and dwell
  static constexpr std::size_t kOperatorRules = 8;
  static constexpr std::size_t kRulesMax = kBandRules + kOperatorRules;
  static constexpr std::size_t kEntriesMax = kEntries;
  /// Radios that may share one sub-band: so many reservations are open at most.
  static constexpr std::size_t kRadiosMax = 8;
  /// Into so many slots the longest window is cut when the table is full.
  static constexpr std::size_t kSlots = kEntries / 2;

  /// Panics on a rule whose limit is not in [0, window]: configurations are checked before.
  explicit LedgerOf(std::span<const Rule> rules, const SingleLimits& single = {});

  /// What was sent before this process began, oldest first and before anything is reserved.
  /// What overlaps is booked one after the other: never earlier than it was.
  void restore(std::span<const Block> history);
  /// What still counts at `now`, oldest first, in as many blocks as there is room for: exact if
  /// they suffice, else later than the truth. Returns how many.
  std::size_t history(Time now, std::span<Block> out) const;

  Time earliest(Duration airtime, Time at) const override;
  std::optional<Reservation> reserve(Duration airtime, Time now) override;
  std::uint32_t spent_ppm(Time now) const override;
  Usage usage(Time now) const override;

  std::span<const Rule> rules() const { return {rules_.data(), rule_count_}; }
  /// Nothing older than this counts.
  Duration longest_window() const { return Duration(longest_window_); }
  /// Airtime within the window of `rule` that ends at `now`.
  Duration spent(const Rule& rule, Time now) const;
  /// All airtime ever debited and not taken back, since this process began.
  Duration total() const { return Duration(total_ - restored_); }
  std::size_t entry_count() const { return entries_.size(); }

 private:
  struct Entry {
    std::int64_t start = 0;
    std::int64_t end = 0;
    std::int64_t before = 0;  // airtime of all older entries, since the beginning of time
    std::uint64_t id = 0;     // rises
    std::int64_t length() const { return end - start; }
  };

  void commit(std::uint64_t id, Time keyed, Duration airtime) override;
  void cancel(std::uint64_t id) override;
  void keep(std::uint64_t id, Time until) override;

  std::int64_t sent_before(std::int64_t at) const;
  std::int64_t over(const Rule& rule, std::int64_t airtime, std::int64_t start) const;
  bool too_long(std::int64_t airtime) const;
  std::int64_t after_pause(std::int64_t at) const;
  void move(std::uint64_t id, std::int64_t start, std::int64_t airtime);
  void forget_old(std::int64_t now);
  void append(std::int64_t start, std::int64_t airtime);
  void make_room();
  std::size_t find(std::uint64_t id) const;

  std::array<Rule, kRulesMax> rules_{};
  const SingleLimits single_;
  std::size_t rule_count_ = 0;
  std::int64_t longest_window_ = 0;
  Ring<Entry, kEntries> entries_;
  std::uint64_t last_id_ = 0;
  std::int64_t total_ = 0;
  std::int64_t restored_ = 0;
};

/// For hosts. 360 s of the shortest frame at SF 7, 62.5 kHz (68 ms) are 5,294: exact.
using Ledger = LedgerOf<8192>;
/// For microcontrollers: 4 KiB.
using SmallLedger = LedgerOf<128>;

extern template class LedgerOf<8192>;
extern template class LedgerOf<128>;

}  // namespace chappe::tx
