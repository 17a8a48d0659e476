#pragma once

#include <initializer_list>

#include "chappe/async/executor.h"
#include "chappe/port/linux/linux_port.h"
#include "chappe/port/linux/owned_fd.h"

namespace chappe::port {

/// SIGTERM and friends as something a task can wait for. Blocks them for the whole process: make it
/// before any thread is started.
class ProcessSignals {
 public:
  ProcessSignals(LinuxPort& port, sync::WakeList& wakes, std::initializer_list<int> signals);

  /// Waits for one of them and returns its number.
  async::Task<int> next();

 private:
  const OwnedFd fd_;
  Descriptor descriptor_;
};

}  // namespace chappe::port
