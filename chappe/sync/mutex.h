#pragma once

#include <cstdint>
#include <optional>

#include "chappe/base/site.h"
#include "chappe/sync/lock_record.h"
#include "chappe/sync/word.h"
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
    Plain<Waiting*> next;  // written by the waiter before it is in the stack, then by the holder
  };

  void check_is_here(const Worker& me, Site site) const;
  Guard grant(Worker& me, Site site) noexcept;
  void unlock(Site site) noexcept;
  void look(Time now, const Workplace& workplace);
  void add_line(Words& words, const Workplace& workplace) const override;
  static Waiting* held_mark() noexcept;

  // Free: null. Held and nobody waits: a mark. Else the newest of a stack of waiting workers.
  Word<Waiting*> state_{nullptr};
  Plain<Waiting*> line_{nullptr};  // older waiters in order of arrival; the holder only
  Word<std::uint32_t> holds_{0};   // counts grants, for the watch; writer: the holder

  // In the workplace's section. since_ and reported_ are the watch's, about seen_hold_.
  Mutex* next_ = nullptr;
  std::uint32_t seen_hold_ = 0;
  bool known_ = false;  // the workplace knows it; the holder only
};

/// Holds the lock while it lives. There is no other way to unlock, so a pair cannot be torn, and
/// nothing can be unlocked twice.
class [[nodiscard]] Mutex::Guard {
 public:
  Guard(Guard&& other) noexcept : mutex_(other.mutex_), site_(other.site_) {
    other.mutex_ = nullptr;
  }
  Guard& operator=(Guard&&) = delete;
  ~Guard() {
    if (mutex_ != nullptr) mutex_->unlock(site_);
  }

 private:
  friend class Mutex;
  Guard(Mutex& mutex, Site site) : mutex_(&mutex), site_(site) {}
  Mutex* mutex_;
  Site site_;
};

}  // namespace chappe::sync
