#pragma once

#include <pthread.h>

#include <cstdint>
#include <thread>

#include "chappe/base/units.h"
#include "chappe/port/linux/linux_port.h"
#include "chappe/port/linux/owned_fd.h"

namespace chappe::port {

/// A thread that owns nothing else and sees that an executor does not come round any more.
///
/// It looks four times within `limit`, while the executor works; if all four find it at the same
/// place, it hangs. Then the hanging thread itself is made to panic, by a signal: so the record
/// names the task and the locks it holds, and a core file shows where. A thread that does not even
/// take a signal is told about by the watchdog.
///
/// Counted in looks, not by a clock: a process that was stopped, or a machine that slept, is no
/// hang. Wake-ups: none while the executor sleeps through; else at most one each quarter of the
/// limit, and one when the executor wakes after a quarter in which it did nothing: with 30 s fewer
/// than 0.3 a second, however often a radio wakes the executor. Context: made and destroyed on the
/// executor's thread, outside its run().
class Watchdog {
 public:
  enum class Action : std::uint8_t {
    panic,
    report,  // a line on standard error and in the recorder, once per hang; for debuggers
  };

  Watchdog(LinuxPort& port, Duration limit, Action action);
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog();

  /// How often it has woken; for tests.
  std::uint32_t look_count() const { return looks_.load(sync::Order::relaxed); }
  std::uint32_t hang_count() const { return hangs_.load(sync::Order::relaxed); }

 private:
  static constexpr int kLooks = 4;

  void watch();
  bool wait(bool parked);
  void bark();

  LinuxPort& port_;
  const Duration limit_;
  const Action action_;
  const pthread_t watched_;
  const OwnedFd wake_;  // an eventfd
  static constexpr sync::SharedState kStoppingState{
      .name = "Watchdog::stopping",
      .purpose = "whether its thread is to end",
      .writers = sync::Who::start,
      .readers = sync::Who::watchdog,
      .protection = "only the destructor writes; it never goes back",
      .orders = sync::Orders::acquire | sync::Orders::release};
  sync::SharedWord<std::uint32_t, kStoppingState> stopping_{0};
  static constexpr sync::SharedState kLooksState{.name = "Watchdog::looks",
                                                 .purpose = "how often it has woken",
                                                 .writers = sync::Who::watchdog,
                                                 .readers = sync::Who::any,
                                                 .protection = "a count; nothing is decided by it",
                                                 .orders = sync::Orders::relaxed};
  sync::SingleWriter<std::uint32_t, kLooksState, Watchdog> looks_{0};
  static constexpr sync::SharedState kHangsState{.name = "Watchdog::hangs",
                                                 .purpose = "how many hangs it has seen",
                                                 .writers = sync::Who::watchdog,
                                                 .readers = sync::Who::any,
                                                 .protection = "a count; nothing is decided by it",
                                                 .orders = sync::Orders::relaxed};
  sync::SingleWriter<std::uint32_t, kHangsState, Watchdog> hangs_{0};
  std::thread thread_;
};

}  // namespace chappe::port
