#pragma once

#include <cstddef>
#include <span>

#include "chappe/async/executor.h"
#include "chappe/async/timer.h"
#include "chappe/play/scenario.h"

namespace chappe::play {

/// Hands over the inputs of a recording at their times, counted from start(), in their order.
/// Context: the executor. The inputs stay the caller's.
class Tape {
 public:
  class Sink {
   public:
    virtual void on_input(const ScenarioInput& input) noexcept = 0;

   protected:
    ~Sink() = default;
  };

  Tape(async::Executor& executor, std::span<const ScenarioInput> inputs, Sink& sink)
      : executor_(executor), inputs_(inputs), sink_(sink), due_(executor, *this) {}

  void start() {
    origin_ = executor_.now();
    arm();
  }
  void stop() { due_.cancel(); }
  bool finished() const { return next_ == inputs_.size(); }

 private:
  struct Due : async::Timer {
    Due(async::Executor& executor, Tape& of) : Timer(executor, &fired), tape(of) {}
    static void fired(Timer& timer, const async::TimerContext&) {
      static_cast<Due&>(timer).tape.hand_over();
    }
    Tape& tape;
  };

  Time time_of(const ScenarioInput& input) const { return origin_ + input.at.time_since_epoch(); }

  void arm() {
    if (!finished()) due_.arm(time_of(inputs_[next_]));
  }
  void hand_over() {
    while (!finished() && time_of(inputs_[next_]) <= executor_.now()) {
      sink_.on_input(inputs_[next_++]);
    }
    arm();
  }

  async::Executor& executor_;
  const std::span<const ScenarioInput> inputs_;
  Sink& sink_;
  Due due_;
  Time origin_{};
  std::size_t next_ = 0;
};

}  // namespace chappe::play
