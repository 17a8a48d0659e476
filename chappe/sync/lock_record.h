#pragma once

#include <cstdint>

#include "chappe/base/list.h"
#include "chappe/base/site.h"
#include "chappe/sync/agent.h"
#include "chappe/sync/word.h"

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
  Agent* owner() const { return owner_.load(); }

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
  Hint<Agent*> owner_{nullptr};  // writer: the holder, or whoever hands over; checked by the holder
  Site site_;                    // where the holder took it; the holder only
};

}  // namespace chappe::sync
