#include "chappe/sync/section.h"

#include <sched.h>
#include <time.h>

namespace chappe::sync {

IrqMask::IrqMask() noexcept = default;
IrqMask::~IrqMask() = default;

void spin_pause(std::uint32_t tries) noexcept {
  constexpr std::uint32_t kYields = 200;
  if (tries <= kYields) {
    ::sched_yield();
    return;
  }
  // The holder has lost its processor: leave it ours for a while.
  const timespec pause{0, 1'000'000};
  ::nanosleep(&pause, nullptr);
}

}  // namespace chappe::sync
