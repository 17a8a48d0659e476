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
  Duration airtime() const { return airtime_; }
  Time expiry() const { return expiry_; }

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
  Due timer_;  // delayed: when it is due. In line: when it expires
  radio::FrameBytes frame_;
  Duration airtime_{};
  Time due_{};  // submitted plus delay: what waiting is counted from
  Time expiry_ = kNever;
  std::uint64_t id_ = 0;
  std::uint64_t tag_ = 0;
  async::Completion<Outcome>* completion_ = nullptr;
  async::Completion<Outcome>::Ticket ticket_;
  Neighbour neighbour_ = kOwnFrames;
  Duration tag_of_share_{};
  std::uint16_t rank_ = 0;
  std::uint8_t priority_ = 0;
  std::uint8_t attempts_ = 0;
  bool perhaps_sent_ = false;
  Origin origin_ = Origin::relay;
  State state_ = State::free;
};

/// The order of the line, which is also the order of worth: rank, then share, then who was
/// submitted first.
struct GoesFirst {
  bool operator()(const Waiting& a, const Waiting& b) const {
    if (a.rank_ != b.rank_) return a.rank_ < b.rank_;
    if (a.tag_of_share_ != b.tag_of_share_) return a.tag_of_share_ < b.tag_of_share_;
    return a.id_ < b.id_;
  }
};

}  // namespace chappe::tx
