#include "chappe/sync/event.h"

#include "chappe/base/check.h"

namespace chappe::sync {

Event::~Event() {
  drain();
  CHAPPE_CHECK(waiters_.empty());
}

void Event::deliver(WakeSource& self, std::uint32_t) noexcept {
  auto& event = static_cast<Event&>(self);
  event.level_ = true;
  while (Waiter* const waiter = event.waiters_.pop_front()) waiter->wake();
}

}  // namespace chappe::sync
