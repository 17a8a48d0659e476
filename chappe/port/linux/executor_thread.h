#pragma once

#include <thread>

#include "chappe/async/executor.h"
#include "chappe/base/units.h"
#include "chappe/port/linux/linux_port.h"
#include "chappe/port/linux/watchdog.h"
#include "chappe/sync/signal.h"

namespace chappe::port {

/// An executor with a thread of its own: for a bus whose calls block. Tasks are spawned on it
/// before start() and after stop(), when it stands still.
class ExecutorThread {
 public:
  ExecutorThread() = default;
  ExecutorThread(const ExecutorThread&) = delete;
  ExecutorThread& operator=(const ExecutorThread&) = delete;
  ~ExecutorThread() { stop(); }

  LinuxPort& port() { return port_; }
  async::Executor& executor() { return executor_; }

  /// `limit`: how long a step may last until the watchdog says so; zero: no watchdog.
  void start(Duration limit, Watchdog::Action action);
  /// Ends after the current step. Returns when the thread is gone.
  void stop();

 private:
  async::Task<> end();

  LinuxPort port_;
  async::Executor executor_{port_};
  sync::Signal stopping_{executor_.wakes()};
  async::TaskSlot<512> end_slot_;
  std::thread thread_;
};

}  // namespace chappe::port
