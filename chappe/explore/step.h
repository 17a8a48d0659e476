#pragma once

#include <cstdint>

#include "chappe/explore/memory.h"

namespace chappe::explore {

/// What a context can do that another one can notice. Everything between two of these belongs to
/// the one before.
enum class Kind : std::uint8_t {
  load,
  store,
  rmw,  // every read-modify-write: one that decides not to write is a load
  fence,
  lock,
  unlock,
  park,
  unpark,
  raise,
  mask,
  unmask,
  fall_asleep,
  wake,
  choose,
  fire,  // an interrupt begins
  none,  // the execution has ended
};

const char* name_of(Kind kind);

/// A step that a context is about to take, on its own stack.
struct Request {
  // New value from the old one; false: nothing is written.
  using Change = bool (*)(void* self, std::uint64_t seen, std::uint64_t& next);

  Kind kind = Kind::none;
  MemoryOrder order = MemoryOrder::relaxed;
  MemoryOrder order_if_unchanged = MemoryOrder::relaxed;  // of an rmw that writes nothing
  std::uint8_t object = 0;                                // word, lock, parker or interrupt
  std::uint64_t value = 0;                                // to store; how many, for choose
  Change change = nullptr;
  void* self = nullptr;

  // The answer.
  std::uint64_t seen = 0;
  bool changed = false;
};

/// One way to go on: who, and with which of the outcomes that are open to him.
struct Choice {
  Kind kind = Kind::none;
  std::uint8_t core = 0;
  std::uint8_t context = 0;
  std::uint8_t object = 0;
  bool seq_cst = false;
  std::uint16_t pick = 0;  // load, rmw: the store read; store: its rank; choose: the value

  bool operator==(const Choice&) const = default;

  /// The same thing to do at another node of the search. Where a store lands is no part of it:
  /// whoever sleeps has tried all places.
  bool same_action(const Choice& other) const {
    return kind == other.kind && context == other.context && object == other.object &&
           (kind == Kind::store || pick == other.pick);
  }
};

/// A step that was taken, as the search remembers it.
struct Event {
  Choice choice;
  bool reads = false;        // a word
  StoreId floor = kNoStore;  // the oldest store it could have read
  StoreId made = kNoStore;   // the store it made
  StoreId read = kNoStore;
  bool shut_out = false;    // an RMW that did not write, and would have, had others not been first
  bool was_open = false;    // unpark, park, fire: the object allowed it already before
  std::uint16_t index = 0;  // among the steps of its core, from 1
  Clock before;             // of the search, by core: what it had to follow
  Clock clock;              // and what it follows now
};

}  // namespace chappe::explore
