#include "chappe/port/linux/executor_thread.h"

#include <signal.h>

#include <optional>

#include "chappe/base/check.h"

namespace chappe::port {

void ExecutorThread::start(Duration limit, Watchdog::Action action) {
  CHAPPE_CHECK(!thread_.joinable());
  executor_.spawn(end_slot_, "end of the thread", &ExecutorThread::end, this);
  // Signals of the process are for its main thread; the new one inherits what is blocked here.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::sigdelset(&all, SIGRTMIN);  // the watchdog's
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) ::sigdelset(&all, fault);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this, limit, action] {
    std::optional<Watchdog> watchdog;
    if (limit > Duration::zero()) watchdog.emplace(port_, limit, action);
    executor_.run();
  });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void ExecutorThread::stop() {
  if (!thread_.joinable()) return;
  stopping_.set();
  thread_.join();
}

async::Task<> ExecutorThread::end() {
  co_await stopping_.next();
  executor_.stop();
}

}  // namespace chappe::port
