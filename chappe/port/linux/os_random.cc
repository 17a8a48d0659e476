#include "chappe/port/linux/os_random.h"

#include <sys/random.h>

#include "chappe/base/check.h"

namespace chappe::port {

std::uint32_t OsRandom::next() noexcept {
  std::uint32_t word = 0;
  CHAPPE_CHECK(::getrandom(&word, sizeof word, 0) == static_cast<ssize_t>(sizeof word));
  return word;
}

}  // namespace chappe::port
