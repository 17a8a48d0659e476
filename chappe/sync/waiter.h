#pragma once

#include <concepts>
#include <coroutine>

#include "chappe/base/list.h"
#include "chappe/base/site.h"

namespace chappe::sync {

class WakeList;

/// A suspended task's place in a wait list. It lives in the waiting coroutine's frame: waiting
/// allocates nothing, and a cancelled task is in no list because the destructor unlinks it.
/// Context: the executor's thread only. Producers never see a waiter.
class Waiter : public ListNode {
 public:
  using Resume = void (*)(Waiter&) noexcept;

  /// Makes the waiting task ready. It runs in a later step of its executor, never here.
  void wake() noexcept {
    unlink();
    woken_ = true;
    resume_(*this);
  }
  /// Since it began to wait. For who waits for one of several things, see async::when_any.
  bool woken() const { return woken_; }

  void* task() const { return task_; }
  std::coroutine_handle<> place() const { return place_; }

  /// Called by the promise of the task that suspends.
  void bind(Resume resume, void* task, std::coroutine_handle<> place) {
    resume_ = resume;
    task_ = task;
    place_ = place;
    woken_ = false;
  }

 private:
  Resume resume_ = nullptr;
  void* task_ = nullptr;
  std::coroutine_handle<> place_;
  bool woken_ = false;
};

/// Only our tasks can wait: a foreign coroutine, a plain function, a timer or an interrupt that
/// tries does not compile. `list` is where the source is linked, null if it has none: a task that
/// waits for something of another executor is a panic.
template <class Promise>
concept TaskPromise = requires(Promise& promise,
                               Waiter& waiter,
                               std::coroutine_handle<> place,
                               const char* what,
                               Site site,
                               const WakeList* list) {
  { promise.suspend(waiter, place, what, site, list) } -> std::same_as<void>;
};

}  // namespace chappe::sync
