#include "chappe/async/async_mutex.h"

namespace chappe::async {

AsyncMutex::~AsyncMutex() {
  if (!line_.empty()) fail("destroyed while awaited", Site::here());
  // Nobody holds it yet, or a timer does.
  if (held_ && owner() == nullptr) fail("destroyed while handed over", Site::here());
}

AsyncMutex::Lock::~Lock() {
  // Cancelled between the hand-over and the resumption: the next in line gets it.
  if (granted_) mutex_.pass_on();
}

std::optional<AsyncMutex::Guard> AsyncMutex::try_lock(Site site) noexcept {
  sync::Agent* const agent = sync::Agent::running();
  if (agent == nullptr || agent->kind() != sync::Agent::Kind::task) [[unlikely]] {
    fail("tried outside a task", site);
  }
  if (owner() == agent) [[unlikely]]
    fail("recursive lock", site);
  if (held_) return std::nullopt;
  held_ = true;
  taken_by(*agent, site);
  return Guard(*this, site);
}

std::optional<AsyncMutex::TimerGuard> AsyncMutex::try_lock(const TimerContext&, Site) noexcept {
  if (held_) return std::nullopt;
  held_ = true;
  return TimerGuard(*this);
}

void AsyncMutex::unlock(Site site) noexcept {
  check_may_release(site);
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

}  // namespace chappe::async
