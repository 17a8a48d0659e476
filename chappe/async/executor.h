#pragma once

#include <cstdint>
#include <functional>
#include <type_traits>
#include <utility>

#include "chappe/async/task.h"
#include "chappe/async/task_header.h"
#include "chappe/async/timer.h"
#include "chappe/async/wait_list.h"
#include "chappe/base/list.h"
#include "chappe/base/pairing_heap.h"
#include "chappe/base/text.h"
#include "chappe/base/units.h"
#include "chappe/sync/port.h"
#include "chappe/sync/shared_state.h"
#include "chappe/sync/wake_list.h"

namespace chappe::async {

/// The tasks that did not end within the bound of Executor::shut_down, and what each waited for.
struct Abandoned {
  std::uint32_t count = 0;
  Text<480> words;  // "task 'web' waiting for a client at …; task …"
};

/// Runs tasks and timers on one thread, and sleeps when there is nothing to do.
///
/// A step: deliver what was set; fire timers due at one sampled time; run the batch that was ready
/// at that moment. What becomes ready during a batch waits for the next one, so no task can starve
/// the timers or the interrupts; nor, as run() looks up now and then, the port's descriptors. Order
/// is first in, first out everywhere: same inputs, same run.
///
/// Context: the thread that calls run(). Others reach it through signals on wakes(); while it runs,
/// spawning, cancelling, arming or stopping from another thread is a panic.
/// Memory: none; tasks, timers and waits bring their own.
class Executor {
 public:
  explicit Executor(sync::Port& port) : port_(port), wakes_(port) {}
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  ~Executor() { CHAPPE_CHECK(living_.empty()); }

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
  void stop();

  /// The orderly end: tells everybody who waits for stop_requested(), goes on until no task lives,
  /// and cancels those that do not end within `bound`, the newest first. Says who they were; each
  /// is an anomaly too. Context: the thread of run(), which has returned.
  Abandoned shut_down(Duration bound);
  class StopRequested;
  /// `co_await executor.stop_requested()`: until shut_down begins. For tasks that have something to
  /// put in order. Context: task.
  StopRequested stop_requested(Site site = Site::here());
  bool is_shutting_down() const { return shutting_down_; }

  Time now() const { return port_.now(); }
  /// Where signals of this executor's tasks are linked.
  sync::WakeList& wakes() { return wakes_; }
  /// The earliest armed timer, or kNever.
  Time next_deadline() const { return timers_.empty() ? kNever : timers_.front().deadline_; }
  bool has_ready() const { return !ready_.empty(); }

  /// A task or the timers of one step that keep the executor for longer are an anomaly. Who is
  /// accused may have had less by as much as the port's glance stands still: on Linux, a few ms.
  void set_step_budget(Duration budget) { step_budget_ = budget; }

  /// Visits every living task, oldest first: for dumps.
  template <class Visit>
  void for_each_task(Visit visit) {
    living_.for_each([&](TaskHeader::Place& place) { visit(std::as_const(place.task)); });
  }

  // Counters for tests and benchmarks; they never influence anything.
  std::uint64_t resumed_count() const { return resumed_; }
  std::uint64_t sleep_count() const { return sleeps_; }
  std::uint64_t step_count() const { return steps_; }

 private:
  friend class AsyncMutex;
  friend class Timer;
  friend class TaskHeader;

  /// With always something to do, the outside world is looked at after so many steps.
  static constexpr std::uint32_t kBusySteps = 16;

  // While it lives, this executor belongs to the calling thread.
  class Home {
   public:
    explicit Home(Executor& executor);
    ~Home();
    Home(const Home&) = delete;
    Home& operator=(const Home&) = delete;

   private:
    Executor& executor_;
    const void* const before_;
    sync::Agent* const agent_before_;
  };
  void check_at_home(const char* what) const {
    const void* const home = home_.load(sync::Order::relaxed);
    if (home != nullptr && home != sync::Agent::this_thread()) [[unlikely]]
      fail_away_from_home(what);
  }
  [[noreturn]] void fail_away_from_home(const char* what) const;

  void prepare(TaskHeader& slot, const char* name);
  void adopt(TaskHeader& slot, std::coroutine_handle<Task<void>::promise_type> root);
  void make_ready(TaskHeader& task);
  void resume(TaskHeader& task);
  void end(TaskHeader& task);
  bool fire_timers();
  void look_at_clock(const char* kind, const char* name);

  Time look_at_locks();

  sync::Port& port_;
  sync::WakeList wakes_;
  static constexpr sync::SharedState kHomeState{.name = "Executor::home",
                                                .purpose = "the thread that runs it",
                                                .writers = sync::Who::executor,
                                                .readers = sync::Who::any,
                                                .protection = "only the thread that runs it writes",
                                                .orders = sync::Orders::relaxed};
  sync::SharedWord<const void*, kHomeState> home_{nullptr};
  List<TaskHeader> ready_;
  List<TaskHeader::Place> living_;
  PairingHeap<Timer, EarlierTimer> timers_;
  WaitList stop_requested_;
  std::uint64_t armed_ = 0;
  Time time_ = Time::min();  // as of the last look at the clock
  Time glanced_at_ = Time::min();
  Time firing_at_ = Time::min();  // while timers fire: the time they fire for
  Duration step_budget_ = milliseconds(100);
  std::uint64_t resumed_ = 0;
  std::uint64_t sleeps_ = 0;
  std::uint64_t steps_ = 0;
  bool locks_held_ = false;  // by a task that gave way, unless it has released since
  bool stopping_ = false;
  bool shutting_down_ = false;
};

class [[nodiscard]] Executor::StopRequested : public WaitList::Wait {
 public:
  StopRequested(Executor& executor, Site site)
      : Wait(executor.stop_requested_, "the end", site), executor_(executor) {}
  bool await_ready() const { return executor_.shutting_down_; }

 private:
  Executor& executor_;
};

inline Executor::StopRequested Executor::stop_requested(Site site) {
  return StopRequested(*this, site);
}

/// The executor that runs the calling task. Panics outside a task.
Executor& this_executor();

}  // namespace chappe::async
