#pragma once

#include <cstdint>

#include "chappe/sync/shared_state.h"

namespace chappe::sync {

/// Whether an executor still comes round, for a watchdog that must cost nothing while it sleeps.
///
/// One word: whether the executor works, how often it has come round, and whether the watchdog
/// sleeps too. A sleeping executor is no hang, so a watchdog that finds it asleep parks without a
/// timer, and the executor's next wake tells it so: it looks only while there is something to see.
class Heartbeat {
 public:
  /// Before a sleep.
  /// Contract of Heartbeat::rest: context executor; sleeps never; locks none; timers none; wakes
  /// none; touches Heartbeat::word.
  void rest() noexcept {
    word_.update([](std::uint32_t word) { return word & ~kWorking; }, Order::acq_rel);
  }

  /// After a sleep, or at the start of work. True: the watchdog is parked, and the caller wakes it.
  /// Contract of Heartbeat::wake: context executor; sleeps never; locks none; timers none; wakes
  /// none; touches Heartbeat::word.
  [[nodiscard]] bool wake() noexcept {
    const auto step = word_.update(
        [](std::uint32_t word) { return ((word & ~kParked) | kWorking) + kRound; }, Order::acq_rel);
    return (step.before & kParked) != 0;
  }

  /// Working, and round once more.
  /// Contract of Heartbeat::beat: context executor; sleeps never; locks none; timers none; wakes
  /// none; touches Heartbeat::word.
  void beat() noexcept { word_.fetch_add(kRound, Order::acq_rel); }

  /// What a watchdog sees.
  struct Sight {
    std::uint32_t word;
    bool works() const { return (word & kWorking) != 0; }
    bool operator==(const Sight&) const = default;
  };
  /// Contract of Heartbeat::look: context watchdog; sleeps never; locks none; timers none; wakes
  /// none; touches Heartbeat::word.
  Sight look() const noexcept { return {word_.load(Order::acquire)}; }

  /// The watchdog wants to sleep because the executor does. False if that has come back meanwhile.
  /// Contract of Heartbeat::park: context watchdog; sleeps never; locks none; timers none; wakes
  /// none; touches Heartbeat::word.
  [[nodiscard]] bool park(Sight seen) noexcept {
    return !seen.works() &&
           word_.compare_exchange(seen.word, seen.word | kParked, Order::acq_rel, Order::acquire);
  }

 private:
  static constexpr std::uint32_t kWorking = 1;
  static constexpr std::uint32_t kParked = 2;
  static constexpr std::uint32_t kRound = 4;

  static constexpr SharedState kWordState{
      .name = "Heartbeat::word",
      .purpose = "whether the executor works, how often it came round, whether the watchdog sleeps",
      .writers = Who::executor | Who::watchdog | Who::start,
      .readers = Who::executor | Who::watchdog,
      .protection = "one word: the watchdog parks, or sees the executor that has just come back",
      .orders = Orders::acq_rel | Orders::acquire};
  SharedWord<std::uint32_t, kWordState> word_{0};
};

}  // namespace chappe::sync
