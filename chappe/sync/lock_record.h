#pragma once

#include <cstdint>

#include "chappe/base/list.h"
#include "chappe/base/site.h"
#include "chappe/sync/agent.h"
#include "chappe/sync/shared_state.h"

namespace chappe::sync {

/// One logical lock: its name in every message, and its place in the order. A lock may be taken
/// only while all locks held by the same agent have a lower rank, so no cycle can form, and one
/// run of each path proves it.
struct LockClass {
  const char* name;
  std::uint8_t rank;
};

/// What both locks share: who holds it, since where, and every check that makes locking infallible.
/// Each broken rule is a panic that names the lock, both sides and both places.
class LockRecord : public ListNode {
 public:
  const LockClass& lock_class() const { return class_; }

  /// For dumps and tests: the answer may be old when it arrives, unless the asker is the owner.
  Agent* owner() const { return owner_.load(Order::relaxed); }

  /// Where the holder took it. Context: the holder.
  Site site() const { return site_; }

  /// `visit(const LockRecord&)` for each lock that `agent` holds, oldest first. Context: `agent`.
  template <class Visit>
  static void for_each_held_by(Agent& agent, Visit visit) {
    agent.held_.for_each([&](LockRecord& lock) { visit(lock); });
  }

 protected:
  explicit constexpr LockRecord(const LockClass& lock_class) : class_(lock_class) {}
  ~LockRecord();

  /// Panics if `agent` must not wait for this lock: it holds it already, or it holds one that
  /// belongs behind it. Exact without a lock: only an agent itself stores its own address here.
  void check_may_lock(Agent& agent, Site site) const;
  void taken_by(Agent& agent, Site site);
  /// Panics if the one who is running does not hold this lock.
  void check_may_release(Site site) const;
  void released();

  [[noreturn]] void fail(const char* rule, Site here) const;

 private:
  friend class Agent;

  const LockClass& class_;
  static constexpr SharedState kOwnerState{
      .name = "LockRecord::owner",
      .purpose = "who holds the lock",
      .writers = Who::task | Who::timer | Who::worker,
      .readers = Who::any,
      .protection = "only the holder writes; exact for the holder, old for everybody else",
      .orders = Orders::relaxed};
  SharedWord<Agent*, kOwnerState> owner_{nullptr};
  Site site_;  // where the holder took it; the holder only
};

}  // namespace chappe::sync
