#include "chappe/port/virtual/virtual_port.h"

#include <algorithm>
#include <utility>

namespace chappe::port {

void VirtualPort::raise_at(Interrupt& interrupt, Time at) {
  withdraw(interrupt);
  interrupt.at_ = std::max(at, now_);
  interrupt.order_ = ++raised_;
  interrupts_.push(interrupt);
}

void VirtualPort::withdraw(Interrupt& interrupt) {
  if (interrupt.queued()) interrupts_.remove(interrupt);
}

void VirtualPort::wait(Time deadline) noexcept {
  ++waits_;
  if (std::exchange(kicked_, false)) return;
  const Time next_interrupt = interrupts_.empty() ? kNever : interrupts_.front().at_;
  const Time next = std::min(deadline, next_interrupt);
  if (next > horizon_ || next == kNever) {
    exhausted_ = true;
    if (horizon_ != kNever) now_ = std::max(now_, horizon_);
    return;
  }
  now_ = std::max(now_, next);
  // An interrupt arrives while the executor sleeps, so a set in it must end the sleep by a kick.
  while (!interrupts_.empty() && interrupts_.front().at_ <= now_) {
    Interrupt& interrupt = *interrupts_.pop();
    interrupt.handler_(interrupt);
  }
  kicked_ = false;
}

void VirtualPort::run(async::Executor& executor, Time until) {
  horizon_ = until;
  exhausted_ = false;
  while (!exhausted_) {
    while (executor.step()) {
    }
    executor.sleep();
  }
  horizon_ = kNever;
}

}  // namespace chappe::port
