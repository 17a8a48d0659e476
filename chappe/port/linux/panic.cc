#include "chappe/base/panic.h"

#include <unistd.h>

#include <cstdlib>

namespace chappe {

void panic_halt(std::string_view what) noexcept {
  // write(2) only: a panic may come from any context, with any lock held by anybody.
  static_cast<void>(!::write(STDERR_FILENO, what.data(), what.size()));
  static_cast<void>(!::write(STDERR_FILENO, "\n", 1));
  std::abort();
}

}  // namespace chappe
