#pragma once

#include <cstdint>

#include "chappe/base/check.h"
#include "chappe/base/note.h"
#include "chappe/sync/shared_state.h"

namespace chappe::flow {

/// How much there is, and whether somebody was refused: one word.
///
/// A notification is owed exactly when the last answer was a refusal. Refusing and owing are one
/// step, so no payment can slip between them; giving pays in one step, so exactly one giver pays.
/// Context: any. Memory: none.
class Gate {
 public:
  /// Takes one unit, or is owed a notification: false.
  /// Contract of Gate::take: context any; sleeps never; locks none; timers none; wakes none;
  /// touches Gate::word; calls note.
  [[nodiscard]] bool take() {
    const auto step = word_.update(
        [](std::uint32_t word) {
          const std::uint32_t amount = word & kAmount;
          return amount > 0 ? amount - 1 : kOwed;
        },
        sync::Order::acq_rel);
    if ((step.before & kAmount) > 0) return true;
    note(Note::refused);
    return false;
  }

  /// Adds units. True if that pays a debt: the caller notifies, exactly once per refusal. No units
  /// pay nothing.
  /// Contract of Gate::give: context any; sleeps never; locks none; timers none; wakes none;
  /// touches Gate::word; calls note.
  [[nodiscard]] bool give(std::uint32_t units) {
    const auto step = word_.update(
        [units](std::uint32_t word) {
          const std::uint32_t amount = word & kAmount;
          if (units == 0) return word;
          return units <= kAmount - amount ? amount + units : kAmount;
        },
        sync::Order::acq_rel);
    if ((step.before & kOwed) == 0 || units == 0) return false;
    note(Note::paid, 0, units);
    return true;
  }

  /// Forgets amount and debt: what the server owed died with it.
  void reset() { word_.exchange(0, sync::Order::acq_rel); }

  std::uint32_t amount() const { return word_.load(sync::Order::relaxed) & kAmount; }
  bool owes() const { return (word_.load(sync::Order::relaxed) & kOwed) != 0; }

 private:
  static constexpr std::uint32_t kOwed = 0x80000000;
  static constexpr std::uint32_t kAmount = kOwed - 1;

  static constexpr sync::SharedState kWordState{
      .name = "Gate::word",
      .purpose = "how much there is, and whether somebody was refused",
      .writers = sync::Who::any,
      .readers = sync::Who::any,
      .protection = "one word: refusing and owing are one step, giving and paying another",
      .orders = sync::Orders::acq_rel | sync::Orders::relaxed};
  sync::SharedWord<std::uint32_t, kWordState> word_{0};
};

}  // namespace chappe::flow
