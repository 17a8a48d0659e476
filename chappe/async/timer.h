#pragma once

#include <cstdint>

#include "chappe/base/pairing_heap.h"
#include "chappe/base/units.h"

namespace chappe::async {

class Executor;

/// The token of timer context. Only the executor makes one; a function that takes it can be called
/// from a timer's callback and from nowhere else. A timer never blocks: try-lock only.
class TimerContext {
 public:
  TimerContext(const TimerContext&) = delete;
  TimerContext& operator=(const TimerContext&) = delete;
  Time now() const { return now_; }
  void operator&() const = delete;  // not to be kept

 private:
  friend class Executor;
  explicit TimerContext(Time now) : now_(now) {}
  const Time now_;
};

/// Calls back at an absolute time. Timers of one deadline fire in the order in which they were
/// armed. Memory: none. Context: the executor that owns it arms, cancels, fires and destroys it.
class Timer : public HeapNode {
 public:
  using Callback = void (*)(Timer&, const TimerContext&);

  Timer(Executor& executor, Callback callback) : executor_(executor), callback_(callback) {}
  ~Timer() { cancel(); }

  /// Arms it, or moves it if it is armed. Never fires early; a time in the past fires in the next
  /// step.
  void arm(Time deadline);
  void cancel();
  bool armed() const { return queued(); }
  Time deadline() const { return deadline_; }

 private:
  friend class Executor;
  friend struct EarlierTimer;
  Executor& executor_;
  const Callback callback_;
  Time deadline_{};
  std::uint64_t armed_as_ = 0;
};

struct EarlierTimer {
  bool operator()(const Timer& a, const Timer& b) const {
    return a.deadline_ != b.deadline_ ? a.deadline_ < b.deadline_ : a.armed_as_ < b.armed_as_;
  }
};

}  // namespace chappe::async
