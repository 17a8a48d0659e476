#pragma once

#include "chappe/async/executor.h"
#include "chappe/radio/radio.h"

namespace chappe::rx {

/// What is done with a frame, at once and without waiting: the radio listens on meanwhile.
class FrameSink {
 public:
  virtual void on_frame(const radio::Frame& frame) noexcept = 0;

 protected:
  ~FrameSink() = default;
};

/// From "the line rose" to "here is a frame": hands over what the radio heard, oldest first, in the
/// context that noticed it. Nothing is queued a second time and nobody else is woken for it.
/// Context: the radio's executor.
class Receiver {
 public:
  Receiver(async::Executor& executor, radio::Radio& radio, FrameSink& sink)
      : executor_(executor), radio_(radio), sink_(sink) {}

  void start() { executor_.spawn(slot_, "receiver", &Receiver::run, this); }
  void stop() { slot_.cancel(); }

 private:
  async::Task<> run();

  async::Executor& executor_;
  radio::Radio& radio_;
  FrameSink& sink_;
  async::TaskSlot<1024> slot_;
};

}  // namespace chappe::rx
