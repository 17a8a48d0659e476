#pragma once

#include <cstdint>

#include "chappe/async/completion.h"
#include "chappe/async/timer.h"
#include "chappe/base/list.h"
#include "chappe/base/pairing_heap.h"
#include "chappe/radio/frame.h"
#include "chappe/tx/outcome.h"
#include "chappe/tx/submission.h"

namespace chappe::tx {

class Transmitter;

/// A frame between submission and result: a place in the pool and a timer, not a coroutine.
/// Context: the transmitter's executor.
class Waiting : public HeapNode {
 public:
  explicit Waiting(Transmitter& transmitter);

  std::uint64_t id() const { return id_; }
  std::uint8_t priority() const { return priority_; }
  Bytes frame() const { return frame_.view(); }
  Time not_before() const { return timer_.deadline(); }

 private:
  friend class Transmitter;
  friend struct GoesFirst;

  enum class State : std::uint8_t { free, delayed, in_line, on_air };

  struct Due : async::Timer {
    Due(async::Executor& executor, Waiting& of) : Timer(executor, &fired), waiting(of) {}
    static void fired(Timer& timer, const async::TimerContext& context);
    Waiting& waiting;
  };

  Transmitter& transmitter_;
  Due timer_;
  radio::FrameBytes frame_;
  Duration airtime_{};
  Time due_{};  // submitted plus delay: what waiting is counted from
  Time expiry_ = kNever;
  std::uint64_t id_ = 0;
  std::uint64_t tag_ = 0;
  async::Completion<Outcome>* completion_ = nullptr;
  async::Completion<Outcome>::Ticket ticket_;
  std::uint8_t priority_ = 0;
  std::uint8_t attempts_ = 0;
  bool perhaps_sent_ = false;
  Origin origin_ = Origin::relay;
  State state_ = State::free;
};

/// The order of the line: priority, then who was submitted first.
struct GoesFirst {
  bool operator()(const Waiting& a, const Waiting& b) const {
    return a.priority_ != b.priority_ ? a.priority_ < b.priority_ : a.id_ < b.id_;
  }
};

}  // namespace chappe::tx
