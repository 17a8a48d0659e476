// Where note() goes.

#include "chappe/sync/recorder.h"

namespace chappe::sync {
namespace {

constexpr SharedState kCurrentState{
    .name = "Recorder::current",
    .purpose = "the recorder that note() writes to",
    .writers = Who::start,
    .readers = Who::any,
    .protection = "set before anybody else runs, and once more when nobody does",
    .orders = Orders::acquire | Orders::release};
constinit SharedWord<Recorder*, kCurrentState> current{nullptr};

}  // namespace

void set_recorder(Recorder* recorder) noexcept {
  current.store(recorder, Order::release);
}

Recorder* current_recorder() noexcept {
  return current.load(Order::acquire);
}

}  // namespace chappe::sync

namespace chappe {

void note(Note what, std::uint32_t a, std::uint32_t b) noexcept {
  if (sync::Recorder* const recorder = sync::current_recorder()) recorder->write(what, a, b);
}

}  // namespace chappe
