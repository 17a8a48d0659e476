#include "chappe/explore/search.h"

#include <bit>

namespace chappe::explore {
namespace {

static_assert(kContexts <= 8, "sets of cores are bits of a byte");

constexpr std::uint8_t bit(std::size_t core) {
  return static_cast<std::uint8_t>(1u << core);
}

bool on_shared_object(Kind kind) {
  switch (kind) {
    case Kind::lock:
    case Kind::unlock:
    case Kind::park:
    case Kind::unpark:
    case Kind::raise:
    case Kind::fire:
      return true;
    default:
      return false;
  }
}

bool both_seq_cst(const Choice& a, const Choice& b) {
  if (!a.seq_cst || !b.seq_cst) return false;
  return a.kind == Kind::fence || b.kind == Kind::fence || a.object == b.object;
}

// Whether an action that sleeps must be tried again after this step. Accesses of words do not wake
// each other: a load that slept with one value is awake for every other, and where a store lands is
// a choice of its own.
bool wakes(const Event& event, const Choice& sleeper) {
  if (sleeper.core == event.choice.core) return true;
  if (on_shared_object(sleeper.kind) && on_shared_object(event.choice.kind) &&
      sleeper.object == event.choice.object) {
    return true;
  }
  return both_seq_cst(sleeper, event.choice);
}

bool follows(const Clock& clock, const Event& event) {
  return clock.at[event.choice.core] >= event.index;
}

}  // namespace

bool Search::asleep(const Node& node, const Choice& choice) const {
  for (std::uint32_t i = node.sleep; i < node.sleep_end; ++i) {
    if (sleep_[i].same_action(choice)) return true;
  }
  return false;
}

bool Search::take_core(Node& node, std::uint8_t core) {
  node.tried |= bit(core);
  node.at = node.core_begins[core];
  for (; node.at < node.core_begins[core + 1u]; ++node.at) {
    const Choice& choice = choices_[node.choices + node.at];
    if (asleep(node, choice)) continue;
    node.current = choice;
    return true;
  }
  return false;
}

bool Search::take_next_of_core(Node& node) {
  const std::uint8_t core = node.current.core;
  while (++node.at < node.core_begins[core + 1u]) {
    const Choice& choice = choices_[node.choices + node.at];
    if (asleep(node, choice)) continue;
    node.current = choice;
    return true;
  }
  return false;
}

void Search::inherit_sleep(Node& node, const Event& event) {
  const Node& before = nodes_[nodes_.size() - 2];
  node.sleep = static_cast<std::uint32_t>(sleep_.size());
  for (std::uint32_t i = before.sleep; i < before.sleep_end; ++i) {
    const Choice sleeper = sleep_[i];
    if (!wakes(event, sleeper)) sleep_.push_back(sleeper);
  }
  node.sleep_end = static_cast<std::uint32_t>(sleep_.size());
}

Choice Search::next(World& world) {
  const bool reduced = reduction_ == Reduction::reads_from;
  if (reduced && depth_ > fresh_) analyse(world, depth_ - 1);
  if (depth_ < nodes_.size()) return nodes_[depth_++].current;

  nodes_.emplace_back();
  Node& node = nodes_.back();
  if (reduced && depth_ > 0) inherit_sleep(node, world.event(depth_ - 1));
  node.choices = static_cast<std::uint32_t>(choices_.size());
  std::uint8_t enabled = 0;
  for (std::uint8_t core = 0; core < world.core_count(); ++core) {
    const std::size_t begin = choices_.size();
    world.offer(core, choices_);
    if (choices_.size() != begin) {
      enabled |= bit(core);
      // A choice of the test's concerns nobody else: now, and nothing beside it.
      if (choices_.back().kind == Kind::choose) {
        enabled = bit(core);
        for (std::uint8_t other = 0; other < core; ++other) node.core_begins[other + 1u] = 0;
        choices_.erase(choices_.begin() + node.choices,
                       choices_.begin() + static_cast<std::ptrdiff_t>(begin));
        for (std::uint8_t other = core; other < world.core_count(); ++other) {
          node.core_begins[other + 1u] = static_cast<std::uint16_t>(choices_.size() - node.choices);
        }
        break;
      }
    }
    node.core_begins[core + 1u] = static_cast<std::uint16_t>(choices_.size() - node.choices);
  }

  // Whoever ran last goes on if he can: few switches, so the first counter-example is a short one.
  if (!reduced) node.todo = enabled;
  const std::uint8_t last = depth_ == 0 ? 0 : world.event(depth_ - 1).choice.core;
  for (std::uint8_t i = 0; i < world.core_count(); ++i) {
    const auto core = static_cast<std::uint8_t>((last + i) % world.core_count());
    if ((enabled & bit(core)) == 0 || !take_core(node, core)) continue;
    node.todo |= bit(core);
    ++depth_;
    return node.current;
  }
  choices_.resize(node.choices);
  sleep_.resize(depth_ == 0 ? 0 : nodes_[depth_ - 1].sleep_end);
  nodes_.pop_back();
  return Choice{};
}

std::vector<Choice> Search::path() const {
  std::vector<Choice> path;
  for (std::size_t i = 0; i < depth_; ++i) path.push_back(nodes_[i].current);
  return path;
}

bool Search::advance(World& world) {
  if (world.complete()) {
    ++counts_.complete;
  } else {
    ++counts_.abandoned;
  }
  if (reduction_ == Reduction::reads_from) analyse_blocked(world);
  while (!nodes_.empty()) {
    Node& node = nodes_.back();
    choices_.resize(node.choices + node.core_begins[world.core_count()]);
    bool found = take_next_of_core(node);
    while (!found) {
      // Everything this core could do here is done: in its siblings' subtrees it sleeps.
      if (reduction_ == Reduction::reads_from) {
        sleep_.resize(node.sleep_end);
        const std::uint8_t core = node.current.core;
        for (std::uint16_t i = node.core_begins[core]; i < node.core_begins[core + 1u]; ++i) {
          sleep_.push_back(choices_[node.choices + i]);
        }
        node.sleep_end = static_cast<std::uint32_t>(sleep_.size());
      }
      const auto left = static_cast<std::uint8_t>(node.todo & ~node.tried);
      if (left == 0) break;
      const auto core = static_cast<std::uint8_t>(std::countr_zero(left));
      node.current.core = core;
      found = take_core(node, core);
    }
    if (found) {
      sleep_.resize(node.sleep_end);
      fresh_ = nodes_.size() - 1;
      return true;
    }
    choices_.resize(node.choices);
    nodes_.pop_back();
  }
  return false;
}

// Which earlier steps could also have come after this one, with another result?
void Search::analyse(World& world, std::size_t step) {
  const Event& event = world.event(step);
  const Memory& memory = world.memory();
  const Choice& done = event.choice;

  // It made a store: a load or RMW before it, that did not lead to it, might have read that.
  if (event.made != kNoStore) {
    const std::size_t rank = memory.rank(event.made);
    for (std::size_t i = step; i-- > 0;) {
      const Event& earlier = world.event(i);
      if (!earlier.reads || earlier.choice.object != done.object) continue;
      if (earlier.choice.core == done.core || follows(event.clock, earlier)) continue;
      if (memory.rank(earlier.floor) > rank) continue;
      reverse(world, i, step, done.core, event.clock);
    }
  }
  // It read what an RMW had written: it might have been first at what that one read.
  if (event.made != kNoStore && event.read != kNoStore) {
    const Store& source = memory.store(event.read);
    if (source.rmw) {
      for (std::size_t i = step; i-- > 0;) {
        const Event& earlier = world.event(i);
        if (earlier.made != event.read) continue;
        if (earlier.choice.core != done.core && !follows(event.before, earlier)) {
          reverse(world, i, step, done.core, event.before);
        }
        break;
      }
    }
  }
  // It wrote nothing, and would have: what it might have read was replaced before its turn.
  if (event.shut_out) {
    for (std::size_t i = step; i-- > 0;) {
      const Event& earlier = world.event(i);
      if (earlier.made == kNoStore || earlier.read == kNoStore ||
          earlier.choice.object != done.object || earlier.choice.core == done.core ||
          follows(event.before, earlier) || memory.rank(earlier.read) < memory.rank(event.floor)) {
        continue;
      }
      reverse(world, i, step, done.core, event.before);
    }
  }
  // Locks and tokens are taken in turn.
  const bool always_open =
      done.kind == Kind::lock || done.kind == Kind::unpark || done.kind == Kind::raise;
  if (always_open || event.was_open) {
    for (std::size_t i = step; i-- > 0;) {
      const Event& earlier = world.event(i);
      if (!on_shared_object(earlier.choice.kind) || earlier.choice.object != done.object) continue;
      if (done.kind == Kind::lock && earlier.choice.kind != Kind::lock) continue;
      if (earlier.choice.core != done.core && !follows(event.before, earlier)) {
        reverse(world, i, step, done.core, event.before);
      }
      break;
    }
  }
  if (done.seq_cst) {
    Clock covered = event.before;
    for (std::size_t i = step; i-- > 0;) {
      const Event& earlier = world.event(i);
      if (!both_seq_cst(earlier.choice, done) || follows(covered, earlier)) continue;
      reverse(world, i, step, done.core, event.before);
      covered.join(earlier.clock);
    }
  }
}

// Who waits for a lock at the end might have had it first.
void Search::analyse_blocked(World& world) {
  for (std::uint8_t core = 0; core < world.core_count(); ++core) {
    const std::uint16_t taken = world.blocking_step(core);
    if (taken == 0) continue;
    const Event& earlier = world.event(taken - 1u);
    if (earlier.choice.core != core && !follows(world.order_of(core), earlier)) {
      reverse(world, taken - 1u, world.step_count(), core, world.order_of(core));
    }
  }
}

// Queues, at the node of the earlier step, every core that can begin "what does not follow the
// earlier step, and then the later one". One of them would do for threads, but not for values.
void Search::reverse(
    World& world, std::size_t earlier, std::size_t later, std::uint8_t core, const Clock& clock) {
  const Event& first = world.event(earlier);
  std::array<std::uint16_t, kContexts> seen{};  // index of each core's first step in between
  std::uint8_t initials = 0;
  const auto consider = [&](std::uint8_t who, std::uint16_t index, const Clock& after) {
    if (seen[who] != 0) return;
    seen[who] = index;
    for (std::size_t other = 0; other < kContexts; ++other) {
      if (other != who && seen[other] != 0 && after.at[other] >= seen[other]) return;
    }
    initials |= bit(who);
  };
  for (std::size_t i = earlier + 1; i < later; ++i) {
    const Event& between = world.event(i);
    if (follows(between.clock, first)) continue;
    consider(between.choice.core, between.index, between.clock);
  }
  consider(core, 0xffff, clock);
  nodes_[earlier].todo |= initials;
}

}  // namespace chappe::explore
