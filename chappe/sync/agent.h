#pragma once

#include <cstdint>

#include "chappe/base/list.h"
#include "chappe/base/site.h"
#include "chappe/base/text.h"

namespace chappe::sync {

class LockRecord;

/// Who is running: a task or a worker thread, who can hold locks, or a timer, which cannot.
/// Interrupts are nobody.
class Agent {
 public:
  enum class Kind : std::uint8_t { task, worker, timer };

  Agent(Kind kind, const char* name) : name_(name), kind_(kind) {}
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  const char* name() const { return name_; }
  Kind kind() const { return kind_; }
  const char* kind_name() const {
    return kind_ == Kind::task ? "task" : kind_ == Kind::worker ? "worker" : "timer";
  }

  /// Empty, or a sentence about a lock this agent still holds. Context: this agent.
  Text<200> still_holding();

  /// Who is running in this context: null in an interrupt, the executor itself, and on a thread
  /// that has not said who it is.
  static Agent* running() noexcept { return running_; }
  static void set_running(Agent* agent) noexcept { running_ = agent; }

 protected:
  ~Agent() = default;
  void rename(const char* name) { name_ = name; }

 private:
  friend class LockRecord;

  // One per thread of execution; on a single core, one.
  static constinit thread_local Agent* running_;

  const char* name_;
  const Kind kind_;
  List<LockRecord> held_;  // written by this agent only
};

}  // namespace chappe::sync
