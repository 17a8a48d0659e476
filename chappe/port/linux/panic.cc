#include "chappe/base/panic.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>

namespace chappe {

void panic_mask() noexcept {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

void panic_pause() noexcept {
  const timespec moment{0, 1'000'000};
  ::nanosleep(&moment, nullptr);
}

void panic_halt(std::string_view what) noexcept {
  // write(2) only: a panic may come from any context, with any lock held by anybody.
  static_cast<void>(!::write(STDERR_FILENO, what.data(), what.size()));
  static_cast<void>(!::write(STDERR_FILENO, "\n", 1));
  std::abort();
}

}  // namespace chappe
