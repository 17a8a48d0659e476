#include <charconv>

#include "chappe/base/note.h"
#include "chappe/base/panic.h"
#include "chappe/explore/world.h"
#include "chappe/sync/agent.h"

namespace chappe {

// A panic of the product is a failure of the test; what it does to the radio is sync/panic.cc's
// test.
void panic(std::string_view what, Site site, const PanicCause&) {
  char line[16];
  const auto end = std::to_chars(line, line + sizeof line, site.line).ptr;
  explore::World::current()->fail(explore::Failure::check,
                                  {"panic: ",
                                   what,
                                   " [",
                                   site.file,
                                   ":",
                                   std::string_view(line, static_cast<std::size_t>(end - line)),
                                   "]"});
  __builtin_trap();
}

// The recorder has a test of its own; in the others its words would only be in the way.
void note(Note, std::uint32_t, std::uint32_t) noexcept {}
std::uint32_t note_name(const char*) noexcept {
  return 0;
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
