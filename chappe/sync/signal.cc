#include "chappe/sync/signal.h"

#include "chappe/base/check.h"

namespace chappe::sync {

Signal::~Signal() {
  drain();
  CHAPPE_CHECK(waiters_.empty());
}

std::uint32_t Signal::take() noexcept {
  drain();
  const std::uint32_t edges = pending_;
  pending_ = 0;
  return edges;
}

void Signal::deliver(WakeSource& self, std::uint32_t edges) noexcept {
  auto& signal = static_cast<Signal&>(self);
  if (signal.waiters_.empty()) {
    // Saturates with the word it came from; see WakeSource::kFull.
    const std::uint32_t sum = signal.pending_ + edges;
    signal.pending_ = sum < edges ? 0xffffffff : sum;
    return;
  }
  bool alone = true;
  while (Next* const waiter = signal.waiters_.pop_front()) {
    waiter->count_ = edges;
    waiter->alone_ = alone && signal.waiters_.empty();
    alone = false;
    waiter->wake();
    signal.woken_.push_back(*waiter);
  }
}

Flags::~Flags() {
  drain();
  CHAPPE_CHECK(waiters_.empty());
}

std::uint32_t Flags::take(std::uint32_t mask) noexcept {
  drain();
  const std::uint32_t bits = pending_ & mask;
  pending_ &= ~mask;
  return bits;
}

void Flags::deliver(WakeSource& self, std::uint32_t bits) noexcept {
  auto& flags = static_cast<Flags&>(self);
  flags.pending_ |= bits;
  std::uint32_t consumed = 0;
  flags.waiters_.for_each([&](Wait& waiter) {
    waiter.bits_ = flags.pending_ & waiter.mask_;
    if (waiter.bits_ == 0) return;
    waiter.alone_ = (consumed & waiter.bits_) == 0;
    consumed |= waiter.bits_;
    waiter.wake();
    flags.woken_.push_back(waiter);
  });
  flags.pending_ &= ~consumed;
}

}  // namespace chappe::sync
