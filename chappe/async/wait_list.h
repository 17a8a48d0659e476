#pragma once

#include "chappe/base/list.h"
#include "chappe/base/site.h"
#include "chappe/sync/waiter.h"

namespace chappe::async {

/// Tasks of one executor that wait for something another task of it does. First in, first out.
///
/// The plain little brother of sync::Signal: no word, no memory, not sticky. The waiting task tests
/// its condition first and again when it wakes, in a loop.
/// Context: the executor's tasks and timers.
class WaitList {
 public:
  WaitList() = default;
  ~WaitList() { CHAPPE_CHECK(waiters_.empty()); }

  class [[nodiscard]] Wait : public sync::Waiter {
   public:
    Wait(WaitList& list, const char* what, Site site) : list_(list), what_(what), site_(site) {}
    bool await_ready() const noexcept { return false; }
    template <sync::TaskPromise Promise>
    void await_suspend(std::coroutine_handle<Promise> place) noexcept {
      place.promise().suspend(*this, place, what_, site_, nullptr);
      list_.waiters_.push_back(*this);
    }
    void await_resume() const noexcept {}

   private:
    WaitList& list_;
    const char* const what_;
    const Site site_;
  };

  /// `what` is for dumps: the thing waited for, in a word or two.
  Wait wait(const char* what, Site site = Site::here()) { return Wait(*this, what, site); }

  bool empty() const { return waiters_.empty(); }
  void wake_one() {
    if (sync::Waiter* const waiter = waiters_.pop_front()) waiter->wake();
  }
  void wake_all() {
    while (!waiters_.empty()) wake_one();
  }

 private:
  List<sync::Waiter> waiters_;
};

}  // namespace chappe::async
