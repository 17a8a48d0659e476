#include "chappe/flow/inflight.h"

#include "chappe/async/sleep.h"
#include "chappe/base/check.h"
#include "chappe/base/note.h"

namespace chappe::flow {
namespace {

constexpr std::uint32_t kPending = 0xffff;
constexpr std::uint32_t kOneConfirmed = 0x10000;

}  // namespace

void Inflight::submitted() noexcept {
  const std::uint32_t before = word_.fetch_add(1, sync::Order::acq_rel);
  CHAPPE_CHECK((before & kPending) < kMost);
  if ((before & kPending) == 0) submitted_.set();
}

void Inflight::confirmed() noexcept {
  const auto step = word_.update(
      [](std::uint32_t word) {
        if ((word & kPending) == 0) return word;
        return word - 1 + kOneConfirmed;  // the upper half wraps by itself, into nothing
      },
      sync::Order::acq_rel);
  if (step.before == step.after) {
    panic("in flight: a confirmation with nothing pending", Site::here(), {PanicCode::account});
  }
}

Inflight::Snapshot Inflight::read() const noexcept {
  const std::uint32_t word = word_.load(sync::Order::acquire);
  return {static_cast<std::uint16_t>(word & kPending), static_cast<std::uint16_t>(word >> 16)};
}

void Inflight::supervise(async::Executor& executor,
                         async::TaskHeader& slot,
                         Duration period,
                         OnWedge on_wedge,
                         void* context) {
  executor.spawn(
      slot, "in-flight supervisor", &Inflight::watch, this, executor, period, on_wedge, context);
}

async::Task<> Inflight::watch(async::Executor& executor,
                              Duration period,
                              OnWedge on_wedge,
                              void* context) {
  for (;;) {
    // Looks first: a supervisor that was started again hears nothing of what is out already.
    Snapshot last = read();
    if (last.pending == 0) {
      co_await submitted_.next();
      last = read();
    }
    while (last.pending > 0) {
      co_await async::sleep_for(executor, period);
      const Snapshot now = read();
      // Pending falls only by a confirmation, so this is one frame that stayed out all the time.
      if (now.pending > 0 && now.confirmed == last.confirmed) {
        ++wedges_;
        note(Note::wedge, now.pending, now.confirmed);
        on_wedge(context, now);
      }
      last = now;
    }
  }
}

}  // namespace chappe::flow
