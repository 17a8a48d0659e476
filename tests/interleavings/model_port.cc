#include "chappe/base/panic.h"
#include "chappe/explore/world.h"
#include "chappe/sync/agent.h"

namespace chappe {

// A panic of the product is a failure of the test.
void panic_halt(std::string_view what) noexcept {
  explore::World::current()->fail(explore::Failure::check, {what});
  __builtin_trap();
}

namespace {

// Who is running is kept per thread; here, per context.
void* exchange(void* value) {
  sync::Agent* const before = sync::Agent::running();
  sync::Agent::set_running(static_cast<sync::Agent*>(value));
  return before;
}

[[maybe_unused]] const bool installed = [] {
  explore::exchange_context_local = &exchange;
  return true;
}();

}  // namespace
}  // namespace chappe
