#pragma once

#include <cstdint>

#include "chappe/sync/port.h"
#include "chappe/sync/shared_state.h"

namespace chappe::sync {

class WakeList;

/// What an interrupt, a thread or another executor can touch to be heard: one word and one link.
///
/// Invariant: the word is 0 exactly while the source is in no wake list. Setting is `fetch_add` or
/// `fetch_or`; whoever finds 0 links the source, so it is never linked twice. Each drain takes
/// exactly what came since the last one, so nothing is lost or doubled.
///
/// Why the orders are these. Every set is a read-modify-write with release, every drain reads the
/// end of that chain with acquire: also what was written before a *coalesced* set is visible to the
/// woken task. The link is a plain field: the pusher writes it before it publishes the head; the
/// drain reads it before it zeroes the word, and the next pusher acquires that zero.
class WakeSource {
 public:
  WakeSource(const WakeSource&) = delete;
  WakeSource& operator=(const WakeSource&) = delete;

 protected:
  /// Context: the executor, in its drain. Runs no user code; makes waiters ready.
  using Deliver = void (*)(WakeSource& self, std::uint32_t word) noexcept;

  WakeSource(WakeList& list, Deliver deliver) : list_(&list), deliver_(deliver) {}
  /// The owner has made sure that no further set can start (line masked, thread joined) and has
  /// drained: a source that is still linked is a panic.
  ~WakeSource();

  // O(1), allocate nothing.
  /// Contract of WakeSource::add_one: context any; sleeps never; locks none; timers none; wakes
  /// none; touches WakeSource::word; calls WakeSource::first_or_too_many.
  void add_one() noexcept {
    const std::uint32_t before = word_.fetch_add(1, Order::acq_rel);
    // One comparison for both ends: 0 wraps to the largest.
    if (before - 1 >= kFull - 1) [[unlikely]]
      first_or_too_many(before);
  }
  /// Contract of WakeSource::add_bits: context any; sleeps never; locks none; timers none; wakes
  /// none; touches WakeSource::word; calls WakeList::push.
  void add_bits(std::uint32_t bits) noexcept;

  const WakeList* list() const { return list_; }

  /// Context: the executor. Delivers now what was set before, instead of in the next step.
  void drain() noexcept;

 private:
  friend class WakeList;

  // Half of the counter. Beyond it a set takes itself back: an executor that is stuck for two
  // thousand million edges must not see the counter wrap to 0, which means "in no list".
  static constexpr std::uint32_t kFull = 0x80000000;

  /// Contract of WakeSource::first_or_too_many: context any; sleeps never; locks none; timers none;
  /// wakes none; touches WakeSource::word; calls WakeList::push.
  void first_or_too_many(std::uint32_t before) noexcept;

  WakeList* const list_;
  const Deliver deliver_;
  static constexpr SharedState kNextState{
      .name = "WakeSource::next",
      .purpose = "the source below in the stack",
      .writers = Who::any,
      .readers = Who::executor,
      .protection = "written by whoever found WakeSource::word 0; published by WakeList::head"};
  OrderedPlain<WakeSource*, kNextState> next_;
  static constexpr SharedState kWordState{
      .name = "WakeSource::word",
      .purpose = "edges or bits since the last drain; 0 while the source is in no list",
      .writers = Who::any,
      .readers = Who::any,
      .protection = "one word: whoever finds 0 links the source; the drain takes all and zeroes",
      .orders = Orders::acq_rel | Orders::relaxed};
  SharedWord<std::uint32_t, kWordState> word_{0};
};

/// The sources that were set since the executor looked last, and whether it sleeps: one word.
///
/// The head is null, or SLEEPING, or a stack of sources. SLEEPING is entered only from null, so a
/// push always finds it and knows that it must kick; and only that push kicks: one kick per sleep,
/// none while the executor is awake.
class WakeList {
 public:
  explicit WakeList(Port& port) : port_(port) {}
  WakeList(const WakeList&) = delete;
  WakeList& operator=(const WakeList&) = delete;

  /// Delivers every source that was set, oldest first. True if there was one. An idle call costs
  /// one plain load.
  /// Contract of WakeList::drain: context executor, task; sleeps never; locks none; timers none;
  /// wakes the tasks that wait for what was set; touches WakeList::head, WakeSource::next,
  /// WakeSource::word.
  bool drain() noexcept;

  /// Says "I go to sleep". False if something came meanwhile: drain again instead.
  bool announce_sleep() noexcept;

  /// Says "I am awake", so that sets until the next sleep kick nobody.
  void retract_sleep() noexcept;

 private:
  friend class WakeSource;

  /// Contract of WakeList::push: context any; sleeps never; locks none; timers none; wakes the
  /// executor if it sleeps; touches WakeSource::next, WakeList::head; calls note.
  void push(WakeSource& source) noexcept;
  static WakeSource* sleeping() noexcept;

  Port& port_;
  static constexpr SharedState kHeadState{
      .name = "WakeList::head",
      .purpose = "null, or SLEEPING, or a stack of sources that were set",
      .writers = Who::any,
      .readers = Who::any,
      .protection = "one word: a push finds SLEEPING, or the executor finds the push",
      .orders = Orders::acquire | Orders::release | Orders::relaxed};
  SharedWord<WakeSource*, kHeadState> head_{nullptr};
};

}  // namespace chappe::sync
