#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "chappe/base/site.h"
#include "chappe/sync/lock_record.h"
#include "chappe/sync/shared_state.h"
#include "chappe/sync/worker.h"

namespace chappe::sync {

/// The lock of worker threads. Locking cannot fail: there is no error to return and no time to run
/// out. What would make it fail is a broken rule, and a panic says which.
///
/// Order: first come, first served; a release hands the lock to the longest waiter, so nobody can
/// barge in or starve. Context: worker (see Worker). Tasks use async::AsyncMutex.
class Mutex final : public LockRecord {
 public:
  explicit constexpr Mutex(const LockClass& lock_class) : LockRecord(lock_class) {}
  ~Mutex();

  class Guard;
  /// Blocks until `me` holds the lock. Panics: recursion, wrong order, `me` not running here.
  /// Contract of Mutex::lock: context worker; sleeps may; locks itself; timers none; wakes none;
  /// touches Mutex::state, MutexWaiting::next, Mutex::holds, LockRecord::owner,
  /// Agent::waiting_for, Agent::waiting_on; calls Parker::park, note, note_name.
  [[nodiscard]] Guard lock(Worker& me, Site site = Site::here()) noexcept;
  /// Nothing if somebody holds it. Skips the order check, which only waiting needs.
  [[nodiscard]] std::optional<Guard> try_lock(Worker& me, Site site = Site::here()) noexcept;

  /// How many sleep in line: for dumps and tests, old when it arrives.
  int waiting_count() const;

 private:
  friend void look_at_mutexes(Time now);

  // A waiting worker, on its own stack.
  struct Waiting {
    Worker* worker;

    static constexpr SharedState kNextState{
        .name = "MutexWaiting::next",
        .purpose = "who came before",
        .writers = Who::worker,
        .readers = Who::worker,
        .protection =
            "the waiter writes before it is in the stack of Mutex::state, afterwards the holder"};
    OrderedPlain<Waiting*, kNextState> next;
  };

  void check_is_here(const Worker& me, Site site) const;
  Guard grant(Worker& me, Site site) noexcept;
  /// Contract of Mutex::unlock: context worker; sleeps never; locks none; timers none; wakes the
  /// longest waiter; touches Mutex::state, Mutex::line, MutexWaiting::next, LockRecord::owner;
  /// calls Parker::unpark.
  void unlock() noexcept;
  void look(Time now, const Workplace& workplace);
  void add_line(Words& words, const Workplace& workplace) const override;
  static Waiting* held_mark() noexcept;

  static constexpr SharedState kStateState{
      .name = "Mutex::state",
      .purpose = "free: null; held: a mark; else the newest of a stack of waiting workers",
      .writers = Who::worker,
      .readers = Who::any,
      .protection = "one word: a waiter either takes the lock or is in the line of whoever has it",
      .orders = Orders::acquire | Orders::release | Orders::relaxed};
  SharedWord<Waiting*, kStateState> state_{nullptr};
  static constexpr SharedState kLineState{.name = "Mutex::line",
                                          .purpose = "older waiters in order of arrival",
                                          .writers = Who::worker,
                                          .readers = Who::worker,
                                          .protection = "the holder only, ordered by Mutex::state"};
  OrderedPlain<Waiting*, kLineState> line_{nullptr};
  static constexpr SharedState kHoldsState{
      .name = "Mutex::holds",
      .purpose = "counts grants, so that the watch can tell one hold from the next",
      .writers = Who::worker,
      .readers = Who::watchdog | Who::worker,
      .protection = "only the holder writes",
      .orders = Orders::relaxed};
  SharedHint<std::uint32_t, kHoldsState> holds_{0};

  // In the workplace's section. since_ and reported_ are the watch's, about seen_hold_.
  Mutex* next_ = nullptr;
  std::uint32_t seen_hold_ = 0;
  bool known_ = false;  // the workplace knows it; the holder only
};

/// Holds the lock while it lives. There is no other way to unlock, so a pair cannot be torn, and
/// nothing can be unlocked twice.
class [[nodiscard]] Mutex::Guard {
 public:
  Guard(Guard&& other) noexcept : mutex_(std::exchange(other.mutex_, nullptr)) {}
  Guard& operator=(Guard&&) = delete;
  ~Guard() {
    if (mutex_ != nullptr) mutex_->unlock();
  }

 private:
  friend class Mutex;
  explicit Guard(Mutex& mutex) : mutex_(&mutex) {}
  Mutex* mutex_;
};

}  // namespace chappe::sync
