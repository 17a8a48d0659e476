#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

/// The smallest lazy task that shows what a compiler does with co_await. Its own, and not
/// chappe::async::Task, so that a fault of the compiler cannot be taken for one of ours.
namespace forms {

template <class T>
class [[nodiscard]] Task {
 public:
  struct promise_type {
    Task get_return_object() {
      return Task(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_value(T result) { value.emplace(std::move(result)); }
    void unhandled_exception() { error = std::current_exception(); }

    std::optional<T> value;
    std::exception_ptr error;
  };

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  // Runs the child to its end within the await: nothing suspends for real, and the forms that go
  // wrong do so all the same.
  bool await_ready() {
    handle_.resume();
    return true;
  }
  void await_suspend(std::coroutine_handle<>) {}
  T await_resume() {
    if (handle_.promise().error) std::rethrow_exception(handle_.promise().error);
    return std::move(*handle_.promise().value);
  }

  bool done() const { return handle_.done(); }

 private:
  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

/// Suspends for real, and is resumed from outside through `waiting`.
struct Deferred {
  explicit Deferred(int k) : value(k) {}
  static inline std::coroutine_handle<> waiting;
  int value;
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> place) { waiting = place; }
  int await_resume() const { return value; }
};

/// Knows whether each object made is destroyed exactly once, without touching freed memory.
class Tracked {
 public:
  explicit Tracked(int value) : value_(value) { enter(); }
  Tracked(const Tracked& other) : value_(other.value_) { enter(); }
  Tracked(Tracked&& other) noexcept : value_(std::exchange(other.value_, -1)) { enter(); }
  Tracked& operator=(const Tracked&) = default;
  Tracked& operator=(Tracked&&) = default;
  ~Tracked() {
    // A copy made bit by bit, or destroyed already, does not point to itself.
    if (self_ != this) faults = faults + 1;
    self_ = nullptr;
    living = living - 1;
  }

  int value() const { return value_; }

  static inline int living = 0;
  static inline int faults = 0;

 private:
  void enter() {
    self_ = this;
    living = living + 1;
  }

  int value_;
  // Volatile, or the store in the destructor is dead to the optimiser.
  const Tracked* volatile self_ = nullptr;
};

}  // namespace forms
