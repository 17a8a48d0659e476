#pragma once

#include "chappe/base/list.h"
#include "chappe/base/site.h"
#include "chappe/base/text.h"
#include "chappe/base/units.h"
#include "chappe/sync/agent.h"
#include "chappe/sync/lock_class.h"
#include "chappe/sync/shared_site.h"
#include "chappe/sync/shared_state.h"

namespace chappe::sync {

struct Workplace;

/// What both locks share: who holds it, since when and where, and every check that makes locking
/// infallible. Each broken rule is a panic that names the lock, both sides and both places.
class LockRecord : public ListNode {
 public:
  /// Room for a rule, both sides, and a chain of a few agents with their places.
  using Words = Text<700>;

  const LockClass& lock_class() const { return class_; }

  /// For dumps and tests: the answer may be old when it arrives, unless the asker is the owner.
  Agent* owner() const { return owner_.load(); }
  Site held_at() const { return site_.read(); }

  /// "held by …, who waits for …, held by …; in line: …": everybody who holds and who waits, from
  /// this lock on. Exact for tasks of the calling executor; of worker threads as good as a look at
  /// others can be. Context: any but a section.
  void add_chain(Words& words) const;

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
  void check_may_lock(Agent& agent, Site site) const {
    check_not_recursive(agent, site);
    if (agent.holds_a_lock()) check_order(agent, site);
  }
  void check_not_recursive(const Agent& agent, Site site) const {
    if (owner() == &agent) [[unlikely]]
      fail("recursive lock", site);
  }
  void taken_by(Agent& agent, Site site) {
    owner_.store(&agent);
    site_.write(site);
    agent.held_.push_back(*this);
  }
  /// Panics if the one who is running does not hold this lock.
  void check_may_release() const {
    Agent* const me = Agent::running();
    if (owner() != me || me == nullptr) [[unlikely]]
      fail(owner() == nullptr ? "release of a free lock" : "foreign release", held_at());
  }
  void released() {
    unlink();
    owner_.store(nullptr);
  }

  /// Its hold has lasted `held`: an anomaly beyond the budget, once; beyond the limit, a panic.
  /// Returns after how long a hold this wants to be asked again. Context: who may read since_.
  Duration check_hold(Duration held, const Workplace* workplace) {
    if (held < class_.budget) [[likely]]
      return class_.budget;
    return over_budget(held, workplace);
  }

  [[noreturn, gnu::cold]] void fail(const char* rule, Site here) const;

  Time since_{};           // of the grant, or of the watch's first look; see the two locks
  bool reported_ = false;  // this hold is over its budget, and was told

 private:
  friend class Agent;

  void check_order(Agent& agent, Site site) const;
  Duration over_budget(Duration held, const Workplace* workplace);

  void add_chain(Words& words, const Workplace& workplace) const;
  virtual void add_line(Words& words, const Workplace& workplace) const = 0;

  const LockClass& class_;
  static constexpr SharedState kOwnerState{
      .name = "LockRecord::owner",
      .purpose = "who holds the lock",
      .writers = Who::task | Who::timer | Who::worker,
      .readers = Who::any,
      .protection = "only the holder writes; exact for the holder, old for everybody else",
      .orders = Orders::relaxed};
  SharedHint<Agent*, kOwnerState> owner_{nullptr};
  SharedSite site_;  // where the holder took it; writer: the holder
};

/// "task 'saver'", or who else it is.
void add_agent(LockRecord::Words& words, const Agent* agent);

}  // namespace chappe::sync
