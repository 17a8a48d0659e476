#pragma once

#include "chappe/base/units.h"

namespace chappe::sync {

/// The outside world of one executor: its clock and its sleep. Declared here, implemented by
/// port/linux, port/virtual and the ports of microcontrollers.
class Port {
 public:
  /// Never steps back. Context: any.
  virtual Time now() noexcept = 0;

  /// Whether time has passed, for less than a look at the clock: stands still for a few
  /// milliseconds, then moves on. Its zero is its own. Context: any.
  virtual Time glance() noexcept { return now(); }

  /// Sleeps until `deadline` (kNever: none), a kick, or an outside event; may return early without
  /// a reason. A deadline that has come only looks for outside events. Context: the executor.
  virtual void wait(Time deadline) noexcept = 0;

  /// Hands on what ended the sleep (readiness of descriptors, simulated interrupts). Called after
  /// each wait, with the executor awake again, so that it costs no kick. Context: the executor.
  virtual void dispatch() noexcept {}

  /// Ends the current wait, or the next one. Context: any, interrupts included; O(1), no lock.
  /// Called at most once per sleep.
  virtual void kick() noexcept = 0;

 protected:
  ~Port() = default;
};

}  // namespace chappe::sync
