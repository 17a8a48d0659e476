#include "chappe/sync/parker.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace chappe::sync {
namespace {

constexpr std::uint32_t kNone = 0;
constexpr std::uint32_t kToken = 1;
constexpr std::uint32_t kAsleep = 2;

static_assert(sizeof(Word<std::uint32_t>) == sizeof(std::uint32_t));

long futex(Word<std::uint32_t>& word, int operation, std::uint32_t value) {
  return ::syscall(SYS_futex, &word, operation | FUTEX_PRIVATE_FLAG, value, nullptr, nullptr, 0);
}

}  // namespace

void Parker::park() noexcept {
  std::uint32_t seen = kNone;
  token_.compare_exchange(seen, kAsleep, Order::relaxed, Order::relaxed);
  while (token_.load(Order::acquire) != kToken) futex(token_, FUTEX_WAIT, kAsleep);
  token_.store(kNone, Order::relaxed);
}

void Parker::unpark() noexcept {
  if (token_.exchange(kToken, Order::release) == kAsleep) futex(token_, FUTEX_WAKE, 1);
}

}  // namespace chappe::sync
