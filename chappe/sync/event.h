#pragma once

#include "chappe/base/list.h"
#include "chappe/sync/waiter.h"
#include "chappe/sync/wake_list.h"

namespace chappe::sync {

/// A level: true from set() until clear(). Whoever waits goes on while it is true, all of them.
///
/// Set from any context. Cleared by the executor, which never eats a set that it has not yet seen:
/// one that is on its way when it clears makes the level true again. Memory: none.
class Event : public WakeSource {
 public:
  explicit Event(WakeList& list) : WakeSource(list, &deliver) {}
  ~Event();

  /// Context: any. O(1).
  void set() noexcept { add_bits(1); }
  /// Context: the executor. Waiters that were woken and have not run yet go on all the same.
  void clear() noexcept { level_ = false; }
  /// As far as the executor has looked. Context: the executor.
  bool is_set() const noexcept { return level_; }

  class Wait;
  /// `co_await event.wait()` returns while the level is true. Context: task.
  [[nodiscard]] Wait wait(Site site = Site::here()) noexcept;

 private:
  static void deliver(WakeSource& self, std::uint32_t) noexcept;

  // Executor's thread only.
  List<Waiter> waiters_;
  bool level_ = false;
};

class [[nodiscard]] Event::Wait : public Waiter {
 public:
  Wait(Event& event, Site site) : event_(event), site_(site) {}
  bool await_ready() const noexcept { return event_.level_; }
  template <TaskPromise Promise>
  void await_suspend(std::coroutine_handle<Promise> place) noexcept {
    place.promise().suspend(*this, place, "event", site_, event_.list());
    event_.waiters_.push_back(*this);
  }
  void await_resume() const noexcept {}

 private:
  Event& event_;
  const Site site_;
};

inline Event::Wait Event::wait(Site site) noexcept {
  return Wait(*this, site);
}

}  // namespace chappe::sync
