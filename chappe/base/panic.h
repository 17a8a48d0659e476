#pragma once

#include <cstdint>
#include <string_view>

#include "chappe/base/site.h"

namespace chappe {

namespace sync {
class LockRecord;
}

/// The kinds of panic, for whoever counts them. The numbers are part of the record's format.
enum class PanicCode : std::uint16_t { broken = 0, check = 1, lock = 2, account = 3, watchdog = 4 };

struct PanicCause {
  PanicCode code = PanicCode::broken;
  std::uint32_t a = 0;  // two numbers that the words also tell
  std::uint32_t b = 0;
  const sync::LockRecord* lock = nullptr;  // that it is about: the record follows its chain
};

/// We failed: a broken invariant, a misuse of a lock, an impossible state. Stops everything:
/// interrupts are masked, the hook makes the radio safe, the record is written where a restart
/// finds it, the flight recorder is frozen, and the port halts. The first panic of a process wins:
/// another thread's waits for the end; one inside the hook goes on with the rest of the first.
///
/// Context: any, interrupts included. Never returns.
/// Contract of panic: context any; sleeps never; locks none; timers none; wakes none; touches
/// Panic::first, Panic::told, Panic::hook, Panic::hook_context, RecorderMemory::current,
/// LockRecord::owner; calls note.
[[noreturn]] void panic(std::string_view what,
                        Site site = Site::here(),
                        const PanicCause& cause = {});

/// Runs once, before anything else, so that whoever owns a radio can make it safe: a dead node must
/// not jam. The hook may touch registers and words; it must not lock, wait or allocate.
using PanicHook = void (*)(void* context, std::string_view what) noexcept;
void set_panic_hook(PanicHook hook, void* context) noexcept;

// Declared here, defined by exactly one port: the linker chooses.

/// Nobody may interrupt this thread any more.
void panic_mask() noexcept;
/// Another thread's panic is under way: gives it a moment.
void panic_pause() noexcept;
/// Says what happened, and ends.
[[noreturn]] void panic_halt(std::string_view what) noexcept;

}  // namespace chappe
