#include "chappe/sync/lock_record.h"

#include <algorithm>

#include "chappe/base/note.h"
#include "chappe/base/panic.h"
#include "chappe/sync/anomaly.h"
#include "chappe/sync/section.h"
#include "chappe/sync/workplace.h"

namespace chappe::sync {
namespace {

constexpr int kChainMost = 8;  // links shown of a chain; ranks allow 256

}  // namespace

constinit thread_local Agent* Agent::running_ = nullptr;

void add_agent(LockRecord::Words& words, const Agent* agent) {
  if (agent == nullptr) {
    words.add("nobody (an interrupt or an unnamed thread)");
  } else {
    words.add(agent->kind_name()).add(" '").add(agent->name()).add('\'');
  }
}

Text<200> Agent::still_holding() {
  Text<200> words;
  if (held_.empty()) return words;
  const LockRecord& lock = held_.front();
  words.add(kind_name()).add(" '").add(name()).add("' still holds lock '").add(lock.class_.name);
  words.add("', taken at ").add(lock.site_.read());
  return words;
}

Time Agent::look_at_held(Time now) {
  Time next = kNever;
  held_.for_each([&](LockRecord& lock) {
    const Duration asks_after = lock.check_hold(now - lock.since_, nullptr);
    next = std::min(next, time_after(lock.since_, asks_after));
  });
  return next;
}

LockRecord::~LockRecord() {
  CHAPPE_CHECK(owner() == nullptr);  // each lock's own destructor has said it in more words
}

void LockRecord::add_chain(Words& words) const {
  // A panic inside a section has no section to look around in.
  if (Section::inside()) return;
  workplace().with([&](Workplace& all) { add_chain(words, all); });
}

void LockRecord::add_chain(Words& words, const Workplace& workplace) const {
  const LockRecord* lock = this;
  for (int link = 0; link < kChainMost; ++link) {
    const Agent* const holder = lock->owner();
    if (holder == nullptr) {
      words.add("held by nobody");
      break;
    }
    words.add("held by ");
    add_agent(words, holder);
    words.add(" since ").add(lock->site_.read());
    lock = holder->waiting_on();
    if (lock == nullptr) {
      if (const char* const what = holder->waiting_for(); what != nullptr) {
        words.add(", who waits for ").add(what).add(" at ").add(holder->waiting_at());
      }
      break;
    }
    words.add(", who waits for lock '").add(lock->class_.name).add("' at ");
    words.add(holder->waiting_at()).add(", ");
  }
  add_line(words, workplace);
}

void LockRecord::fail(const char* rule, Site here) const {
  Words words;
  words.add("lock '").add(class_.name).add("': ").add(rule).add(": ");
  add_agent(words, Agent::running());
  words.add(" at ").add(here).add("; ");
  add_chain(words);
  panic(words.view(), here, {PanicCode::lock, class_.rank, 0, this});
}

void LockRecord::check_order(Agent& agent, Site site) const {
  agent.held_.for_each([&](LockRecord& other) {
    if (other.class_.rank < class_.rank) [[likely]]
      return;
    Words words;
    words.add("lock '").add(class_.name).add("' of rank ").add(class_.rank).add(": out of order: ");
    add_agent(words, &agent);
    words.add(" at ").add(site).add(" already holds '").add(other.class_.name).add("' of rank ");
    words.add(other.class_.rank).add(", taken at ").add(other.site_.read());
    words.add("; '").add(class_.name).add("' is ");
    add_chain(words);
    panic(words.view(), site, {PanicCode::lock, class_.rank, other.class_.rank, this});
  });
}

Duration LockRecord::over_budget(Duration held, const Workplace* workplace) {
  const bool beyond = held >= class_.limit;
  if (!beyond && reported_) return class_.limit;
  Words words;
  words.add("lock '").add(class_.name).add("': held for ").add(in_ms(held)).add(" ms, ");
  words.add(beyond ? "the limit is " : "the budget is ");
  words.add(in_ms(beyond ? class_.limit : class_.budget)).add(" ms; ");
  if (workplace != nullptr) {
    add_chain(words, *workplace);
  } else {
    add_chain(words);
  }
  const auto held_ms = static_cast<std::uint32_t>(in_ms(held));
  if (beyond) panic(words.view(), site_.read(), {PanicCode::lock, class_.rank, held_ms, this});
  reported_ = true;
  note(Note::lock_held_long, note_name(class_.name), held_ms);
  report(Anomaly::lock_over_budget, words.view());
  return class_.limit;
}

}  // namespace chappe::sync
