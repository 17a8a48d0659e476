#pragma once

#include <cstdint>
#include <utility>

#include "chappe/base/list.h"
#include "chappe/sync/waiter.h"
#include "chappe/sync/wake_list.h"

namespace chappe::sync {

/// Counts edges. Setting it is safe at any instant from any context: an interrupt handler, another
/// thread, another core, a task. It is sticky (a set before anybody waits is not lost) and counts
/// (n sets between two waits are reported as n). Every waiter is woken by a delivery, in the order
/// in which they began to wait, and each learns the same n; waiters that wait again in the step in
/// which they were woken see every edge, all of them. Edges that come while nobody waits are kept
/// for whoever waits next.
///
/// Memory: none. Cancelling a waiter disturbs no other.
class Signal : public WakeSource {
 public:
  explicit Signal(WakeList& list) : WakeSource(list, &deliver) {}
  ~Signal();

  /// O(1): one read-modify-write, and a push if it was not yet pending.
  /// Contract of Signal::set: context any; sleeps never; locks none; timers none; wakes its
  /// waiters; touches none; calls WakeSource::add_one.
  void set() noexcept { add_one(); }

  /// Context: the executor. The edges not yet taken by a waiter, and none left after.
  std::uint32_t take() noexcept;

  class Next;
  /// `co_await signal.next()` yields n >= 1 edges, never spuriously. Context: task.
  [[nodiscard]] Next next(Site site = Site::here()) noexcept;

 private:
  static void deliver(WakeSource& self, std::uint32_t edges) noexcept;

  // Executor's thread only.
  List<Next> waiters_;
  List<Next> woken_;  // and not yet resumed
  std::uint32_t pending_ = 0;
};

class [[nodiscard]] Signal::Next : public Waiter {
 public:
  Next(Signal& signal, Site site) : signal_(signal), site_(site) {}
  // Cancelled between wake and resumption: if it alone was told, the edges wait for the next one.
  // Still linked means that the signal is still there.
  ~Next() {
    if (linked() && alone_) signal_.pending_ += count_;
  }

  // Only what was delivered, and a step delivers once. What is on its way comes with the next
  // drain, to everybody who waits by then: the first to ask again must not take it from the others,
  // and a line that never rests cannot keep this task from giving way.
  bool await_ready() noexcept {
    count_ = std::exchange(signal_.pending_, 0);
    return count_ != 0;
  }
  template <TaskPromise Promise>
  void await_suspend(std::coroutine_handle<Promise> place) noexcept {
    place.promise().suspend(*this, place, "signal", site_, signal_.list());
    signal_.waiters_.push_back(*this);
  }
  std::uint32_t await_resume() noexcept {
    unlink();
    return count_;
  }

 private:
  friend class Signal;
  Signal& signal_;
  const Site site_;
  std::uint32_t count_ = 0;
  bool alone_ = false;
};

inline Signal::Next Signal::next(Site site) noexcept {
  return Next(*this, site);
}

/// A word of bits, each an event of its own: set by or-ing, consumed by mask. A waiter is woken
/// when a bit it asked for is set and gets exactly the bits it asked for; bits nobody asked for
/// stay.
class Flags : public WakeSource {
 public:
  explicit Flags(WakeList& list) : WakeSource(list, &deliver) {}
  ~Flags();

  /// O(1).
  /// Contract of Flags::set: context any; sleeps never; locks none; timers none; wakes its waiters;
  /// touches none; calls WakeSource::add_bits.
  void set(std::uint32_t bits) noexcept { add_bits(bits); }

  /// Context: the executor. The bits of `mask` that are set; they are cleared.
  std::uint32_t take(std::uint32_t mask) noexcept;

  class Wait;
  /// `co_await flags.wait(mask)` yields the bits of `mask` that were set, at least one.
  [[nodiscard]] Wait wait(std::uint32_t mask, Site site = Site::here()) noexcept;

 private:
  static void deliver(WakeSource& self, std::uint32_t bits) noexcept;

  // Executor's thread only.
  List<Wait> waiters_;
  List<Wait> woken_;  // and not yet resumed
  std::uint32_t pending_ = 0;
};

class [[nodiscard]] Flags::Wait : public Waiter {
 public:
  Wait(Flags& flags, std::uint32_t mask, Site site) : flags_(flags), mask_(mask), site_(site) {}
  ~Wait() {
    if (linked() && alone_) flags_.pending_ |= bits_;  // as for Signal::Next
  }

  // Only what was delivered; see Signal::Next.
  bool await_ready() noexcept {
    bits_ = flags_.pending_ & mask_;
    flags_.pending_ &= ~mask_;
    return bits_ != 0;
  }
  template <TaskPromise Promise>
  void await_suspend(std::coroutine_handle<Promise> place) noexcept {
    place.promise().suspend(*this, place, "flags", site_, flags_.list());
    flags_.waiters_.push_back(*this);
  }
  std::uint32_t await_resume() noexcept {
    unlink();
    return bits_;
  }

 private:
  friend class Flags;
  Flags& flags_;
  const std::uint32_t mask_;
  const Site site_;
  std::uint32_t bits_ = 0;
  bool alone_ = false;
};

inline Flags::Wait Flags::wait(std::uint32_t mask, Site site) noexcept {
  return Wait(*this, mask, site);
}

}  // namespace chappe::sync
