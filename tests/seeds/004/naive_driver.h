#pragma once

namespace chappe::seeds {

/// The driver as it was planned: the frame first, the counting afterwards. The channel's counter
/// and its monitor are those of the document: a decrement at zero reports an error and is skipped.
struct NaiveDriver {
  int used = 0;
  int used_least = 0;
  int pending = 0;
  bool monitor_armed = false;
  int errors = 0;

  /// `hardware` takes the frame, and may confirm it before it returns.
  template <class Hardware>
  void send(Hardware hardware) {
    hardware();
    ++used;
    if (++pending == 1) monitor_armed = true;
  }
  void confirm() {
    --used;
    if (used < used_least) used_least = used;
    if (pending == 0) {
      ++errors;
    } else if (--pending == 0) {
      monitor_armed = false;
    }
  }
};

}  // namespace chappe::seeds
