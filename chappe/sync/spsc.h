#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "chappe/base/check.h"
#include "chappe/base/list.h"
#include "chappe/sync/shared_state.h"
#include "chappe/sync/waiter.h"
#include "chappe/sync/wake_list.h"

namespace chappe::sync {

/// A queue of at most kMost items from one producer, in any context, to tasks of one executor: the
/// frames that an interrupt reads, the bytes of a serial line.
///
/// A full queue refuses, and the producer knows at once; nothing is overwritten. An item taken by
/// pop() came in the order in which it was pushed. Two interrupts of different priority, or two
/// threads, are two producers: give each its own queue. Memory: none.
template <class T, std::uint32_t kMost>
class Spsc : public WakeSource {
  // Counts wrap at 2^32, and the places must go round with them.
  static_assert(kMost > 0 && (kMost & (kMost - 1)) == 0, "a power of two");

 public:
  explicit Spsc(WakeList& list) : WakeSource(list, &deliver) {}
  ~Spsc() {
    drain();
    CHAPPE_CHECK(waiters_.empty());
  }

  /// False if it is full: the item is still the caller's. Context: the producer. O(1).
  [[nodiscard]] bool push(T&& item) noexcept {
    const std::uint32_t pushed = pushed_.load(Order::relaxed);
    // Acquire: who took the item has finished with its place.
    if (pushed - popped_.load(Order::acquire) == kMost) return false;
    places_[pushed % kMost].write(std::optional<T>(std::move(item)));
    pushed_.store(pushed + 1, Order::release);
    add_bits(1);
    return true;
  }
  [[nodiscard]] bool push(const T& item) noexcept { return push(T(item)); }

  /// The oldest item that nobody was woken for, or nothing. Context: the executor.
  std::optional<T> try_pop() noexcept {
    if (free_items() == 0) return std::nullopt;
    return take();
  }

  std::uint32_t size() const noexcept {
    return pushed_.load(Order::relaxed) - popped_.load(Order::relaxed);
  }

  /// `T item = co_await queue.pop();` Tasks that wait are served in the order in which they came.
  /// Cancelled, a task has taken nothing.
  class [[nodiscard]] Pop : public Waiter {
   public:
    Pop(Spsc& queue, Site site) : queue_(queue), site_(site) {}
    ~Pop() {
      // Cancelled between wake and resumption: the item is the next one's.
      if (granted_) {
        --queue_.granted_;
        queue_.serve();
      }
    }
    // Behind those who wait already.
    bool await_ready() noexcept {
      granted_ = queue_.waiters_.empty() && queue_.free_items() != 0;
      if (granted_) ++queue_.granted_;
      return granted_;
    }
    template <TaskPromise Promise>
    void await_suspend(std::coroutine_handle<Promise> place) noexcept {
      place.promise().suspend(*this, place, "a queue", site_, queue_.list());
      queue_.waiters_.push_back(*this);
    }
    T await_resume() noexcept {
      granted_ = false;
      --queue_.granted_;
      return queue_.take();
    }

   private:
    friend class Spsc;
    Spsc& queue_;
    const Site site_;
    bool granted_ = false;  // one of the items is ours, and not yet taken
  };
  Pop pop(Site site = Site::here()) { return Pop(*this, site); }

 private:
  T take() noexcept {
    const std::uint32_t popped = popped_.load(Order::relaxed);
    auto& place = places_[popped % kMost];
    std::optional<T> item = place.read();
    place.write(std::nullopt);
    popped_.store(popped + 1, Order::release);
    return *std::move(item);
  }

  // How many items nobody has been woken for. Acquire: they can be read.
  std::uint32_t free_items() const noexcept {
    return pushed_.load(Order::acquire) - popped_.load(Order::relaxed) - granted_;
  }
  void serve() noexcept {
    while (!waiters_.empty() && free_items() != 0) {
      Pop& waiter = *waiters_.pop_front();
      waiter.granted_ = true;
      ++granted_;
      waiter.wake();
    }
  }
  static void deliver(WakeSource& self, std::uint32_t) noexcept {
    static_cast<Spsc&>(self).serve();
  }

  static constexpr SharedState kPlaceState{
      .name = "Spsc::places",
      .purpose = "the items",
      .writers = Who::any,
      .readers = Who::executor,
      .protection = "the producer's until it counts pushed, then the executor's until popped"};
  std::array<OrderedPlain<std::optional<T>, kPlaceState>, kMost> places_;
  static constexpr SharedState kPushedState{
      .name = "Spsc::pushed",
      .purpose = "how many items were pushed",
      .writers = Who::any,
      .readers = Who::any,
      .protection = "one writer, the producer",
      .orders = Orders::relaxed | Orders::acquire | Orders::release};
  SharedWord<std::uint32_t, kPushedState> pushed_{0};
  static constexpr SharedState kPoppedState{
      .name = "Spsc::popped",
      .purpose = "how many items were taken",
      .writers = Who::executor,
      .readers = Who::any,
      .protection = "one writer, the executor",
      .orders = Orders::relaxed | Orders::acquire | Orders::release};
  SharedWord<std::uint32_t, kPoppedState> popped_{0};
  // Executor's thread only.
  List<Pop> waiters_;
  std::uint32_t granted_ = 0;
};

}  // namespace chappe::sync
