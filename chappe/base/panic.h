#pragma once

#include <string_view>

#include "chappe/base/site.h"

namespace chappe {

/// We failed: a broken invariant, a misuse of a lock, an impossible state. Says so and stops.
///
/// Context: any, interrupts included. Takes no lock, allocates nothing, never returns. What it
/// does with the words is the port's business (`panic_halt`): the Linux port writes one line to
/// standard error and aborts.
[[noreturn]] void panic(std::string_view what, Site site = Site::here());

/// Runs once, before the halt, so that whoever owns a radio can make it safe. The hook may touch
/// registers and words; it must not lock, wait, allocate or panic.
using PanicHook = void (*)(void* context, std::string_view what) noexcept;
void set_panic_hook(PanicHook hook, void* context) noexcept;

/// Declared here, defined by exactly one port: the linker chooses.
[[noreturn]] void panic_halt(std::string_view what) noexcept;

}  // namespace chappe
