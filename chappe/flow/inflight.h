#pragma once

#include <cstdint>

#include "chappe/async/executor.h"
#include "chappe/base/units.h"
#include "chappe/sync/shared_state.h"
#include "chappe/sync/signal.h"

namespace chappe::flow {

/// Supervises what was handed to hardware and must come back: one word of (pending, confirmed), and
/// a task that looks at it from time to time.
///
/// Submitting and confirming never touch a timer, so arming and cancelling cannot race. A wedge is
/// reported when something was pending at two looks with no confirmation between them: between one
/// and two periods after the last confirmation, never while things move.
/// Context: any for submitted and confirmed; the executor for the rest. At most kMost in flight.
class Inflight {
 public:
  static constexpr std::uint32_t kMost = 0x3fff;

  struct Snapshot {
    std::uint16_t pending = 0;
    std::uint16_t confirmed = 0;  // counts on, modulo 2^16
  };

  using OnWedge = void (*)(void* context, const Snapshot& at);

  explicit Inflight(sync::WakeList& wakes) : submitted_(wakes) {}

  /// Before the hand-over: account first, then hand over.
  /// Contract of Inflight::submitted: context any; sleeps never; locks none; timers none; wakes the
  /// supervisor at the first; touches Inflight::word; calls Signal::set.
  void submitted() noexcept;
  /// When the hardware says so. Nothing pending is a panic, and the word stays as it was.
  /// Contract of Inflight::confirmed: context any; sleeps never; locks none; timers none; wakes
  /// none; touches Inflight::word.
  void confirmed() noexcept;

  Snapshot read() const noexcept;
  std::uint64_t wedge_count() const { return wedges_; }

  /// Starts the supervisor in `slot`. It sleeps without a timer while nothing is pending.
  void supervise(async::Executor& executor,
                 async::TaskHeader& slot,
                 Duration period,
                 OnWedge on_wedge,
                 void* context);

 private:
  async::Task<> watch(async::Executor& executor, Duration period, OnWedge on_wedge, void* context);

  static constexpr sync::SharedState kWordState{
      .name = "Inflight::word",
      .purpose = "pending in the low half, confirmed above",
      .writers = sync::Who::any,
      .readers = sync::Who::any,
      .protection = "one word: a confirmation counts in both halves at once",
      .orders = sync::Orders::acq_rel | sync::Orders::acquire};
  sync::SharedWord<std::uint32_t, kWordState> word_{0};
  sync::Signal submitted_;    // set at 0 -> 1
  std::uint64_t wedges_ = 0;  // the supervisor only
};

}  // namespace chappe::flow
