#pragma once

#include <cstdint>
#include <functional>
#include <type_traits>
#include <utility>

#include "chappe/async/task.h"
#include "chappe/async/task_header.h"
#include "chappe/async/timer.h"
#include "chappe/base/list.h"
#include "chappe/base/pairing_heap.h"
#include "chappe/base/units.h"
#include "chappe/sync/port.h"
#include "chappe/sync/wake_list.h"

namespace chappe::async {

/// Runs tasks and timers on one thread, and sleeps when there is nothing to do.
///
/// A step: deliver what was set; fire timers due at one sampled time; run the batch that was ready
/// at that moment. What becomes ready during a batch waits for the next one, so no task can starve
/// the timers or the interrupts; nor, as run() looks up now and then, the port's descriptors. Order
/// is first in, first out everywhere: same inputs, same run.
///
/// Context: the thread that calls run(). Others reach it through signals on wakes().
/// Memory: none; tasks, timers and waits bring their own.
class Executor {
 public:
  explicit Executor(sync::Port& port) : port_(port), wakes_(port) {}
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  ~Executor() { CHAPPE_CHECK(living_ == 0); }

  /// Starts a task in `slot`, which must be empty or done: it first runs in the next step. `make`
  /// is a function, a member function or a lambda without captures (captures would die before the
  /// task does); `args` are what it is called with.
  template <class Make, class... Args>
  void spawn(TaskHeader& slot, const char* name, Make make, Args&&... args) {
    static_assert(!std::is_class_v<Make> || std::is_empty_v<Make>,
                  "a task made by a lambda with captures would outlive them");
    prepare(slot, name);
    Task<void> task = std::invoke(make, std::forward<Args>(args)...);
    adopt(slot, std::exchange(task.handle_, nullptr));
  }

  /// One step. False if there was nothing to do. Never sleeps.
  bool step();
  /// Sleeps until the next deadline, a set or an outside event.
  void sleep();
  /// Steps and sleeps until stop().
  void run();
  /// Ends run() after the current step. Context: task or timer of this executor.
  void stop() { stopping_ = true; }

  Time now() const { return port_.now(); }
  /// Where signals of this executor's tasks are linked.
  sync::WakeList& wakes() { return wakes_; }
  /// The earliest armed timer, or kNever.
  Time next_deadline() const { return timers_.empty() ? kNever : timers_.front().deadline_; }
  bool has_ready() const { return !ready_.empty(); }

  // Counters for tests and benchmarks; they never influence anything.
  std::uint64_t resumed_count() const { return resumed_; }
  std::uint64_t sleep_count() const { return sleeps_; }
  std::uint64_t step_count() const { return steps_; }

 private:
  /// With always something to do, the outside world is looked at after so many steps.
  static constexpr std::uint32_t kBusySteps = 16;

  friend class Timer;
  friend class TaskHeader;

  void prepare(TaskHeader& slot, const char* name);
  void adopt(TaskHeader& slot, std::coroutine_handle<Task<void>::promise_type> root);
  void make_ready(TaskHeader& task);
  void resume(TaskHeader& task);
  void end(TaskHeader& task);
  bool fire_timers();

  sync::Port& port_;
  sync::WakeList wakes_;
  List<TaskHeader> ready_;
  PairingHeap<Timer, EarlierTimer> timers_;
  std::uint64_t armed_ = 0;
  Time firing_at_ = Time::min();  // while timers fire: the time they fire for
  std::uint64_t resumed_ = 0;
  std::uint64_t sleeps_ = 0;
  std::uint64_t steps_ = 0;
  std::uint32_t living_ = 0;
  bool stopping_ = false;
};

/// The executor that runs the calling task. Panics outside a task.
Executor& this_executor();

}  // namespace chappe::async
