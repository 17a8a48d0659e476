#include "chappe/base/panic.h"

#include "chappe/base/note.h"
#include "chappe/base/text.h"
#include "chappe/sync/recorder.h"
#include "chappe/sync/recorder_memory.h"
#include "chappe/sync/shared_state.h"
#include "chappe/sync/this_thread.h"

namespace chappe {
namespace {

using sync::Order;
using sync::Orders;
using sync::SharedState;
using sync::SharedWord;
using sync::Who;

constexpr SharedState kHookState{.name = "Panic::hook",
                                 .purpose = "who makes the radio safe",
                                 .writers = Who::start,
                                 .readers = Who::any,
                                 .protection = "set before the radio is used",
                                 .orders = Orders::acquire | Orders::release};
constinit SharedWord<PanicHook, kHookState> hook{nullptr};

constexpr SharedState kHookContextState{.name = "Panic::hook_context",
                                        .purpose = "what the hook is called with",
                                        .writers = Who::start,
                                        .readers = Who::any,
                                        .protection = "published by Panic::hook",
                                        .orders = Orders::relaxed};
constinit SharedWord<void*, kHookContextState> hook_context{nullptr};

constexpr SharedState kFirstState{.name = "Panic::first",
                                  .purpose = "the thread whose panic is told",
                                  .writers = Who::any,
                                  .readers = Who::any,
                                  .protection = "one word: it leaves null once",
                                  .orders = Orders::acq_rel | Orders::acquire};
constinit SharedWord<const void*, kFirstState> first{nullptr};

// The first panic, for one that happens inside its own hook: only its thread comes here.
struct Told {
  Text<800> words;
  Text<720> what;
  Site site;
  PanicCause cause;
  int step = 0;
};
constexpr SharedState kToldState{
    .name = "Panic::told",
    .purpose = "what the first panic said, and how far it got",
    .writers = Who::any,
    .readers = Who::any,
    .protection = "only the thread that Panic::first names comes here"};
class Panic {
 public:
  [[noreturn]] static void begin(std::string_view what, Site site, const PanicCause& cause);
  [[noreturn]] static void go_on();

 private:
  static constinit sync::Owned<Told, kToldState, Panic> told_;
};
constinit sync::Owned<Told, kToldState, Panic> Panic::told_;

void Panic::begin(std::string_view what, Site site, const PanicCause& cause) {
  Told& told = told_.at(sync::By<Panic>());
  told.words.add("panic: ").add(what).add(" [").add(site).add("]");
  told.what.add(what);
  told.site = site;
  told.cause = cause;
  go_on();
}

// Each step is counted before it is tried: if it fails with a panic of its own, that one continues
// behind it.
void Panic::go_on() {
  Told& told = told_.at(sync::By<Panic>());
  if (told.step == 0) {
    ++told.step;
    panic_mask();
    if (const PanicHook run = hook.load(Order::acquire); run != nullptr) {
      run(hook_context.load(Order::relaxed), told.words.view());
    }
  }
  if (told.step == 1) {
    ++told.step;
    sync::record_panic(told.what.view(), told.site, told.cause);
  }
  if (told.step == 2) {
    ++told.step;
    note(Note::panic, static_cast<std::uint32_t>(told.cause.code), told.cause.a);
    if (sync::Recorder* const recorder = sync::current_recorder()) {
      recorder->freeze(sync::RecorderLive::panicked);
    }
  }
  panic_halt(told.words.view());
}

// Another thread's panic has so many moments to end before we end without it.
constexpr int kPausesMost = 2000;

}  // namespace

void set_panic_hook(PanicHook new_hook, void* context) noexcept {
  hook_context.store(context, Order::relaxed);
  hook.store(new_hook, Order::release);
}

void panic(std::string_view what, Site site, const PanicCause& cause) {
  const void* seen = nullptr;
  if (first.compare_exchange(seen, sync::this_thread(), Order::acq_rel, Order::acquire)) {
    Panic::begin(what, site, cause);
  }
  if (seen == sync::this_thread()) Panic::go_on();
  for (int i = 0; i < kPausesMost; ++i) panic_pause();
  Text<800> words;
  words.add("panic: ").add(what).add(" [").add(site).add("], after another that did not end");
  panic_halt(words.view());
}

}  // namespace chappe
