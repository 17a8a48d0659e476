#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include "chappe/async/executor.h"
#include "chappe/async/task_header.h"
#include "chappe/async/timer.h"
#include "chappe/base/list.h"
#include "chappe/base/note.h"
#include "chappe/sync/lock_record.h"
#include "chappe/sync/waiter.h"

namespace chappe::async {

/// The lock of tasks: waiting suspends the task and nothing else. Locking cannot fail; recursion,
/// wrong order, a foreign release are panics that name the lock, both tasks and both places.
///
/// Order: first come, first served; a release hands the lock to the longest waiter. It may be held
/// across awaits. Cancelled while waiting, a task has taken nothing; cancelled while holding, its
/// guard gives the lock back.
/// Context: tasks of one executor; its timers by try_lock only.
class AsyncMutex final : public sync::LockRecord {
 public:
  explicit constexpr AsyncMutex(const sync::LockClass& lock_class) : LockRecord(lock_class) {}
  ~AsyncMutex();

  class Guard;
  class Lock;
  template <class Do>
  class With;
  /// `auto guard = co_await mutex.lock();`
  [[nodiscard]] Lock lock(Site site = Site::here()) noexcept;
  /// `auto result = co_await mutex.with(change);` runs `change` with the lock held. It is no
  /// coroutine: nothing can be awaited in it, so it is held for a moment only.
  template <class Do>
  [[nodiscard]] With<Do> with(Do change, Site site = Site::here());
  /// Nothing if somebody holds it. Context: task.
  [[nodiscard]] std::optional<Guard> try_lock(Site site = Site::here()) noexcept;

  /// For a timer, which may not wait: nothing if somebody holds it. A guard that is still there
  /// when the callback returns is a panic. A task that can wait is nearly always the better place
  /// for such work.
  [[nodiscard]] std::optional<Guard> try_lock(const TimerContext& context,
                                              Site site = Site::here()) noexcept;

  bool is_held() const { return held_; }

 private:
  std::optional<Guard> try_lock_as(sync::Agent::Kind kind, const char* rule, Site site) noexcept;
  Guard grant(TaskHeader& task, Site site) noexcept;
  void unlock() noexcept;
  void pass_on() noexcept;
  void hand_over() noexcept;
  void join_line(Lock& lock) noexcept;
  void add_line(Words& words, const sync::Workplace& workplace) const override;

  // Executor's thread only.
  mutable List<Lock> line_;
  bool held_ = false;
};

/// Holds the lock while it lives. Moving it to another task is allowed only as far as that task
/// never releases it: the one who locked unlocks.
class [[nodiscard]] AsyncMutex::Guard {
 public:
  Guard(Guard&& other) noexcept : mutex_(std::exchange(other.mutex_, nullptr)) {}
  Guard& operator=(Guard&&) = delete;
  ~Guard() {
    if (mutex_ != nullptr) mutex_->unlock();
  }

 private:
  friend class AsyncMutex;
  explicit Guard(AsyncMutex& mutex) : mutex_(&mutex) {}
  AsyncMutex* mutex_;
};

class [[nodiscard]] AsyncMutex::Lock : public sync::Waiter {
 public:
  Lock(AsyncMutex& mutex, Site site) : mutex_(mutex), site_(site) {}
  ~Lock() {
    // Cancelled between the hand-over and the resumption: the next in line gets it.
    if (granted_) mutex_.pass_on();
  }

  bool await_ready() {
    agent_ = &TaskHeader::current();
    mutex_.check_may_lock(*agent_, site_);
    if (mutex_.held_) return false;
    mutex_.held_ = true;
    granted_ = true;
    return true;
  }
  template <sync::TaskPromise Promise>
  void await_suspend(std::coroutine_handle<Promise> place) noexcept {
    place.promise().suspend(*this, place, mutex_.lock_class().name, site_, nullptr);
    mutex_.join_line(*this);
  }
  Guard await_resume() {
    Guard guard = mutex_.grant(*agent_, site_);
    granted_ = false;  // last, so that our destructor need not look
    return guard;
  }

 private:
  friend class AsyncMutex;
  AsyncMutex& mutex_;
  const Site site_;
  TaskHeader* agent_ = nullptr;
  bool granted_ = false;  // the lock is ours, the guard not yet made
};

template <class Do>
class [[nodiscard]] AsyncMutex::With : public Lock {
 public:
  static_assert(
      !requires(std::invoke_result_t<Do&> result) { result.await_ready(); },
      "what with() runs cannot wait; take the lock by lock() to hold it across an await");
  With(AsyncMutex& mutex, Do change, Site site) : Lock(mutex, site), change_(std::move(change)) {}
  auto await_resume() {
    const Guard guard = Lock::await_resume();
    return change_();
  }

 private:
  Do change_;
};

inline AsyncMutex::Guard AsyncMutex::grant(TaskHeader& task, Site site) noexcept {
  taken_by(task, site);
  // The time at which its step began: a hold within one step has none, and needs no clock.
  since_ = task.executor()->time_;
  reported_ = false;
  return Guard(*this);
}

inline void AsyncMutex::unlock() noexcept {
  check_may_release();
  if (owner()->kind() == sync::Agent::Kind::task) {
    check_hold(static_cast<TaskHeader&>(*owner()).executor()->time_ - since_, nullptr);
  }
  released();
  pass_on();
}

inline void AsyncMutex::pass_on() noexcept {
  if (line_.empty()) {
    held_ = false;
  } else {
    hand_over();
  }
}

inline AsyncMutex::Lock AsyncMutex::lock(Site site) noexcept {
  return Lock(*this, site);
}

template <class Do>
AsyncMutex::With<Do> AsyncMutex::with(Do change, Site site) {
  return With<Do>(*this, std::move(change), site);
}

}  // namespace chappe::async
