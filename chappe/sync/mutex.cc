#include "chappe/sync/mutex.h"

#include "chappe/base/note.h"
#include "chappe/base/panic.h"
#include "chappe/base/text.h"

namespace chappe::sync {

Worker::Worker(const char* name, Site site) : Agent(Kind::worker, name) {
  if (Agent* const other = running(); other != nullptr) {
    Text<200> words;
    words.add("worker '").add(name).add("' cannot start inside ").add(other->kind_name());
    words.add(" '").add(other->name()).add("': a thread is one agent, and a task never blocks");
    panic(words.view(), site);
  }
  set_running(this);
}

Worker::~Worker() {
  if (const Text<200> words = still_holding(); !words.empty()) panic(words.view());
  set_running(nullptr);
}

Mutex::~Mutex() = default;

Mutex::Waiting* Mutex::held_mark() noexcept {
  static constexpr Waiting mark{nullptr, nullptr};
  return const_cast<Waiting*>(&mark);  // compared, never touched
}

void Mutex::check_is_here(const Worker& me, Site site) const {
  if (Agent::running() != &me) [[unlikely]]
    fail("locked with another agent's token", site);
}

Mutex::Guard Mutex::lock(Worker& me, Site site) noexcept {
  check_is_here(me, site);
  check_may_lock(me, site);

  Waiting waiting{&me, nullptr};
  Waiting* seen = nullptr;
  while (!state_.compare_exchange(seen, held_mark(), Order::acquire, Order::relaxed)) {
    waiting.next = seen == held_mark() ? nullptr : seen;
    // Release: the holder that takes the stack reads our node. Acquire comes with the hand-over,
    // through the parker.
    if (state_.compare_exchange(seen, &waiting, Order::release, Order::relaxed)) {
      note(Note::lock_contended, note_name(lock_class().name), lock_class().rank);
      me.parker_.park();
      break;
    }
    seen = nullptr;
  }
  taken_by(me, site);
  return Guard(*this, site);
}

std::optional<Mutex::Guard> Mutex::try_lock(Worker& me, Site site) noexcept {
  check_is_here(me, site);
  if (owner() == &me) [[unlikely]]
    fail("recursive lock", site);
  Waiting* seen = nullptr;
  if (!state_.compare_exchange(seen, held_mark(), Order::acquire, Order::relaxed)) {
    return std::nullopt;
  }
  taken_by(me, site);
  return Guard(*this, site);
}

int Mutex::waiting_count() const {
  int count = 0;
  const Waiting* node = state_.load(Order::acquire);
  if (node == held_mark()) node = nullptr;
  for (; node != nullptr; node = node->next) ++count;
  return count;
}

void Mutex::unlock(Site site) noexcept {
  check_may_release(site);
  released();
  if (line_ == nullptr) {
    Waiting* seen = held_mark();
    if (state_.compare_exchange(seen, nullptr, Order::release, Order::relaxed)) return;
    // Somebody waits. Take the stack, turn it over: the oldest goes first.
    Waiting* stack = state_.exchange(held_mark(), Order::acquire);
    while (stack != nullptr) {
      Waiting* const below = stack->next;
      stack->next = line_;
      line_ = stack;
      stack = below;
    }
  }
  Waiting* const next = line_;
  line_ = next->next;
  next->worker->parker_.unpark();  // ownership passes here; `next` may be gone after it
}

}  // namespace chappe::sync
