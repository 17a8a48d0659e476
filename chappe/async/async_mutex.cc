#include "chappe/async/async_mutex.h"

#include "chappe/async/executor.h"
#include "chappe/base/note.h"

namespace chappe::async {

using sync::Agent;

AsyncMutex::~AsyncMutex() {
  if (!line_.empty()) fail("destroyed while awaited", Site::here());
  if (owner() != nullptr) fail("destroyed while held", held_at());
  if (held_) fail("destroyed while handed over", Site::here());
}

AsyncMutex::Lock::~Lock() {
  // Cancelled between the hand-over and the resumption: the next in line gets it.
  if (granted_) mutex_.pass_on();
}

std::optional<AsyncMutex::Guard> AsyncMutex::try_lock(Site site) noexcept {
  return try_lock_as(Agent::Kind::task, "tried outside a task", site);
}

std::optional<AsyncMutex::Guard> AsyncMutex::try_lock(const TimerContext&, Site site) noexcept {
  return try_lock_as(Agent::Kind::timer, "tried outside a timer", site);
}

std::optional<AsyncMutex::Guard> AsyncMutex::try_lock_as(Agent::Kind kind,
                                                         const char* rule,
                                                         Site site) noexcept {
  Agent* const agent = Agent::running();
  if (agent == nullptr || agent->kind() != kind) [[unlikely]]
    fail(rule, site);
  check_not_recursive(*agent, site);
  if (held_) return std::nullopt;
  held_ = true;
  return grant(*agent, site);
}

AsyncMutex::Guard AsyncMutex::grant(Agent& agent, Site site) noexcept {
  taken_by(agent, site);
  if (agent.kind() == Agent::Kind::task) {
    // The time at which its step began: a hold within one step has none, and needs no clock.
    since_ = static_cast<TaskHeader&>(agent).executor()->lock_taken();
    reported_ = false;
  }
  return Guard(*this, site);
}

void AsyncMutex::unlock(Site site) noexcept {
  check_may_release(site);
  if (owner()->kind() == Agent::Kind::task) {
    const Time now = static_cast<TaskHeader&>(*owner()).executor()->lock_released();
    check_hold(now - since_, nullptr);
  }
  released();
  pass_on();
}

void AsyncMutex::pass_on() noexcept {
  Lock* const next = line_.pop_front();
  if (next == nullptr) {
    held_ = false;
    return;
  }
  next->granted_ = true;
  next->wake();
}

void AsyncMutex::join_line(Lock& lock) noexcept {
  note(Note::lock_contended, note_name(lock_class().name), lock_class().rank);
  lock.agent_->begin_waiting_on(*this);
  line_.push_back(lock);
}

void AsyncMutex::add_line(Words& words, const sync::Workplace&) const {
  const char* before = "; in line: ";
  line_.for_each([&](const Lock& lock) {
    words.add(before);
    sync::add_agent(words, lock.agent_);
    words.add(" at ").add(lock.site_);
    before = ", ";
  });
}

}  // namespace chappe::async
