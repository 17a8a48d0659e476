#pragma once

#include <cstdint>

#include "chappe/async/executor.h"
#include "chappe/async/wait_list.h"

namespace chappe::client {

/// Keeps clients off the node's way: they work when it has nothing to do, one piece of work a step,
/// first come, first served. So however many clients there are and whatever they ask for, a frame
/// on its way through the node finds the executor as if there were none.
///
/// A node that is busy without a pause still serves clients: one turn each kPatience steps.
/// Context: tasks of the executor. Wakes nobody while nobody asks.
class Turns {
 public:
  static constexpr std::uint32_t kPatience = 64;

  explicit Turns(async::Executor& executor) : executor_(executor) {}
  ~Turns() { stop(); }

  void start();
  void stop() { slot_.cancel(); }

  /// `co_await turns.take();` then do one bounded piece of work.
  [[nodiscard]] async::WaitList::Wait take(Site site = Site::here()) {
    asked_.wake_one();
    return line_.wait("a turn", site);
  }

  std::uint64_t given() const { return given_; }

 private:
  async::Task<> give();

  async::Executor& executor_;
  async::WaitList line_;
  async::WaitList asked_;
  std::uint64_t given_ = 0;
  async::TaskSlot<1024> slot_;
};

}  // namespace chappe::client
