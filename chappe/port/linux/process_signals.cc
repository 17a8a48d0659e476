#include "chappe/port/linux/process_signals.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "chappe/base/check.h"

namespace chappe::port {
namespace {

int watch(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : signals) sigaddset(&set, number);
  CHAPPE_CHECK(::pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
  const int fd = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  CHAPPE_CHECK(fd >= 0);
  return fd;
}

}  // namespace

ProcessSignals::ProcessSignals(LinuxPort& port,
                               sync::WakeList& wakes,
                               std::initializer_list<int> signals)
    : fd_(watch(signals)), descriptor_(port, wakes, fd_.get()) {}

async::Task<int> ProcessSignals::next() {
  for (;;) {
    signalfd_siginfo info;
    if (::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      co_return static_cast<int>(info.ssi_signo);
    }
    co_await descriptor_.reading().wait(Descriptor::kReadable);
  }
}

}  // namespace chappe::port
