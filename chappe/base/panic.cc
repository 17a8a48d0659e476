#include "chappe/base/panic.h"

#include <atomic>

#include "chappe/base/text.h"

namespace chappe {
namespace {

// Written at start-up, read by whoever panics first.
std::atomic<PanicHook> hook{nullptr};
std::atomic<void*> hook_context{nullptr};
std::atomic<bool> panicking{false};

}  // namespace

void set_panic_hook(PanicHook new_hook, void* context) noexcept {
  hook_context.store(context, std::memory_order_relaxed);
  hook.store(new_hook, std::memory_order_release);
}

void panic(std::string_view what, Site site) {
  Text<800> words;  // a chain of locks with everybody's places
  words.add("panic: ").add(what).add(" [").add(site).add("]");
  // The first panic wins. A second one, in the hook or on another thread, must not run it again.
  if (!panicking.exchange(true, std::memory_order_acq_rel)) {
    if (const PanicHook run = hook.load(std::memory_order_acquire); run != nullptr) {
      run(hook_context.load(std::memory_order_relaxed), words.view());
    }
  }
  panic_halt(words.view());
}

}  // namespace chappe
