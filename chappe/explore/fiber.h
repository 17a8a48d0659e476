#pragma once

#include <cstddef>

namespace chappe::explore {

/// A stack of its own on which a context of an exploration runs, so that it can be left in the
/// middle of any function and entered again. Abandoning one is free: nothing is unwound, its
/// objects die with the execution's arena. A switch takes a few nanoseconds and no system call.
class Fiber {
 public:
  using Entry = void (*)(void* argument);

  Fiber();
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// The next enter() begins `entry(argument)`, which must never return. Whatever ran here before
  /// is abandoned.
  void begin(Entry entry, void* argument);

  /// Leaves `from` and goes on with this one; returns when somebody enters `from`.
  void enter(Fiber& from);

  /// The stack of whoever runs the exploration: has no memory of its own.
  struct Main {};
  explicit Fiber(Main);

  struct State;  // of the portable fallback

 private:
  // The first thing that a new fiber does: tells the sanitizers that it is there.
  void arrived();

  std::byte* memory_ = nullptr;  // with a guard page below
  std::byte* bottom_ = nullptr;
  std::size_t bytes_ = 0;
  void* sp_ = nullptr;
  State* state_ = nullptr;
  Entry entry_ = nullptr;
  void* argument_ = nullptr;
  [[maybe_unused]] Fiber* arrived_from_ = nullptr;  // for the sanitizers

  static void start(void* self);
  friend void fiber_start(void*);
};

}  // namespace chappe::explore
