#include "chappe/async/async_mutex.h"

#include "chappe/base/note.h"

namespace chappe::async {

using sync::Agent;

AsyncMutex::~AsyncMutex() {
  if (!line_.empty()) fail("destroyed while awaited", Site::here());
  if (owner() != nullptr) fail("destroyed while held", held_at());
  if (held_) fail("destroyed while handed over", Site::here());
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
  if (kind == Agent::Kind::task) return grant(static_cast<TaskHeader&>(*agent), site);
  taken_by(*agent, site);
  return Guard(*this);
}

void AsyncMutex::hand_over() noexcept {
  Lock* const next = line_.pop_front();
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
