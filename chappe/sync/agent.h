#pragma once

#include <cstdint>

#include "chappe/base/list.h"
#include "chappe/base/text.h"
#include "chappe/base/units.h"
#include "chappe/sync/shared_site.h"
#include "chappe/sync/shared_state.h"

namespace chappe::sync {

class LockRecord;

/// Who is running: a task or a worker thread, who can wait for locks, or a timer, which can only
/// try. Interrupts are nobody.
class Agent {
 public:
  enum class Kind : std::uint8_t { task, worker, timer };

  Agent(Kind kind, const char* name) : kind_(kind), name_(name) {}
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  const char* name() const { return name_.load(); }
  Kind kind() const { return kind_; }
  const char* kind_name() const {
    return kind_ == Kind::task ? "task" : kind_ == Kind::worker ? "worker" : "timer";
  }

  /// For dumps, possibly old when it arrives: what it waits for (null: nothing), which lock if it
  /// is one, and where in the source.
  const char* waiting_for() const { return waiting_for_.load(); }
  const LockRecord* waiting_on() const { return waiting_on_.load(); }
  Site waiting_at() const { return waiting_at_.read(); }

  bool holds_a_lock() const { return !held_.empty(); }
  /// Panics or reports what it has held for too long, see LockRecord::check_hold. Returns when to
  /// look again. Context: this agent's thread, for tasks.
  Time look_at_held(Time now);
  /// Empty, or a sentence about a lock this agent still holds. Context: this agent.
  Text<200> still_holding();

  /// Who is running in this context: null in an interrupt, the executor itself, and on a thread
  /// that has not said who it is.
  static Agent* running() noexcept { return running_; }
  static void set_running(Agent* agent) noexcept { running_ = agent; }
  /// Names the calling thread of execution; on a single core there is one.
  static const void* this_thread() noexcept { return &running_; }

 protected:
  ~Agent() = default;
  void rename(const char* name) { name_.store(name); }

  void begin_waiting(const char* what, Site site) {
    waiting_for_.store(what);
    waiting_at_.write(site);
  }
  void begin_waiting_on(const LockRecord& lock) { waiting_on_.store(&lock); }
  void end_waiting() {
    waiting_for_.store(nullptr);
    waiting_on_.store(nullptr);
  }

  List<LockRecord> held_;  // this agent only

 private:
  friend class LockRecord;

  // One per thread of execution; on a single core, one.
  static constinit thread_local Agent* running_;

  const Kind kind_;
  static constexpr SharedState kNameState{.name = "Agent::name",
                                          .purpose = "who it is, for dumps and panics",
                                          .writers = Who::any,
                                          .readers = Who::any,
                                          .protection = "only the agent itself writes",
                                          .orders = Orders::relaxed};
  SharedHint<const char*, kNameState> name_;
  static constexpr SharedState kWaitingForState{.name = "Agent::waiting_for",
                                                .purpose = "what it waits for, in words",
                                                .writers = Who::any,
                                                .readers = Who::any,
                                                .protection = "only the agent itself writes",
                                                .orders = Orders::relaxed};
  SharedHint<const char*, kWaitingForState> waiting_for_{nullptr};
  static constexpr SharedState kWaitingOnState{
      .name = "Agent::waiting_on",
      .purpose = "the lock it waits for",
      .writers = Who::any,
      .readers = Who::any,
      .protection = "only the agent itself writes; who follows it looks inside the workplace",
      .orders = Orders::relaxed};
  SharedHint<const LockRecord*, kWaitingOnState> waiting_on_{nullptr};
  SharedSite waiting_at_;
};

}  // namespace chappe::sync
