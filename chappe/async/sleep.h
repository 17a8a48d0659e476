#pragma once

#include "chappe/async/executor.h"
#include "chappe/async/timer.h"
#include "chappe/sync/waiter.h"

namespace chappe::async {

/// `co_await sleep_until(executor, deadline)`: an absolute time, so a task that is woken late does
/// not drift. A time that has come does not suspend. Context: task. Cancelled, the timer is
/// disarmed.
class [[nodiscard]] SleepUntil : public sync::Waiter {
 public:
  SleepUntil(Executor& executor, Time deadline, Site site)
      : executor_(executor), deadline_(deadline), site_(site), timer_(executor, this) {}

  bool await_ready() const { return deadline_ <= executor_.now(); }
  template <sync::TaskPromise Promise>
  void await_suspend(std::coroutine_handle<Promise> place) {
    place.promise().suspend(*this, place, "time", site_, &executor_.wakes());
    timer_.arm(deadline_);
  }
  void await_resume() const noexcept {}

 private:
  struct WakingTimer : Timer {
    WakingTimer(Executor& executor, SleepUntil* sleeper)
        : Timer(executor, &fired), owner(sleeper) {}
    static void fired(Timer& timer, const TimerContext&) {
      static_cast<WakingTimer&>(timer).owner->wake();
    }
    SleepUntil* owner;
  };

  Executor& executor_;
  const Time deadline_;
  const Site site_;
  WakingTimer timer_;
};

inline SleepUntil sleep_until(Executor& executor, Time deadline, Site site = Site::here()) {
  return SleepUntil(executor, deadline, site);
}

/// The same, counted from now; computed once.
inline SleepUntil sleep_for(Executor& executor, Duration span, Site site = Site::here()) {
  return SleepUntil(executor, time_after(executor.now(), span), site);
}

/// `co_await yield(executor)`: lets everybody else who is ready have a turn, and the outside world
/// a look. For a task that might otherwise find work for ever.
class [[nodiscard]] Yield : public SleepUntil {
 public:
  using SleepUntil::SleepUntil;
  bool await_ready() const { return false; }
};

inline Yield yield(Executor& executor, Site site = Site::here()) {
  return Yield(executor, executor.now(), site);
}

}  // namespace chappe::async
