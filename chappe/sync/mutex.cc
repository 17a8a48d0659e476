#include "chappe/sync/mutex.h"

#include "chappe/base/note.h"
#include "chappe/base/panic.h"
#include "chappe/base/text.h"
#include "chappe/sync/workplace.h"

namespace chappe::sync {
namespace {

// Protects: the lists of worker threads and of mutexes that were ever locked
// Contexts: any (a section)
constexpr LockClass kWorkplace{"workplace", 0};
constinit Guarded<Workplace> all{kWorkplace};

template <class T>
void remove(T*& first, T& item, T* T::* next) {
  for (T** place = &first; *place != nullptr; place = &((*place)->*next)) {
    if (*place == &item) {
      *place = item.*next;
      return;
    }
  }
}

}  // namespace

Guarded<Workplace>& workplace() {
  return all;
}

Worker::Worker(const char* name, Site site) : Agent(Kind::worker, name) {
  if (Agent* const other = running(); other != nullptr) {
    Text<200> words;
    words.add("worker '").add(name).add("' cannot start inside ").add(other->kind_name());
    words.add(" '").add(other->name()).add("': a thread is one agent, and a task never blocks");
    panic(words.view(), site);
  }
  set_running(this);
  workplace().with([this](Workplace& place) {
    next_ = place.workers;
    place.workers = this;
  });
}

Worker::~Worker() {
  if (const Text<200> words = still_holding(); !words.empty()) panic(words.view());
  workplace().with([this](Workplace& place) { remove(place.workers, *this, &Worker::next_); });
  set_running(nullptr);
}

Mutex::~Mutex() {
  if (owner() != nullptr) fail("destroyed while held", held_at());
  // No owner, and not free: it is on its way from one to the next.
  if (state_.load(Order::relaxed) != nullptr) fail("destroyed while awaited", Site::here());
  if (known_) {
    workplace().with([this](Workplace& place) { remove(place.mutexes, *this, &Mutex::next_); });
  }
}

Mutex::Waiting* Mutex::held_mark() noexcept {
  alignas(Waiting) static constexpr char mark = 0;  // compared, never touched
  return reinterpret_cast<Waiting*>(const_cast<char*>(&mark));
}

void Mutex::check_is_here(const Worker& me, Site site) const {
  const Agent* const running = Agent::running();
  if (running == &me) [[likely]]
    return;
  fail(running == nullptr || running->kind() == Agent::Kind::worker
           ? "locked with another agent's token"
           : "blocking lock on an executor's thread",
       site);
}

Mutex::Guard Mutex::lock(Worker& me, Site site) noexcept {
  check_is_here(me, site);
  Section::check_outside("lock", lock_class().name, site);
  check_may_lock(me, site);

  Waiting waiting{&me, {}};
  Waiting* seen = nullptr;
  while (!state_.compare_exchange(seen, held_mark(), Order::acquire, Order::relaxed)) {
    waiting.next.write(seen == held_mark() ? nullptr : seen);
    // Release: the holder that takes the stack reads our node. Acquire comes with the hand-over,
    // through the parker.
    if (state_.compare_exchange(seen, &waiting, Order::release, Order::relaxed)) {
      me.begin_waiting(lock_class().name, site);
      me.begin_waiting_on(*this);
      note(Note::lock_contended, note_name(lock_class().name), lock_class().rank);
      me.parker_.park();
      me.end_waiting();
      break;
    }
    seen = nullptr;
  }
  return grant(me, site);
}

std::optional<Mutex::Guard> Mutex::try_lock(Worker& me, Site site) noexcept {
  check_is_here(me, site);
  Section::check_outside("lock", lock_class().name, site);
  check_not_recursive(me, site);
  Waiting* seen = nullptr;
  if (!state_.compare_exchange(seen, held_mark(), Order::acquire, Order::relaxed)) {
    return std::nullopt;
  }
  return grant(me, site);
}

Mutex::Guard Mutex::grant(Worker& me, Site site) noexcept {
  taken_by(me, site);
  // One writer at a time, so no read-modify-write. Release, for who looks from outside.
  holds_.store(holds_.load() + 1);
  if (!known_) [[unlikely]] {
    known_ = true;
    workplace().with([this](Workplace& place) {
      next_ = place.mutexes;
      place.mutexes = this;
    });
  }
  return Guard(*this);
}

void Mutex::unlock() noexcept {
  check_may_release();
  released();
  Waiting* line = line_.read();
  if (line == nullptr) {
    Waiting* seen = held_mark();
    if (state_.compare_exchange(seen, nullptr, Order::release, Order::relaxed)) return;
    // Somebody waits. Take the stack, turn it over: the oldest goes first.
    Waiting* stack = state_.exchange(held_mark(), Order::acquire);
    while (stack != nullptr) {
      Waiting* const below = stack->next.read();
      stack->next.write(line);
      line = stack;
      stack = below;
    }
  }
  line_.write(line->next.read());
  line->worker->parker_.unpark();  // ownership passes here; `line` may be gone after it
}

int Mutex::waiting_count() const {
  return workplace().with([this](Workplace& place) {
    int count = 0;
    for (const Worker* one = place.workers; one != nullptr; one = one->next_) {
      if (one->waiting_on() == this) ++count;
    }
    return count;
  });
}

void Mutex::add_line(Words& words, const Workplace& place) const {
  const char* before = "; in line: ";
  for (const Worker* one = place.workers; one != nullptr; one = one->next_) {
    if (one->waiting_on() != this) continue;
    words.add(before);
    add_agent(words, one);
    words.add(" at ").add(one->waiting_at());
    before = ", ";
  }
}

void Mutex::look(Time now, const Workplace& place) {
  const std::uint32_t hold = holds_.load();
  if (owner() == nullptr || hold != seen_hold_) {
    // Free, or a hold not seen before: it began after the last look.
    seen_hold_ = hold;
    since_ = now;
    reported_ = false;
    return;
  }
  check_hold(now - since_, &place);
}

void look_at_mutexes(Time now) {
  workplace().with([now](Workplace& place) {
    for (Mutex* one = place.mutexes; one != nullptr; one = one->next_) one->look(now, place);
  });
}

}  // namespace chappe::sync
