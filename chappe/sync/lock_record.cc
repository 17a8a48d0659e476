#include "chappe/sync/lock_record.h"

#include "chappe/base/panic.h"
#include "chappe/base/text.h"

namespace chappe::sync {
namespace {

void add_agent(Text<360>& words, const Agent* agent) {
  if (agent == nullptr) {
    words.add("nobody (an interrupt or an unnamed thread)");
  } else {
    words.add(agent->kind_name()).add(" '").add(agent->name()).add('\'');
  }
}

}  // namespace

constinit thread_local Agent* Agent::running_ = nullptr;

Text<200> Agent::still_holding() {
  Text<200> words;
  if (held_.empty()) return words;
  const LockRecord& lock = held_.front();
  words.add(kind_name()).add(" '").add(name_).add("' still holds lock '").add(lock.class_.name);
  words.add("', taken at ").add(lock.site_);
  return words;
}

LockRecord::~LockRecord() {
  if (owner() != nullptr) fail("destroyed while held", site_);
}

void LockRecord::fail(const char* rule, Site here) const {
  Text<360> words;
  words.add("lock '").add(class_.name).add("': ").add(rule).add(": ");
  add_agent(words, Agent::running());
  words.add(" at ").add(here).add("; ");
  if (const Agent* const holder = owner(); holder != nullptr) {
    words.add("held by ");
    add_agent(words, holder);
    words.add(" since ").add(site_);
  } else {
    words.add("held by nobody");
  }
  panic(words.view(), here);
}

void LockRecord::check_may_lock(Agent& agent, Site site) const {
  if (owner() == &agent) [[unlikely]]
    fail("recursive lock", site);
  agent.held_.for_each([&](LockRecord& other) {
    if (other.class_.rank < class_.rank) [[likely]]
      return;
    Text<360> words;
    words.add("lock '").add(class_.name).add("' of rank ").add(class_.rank).add(": out of order: ");
    add_agent(words, &agent);
    words.add(" at ").add(site).add(" already holds '").add(other.class_.name).add("' of rank ");
    words.add(other.class_.rank).add(", taken at ").add(other.site_);
    panic(words.view(), site);
  });
}

void LockRecord::taken_by(Agent& agent, Site site) {
  owner_.store(&agent);
  site_ = site;
  agent.held_.push_back(*this);
}

void LockRecord::check_may_release(Site site) const {
  Agent* const me = Agent::running();
  if (owner() == me && me != nullptr) [[likely]]
    return;
  fail(owner() == nullptr ? "release of a free lock" : "foreign release", site);
}

void LockRecord::released() {
  unlink();
  owner_.store(nullptr);
}

}  // namespace chappe::sync
