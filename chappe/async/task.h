#pragma once

#include <coroutine>
#include <cstddef>
#include <optional>
#include <utility>

#include "chappe/async/task_header.h"
#include "chappe/base/check.h"

namespace chappe::async {

/// What every coroutine of ours can do: allocate from its task's arena, wait, resume its parent.
class PromiseBase {
 public:
  static void* operator new(std::size_t bytes) {
    return TaskHeader::current().arena_.allocate(bytes);
  }
  static void operator delete(void* frame) noexcept { FrameArena::free(frame); }

  std::suspend_always initial_suspend() noexcept { return {}; }

  struct Final {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> ended) noexcept {
      PromiseBase& promise = ended.promise();
      // Ended while the parent was starting us: the parent looks at done() and simply goes on.
      // Else the executor's loop resumes it: no symmetric transfer, so the stack cannot grow.
      if (!promise.starting_) promise.header_->resume_at_ = promise.parent_;
    }
    void await_resume() noexcept {}
  };
  Final final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { panic("an exception left a task"); }

  /// Parks the whole task until `waiter` wakes it; see sync::TaskPromise.
  void suspend(sync::Waiter& waiter,
               std::coroutine_handle<> place,
               const char* what,
               Site site,
               const sync::WakeList* list) {
    header_->begin_waiting(what, site);
    if (list != nullptr && list != header_->wakes_) [[unlikely]]
      header_->fail_foreign_wait();
    waiter.bind(&TaskHeader::resume_waiter, header_, place);
  }

  TaskHeader& header() const { return *header_; }

 protected:
  template <class T>
  friend class Task;
  friend class Executor;

  // Binds a child to the task that awaits it and runs it up to its first wait. True if it waits.
  template <class Promise>
  static bool start(std::coroutine_handle<Promise> child,
                    std::coroutine_handle<> parent,
                    TaskHeader& header) {
    if (!child || child.promise().header_ != nullptr) [[unlikely]] {
      panic("a task is awaited once, and not after it was moved away");
    }
    PromiseBase& promise = child.promise();
    promise.header_ = &header;
    promise.parent_ = parent;
    promise.starting_ = true;
    child.resume();
    promise.starting_ = false;
    return !child.done();
  }

 private:
  TaskHeader* header_ = nullptr;
  std::coroutine_handle<> parent_;
  bool starting_ = false;
};

/// A coroutine that yields a T: lazy, awaited once, by a task of ours.
/// Cancelled while waiting, its locals are destroyed in order; nothing else happens.
template <class T = void>
class [[nodiscard]] Task {
 public:
  class promise_type : public PromiseBase {
   public:
    Task get_return_object() { return Task(Handle::from_promise(*this)); }
    void return_value(T value) { value_.emplace(std::move(value)); }

   private:
    friend class Task;
    std::optional<T> value_;
  };

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  template <std::derived_from<PromiseBase> Promise>
  bool await_suspend(std::coroutine_handle<Promise> parent) {
    return PromiseBase::start(handle_, parent, parent.promise().header());
  }
  T await_resume() { return std::move(*handle_.promise().value_); }

 private:
  using Handle = std::coroutine_handle<promise_type>;
  explicit Task(Handle handle) : handle_(handle) {}
  Handle handle_;
};

template <>
class [[nodiscard]] Task<void> {
 public:
  class promise_type : public PromiseBase {
   public:
    Task get_return_object() { return Task(Handle::from_promise(*this)); }
    void return_void() {}
  };

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  template <std::derived_from<PromiseBase> Promise>
  bool await_suspend(std::coroutine_handle<Promise> parent) {
    return PromiseBase::start(handle_, parent, parent.promise().header());
  }
  void await_resume() {}

 private:
  friend class Executor;
  using Handle = std::coroutine_handle<promise_type>;
  explicit Task(Handle handle) : handle_(handle) {}
  Handle handle_;
};

}  // namespace chappe::async
