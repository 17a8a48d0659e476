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

/// The exact sliding window, for any number of rules at once.
///
/// While sending, the airtime of the last window only grows, and afterwards it only falls until the
/// next frame. So every window complies if the window that ends with each frame does, and one look
/// per rule at admission is enough.
///
/// Entries are disjoint and in order, each with the sum of all before it: what was sent before an
/// instant is one binary search, and so are the check and the earliest legal start. When the table
/// is full the two oldest entries become one that ends when the later one did: never less than the
/// truth.
/// Cost: O(log entries) per rule. Memory: in place. Context: the transmitter's executor.
class Ledger final : public Law {
 public:
  static constexpr std::size_t kBandRules = 2;  // duty and dwell
  static constexpr std::size_t kOperatorRules = 8;
  static constexpr std::size_t kRulesMax = kBandRules + kOperatorRules;
  /// 360 s of the shortest possible frame (68 ms at SF 7, 62.5 kHz) are 5,294; a power of two
  /// above.
  static constexpr std::size_t kEntriesMax = 8192;

  /// Panics on a rule whose limit is not in [0, window]: configurations are checked before.
  explicit Ledger(std::span<const Rule> rules, const SingleLimits& single = {});

  Time earliest(Duration airtime, Time at) const override;
  std::optional<Reservation> reserve(Duration airtime, Time now) override;
  std::uint32_t spent_ppm(Time now) const override;

  std::span<const Rule> rules() const { return {rules_.data(), rule_count_}; }
  /// Airtime within the window of `rule` that ends at `now`.
  Duration spent(const Rule& rule, Time now) const;
  /// All airtime ever committed or kept.
  Duration total() const { return Duration(total_); }
  std::size_t entry_count() const { return entries_.size(); }

 private:
  struct Entry {
    std::int64_t start = 0;
    std::int64_t end = 0;
    std::int64_t before = 0;  // airtime of all older entries, since the beginning of time
  };

  void commit(std::uint64_t id, Duration airtime) override;
  void cancel(std::uint64_t id) override;

  std::int64_t sent_before(std::int64_t at) const;
  std::int64_t over(const Rule& rule, std::int64_t airtime, std::int64_t start) const;
  bool too_long(std::int64_t airtime) const;
  std::int64_t after_pause(std::int64_t at) const;
  void set_length(std::uint64_t id, std::int64_t airtime);
  void forget_old(std::int64_t now);
  void append(std::int64_t start, std::int64_t airtime);

  std::array<Rule, kRulesMax> rules_{};
  const SingleLimits single_;
  std::size_t rule_count_ = 0;
  std::int64_t longest_window_ = 0;
  Ring<Entry, kEntriesMax> entries_;
  std::uint64_t first_id_ = 0;  // of entries_[0]; ids count on for ever
  std::int64_t total_ = 0;
};

}  // namespace chappe::tx
