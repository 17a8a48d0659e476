#include "chappe/sim/sim_radio.h"

#include <utility>

#include "chappe/async/sleep.h"
#include "chappe/base/check.h"
#include "chappe/radio/airtime.h"

namespace chappe::sim {
namespace {

// RadioLib's default, and so the reference firmware's.
constexpr int kCadSymbols = 4;

flow::Credits::Limits one_buffer() {
  flow::Credits::Limits limits;
  limits.total = 1;
  limits.lane_max = {1, 0, 0, 0};
  return limits;
}

// What the chip needs to decide after it has listened: Semtech AN1200.48, tables 36 to 41.
Duration cad_processing(const radio::Modulation& modulation) {
  const int hundredths = 60 + 5 * (modulation.spreading - 7);
  return modulation.symbol() * hundredths / 100;
}

}  // namespace

SimRadio::SimRadio(async::Executor& executor, Air& air, const radio::Modulation& modulation)
    : executor_(executor),
      air_(air),
      modulation_(modulation),
      station_(air.join(*this, modulation)),
      credits_(executor.wakes(), one_buffer()),
      inflight_(executor.wakes()),
      heard_(executor.wakes()),
      sent_(executor.wakes()) {
  // Nothing lasts longer than the longest frame, so half a second more is never too early.
  const Duration period = radio::time_on_air(modulation, radio::kFrameMax) + milliseconds(500);
  const auto on_wedge = [](void* context, const flow::Inflight::Snapshot&) {
    static_cast<SimRadio*>(context)->settle(Unexpected(radio::TransmitFailure::unsure));
  };
  inflight_.supervise(executor, supervisor_, period, on_wedge, this);
}

SimRadio::~SimRadio() {
  air_.leave(station_);
  // What the air still has is nobody's now: its end will not be told here.
  if (inflight_.read().pending > 0) settle(Unexpected(radio::TransmitFailure::unsure));
}

async::Task<radio::Channel> SimRadio::listen(const radio::Right&) {
  const Time from = executor_.now();
  const Time to = from + kCadSymbols * modulation_.symbol();
  co_await async::sleep_until(executor_, to);
  const bool busy = air_.is_occupied(station_, from, to);
  co_await async::sleep_until(executor_, to + cad_processing(modulation_));
  co_return busy ? radio::Channel::busy : radio::Channel::clear;
}

async::Task<std::optional<Dbm>> SimRadio::sense(const radio::Right&, Duration span) {
  const Time from = executor_.now();
  co_await async::sleep_until(executor_, from + span);
  co_return air_.strongest(station_, from, executor_.now()).value_or(kNoiseFloor);
}

async::Task<Result<radio::Transmitted, radio::TransmitFailure>> SimRadio::transmit(
    const radio::Right&, Bytes frame, flow::Credit credit) {
  CHAPPE_CHECK(credit);
  // Cancelled while the air has the frame: its end finds nobody, and gives the credit back.
  struct Asker {
    ~Asker() { completion.abandon(); }
    async::Completion<Outcome>& completion;
  };
  const Asker asker{sent_};
  ticket_ = sent_.arm();
  lane_ = credit.lane();
  inflight_.submitted();
  credit.hand_over();
  air_.radiate(station_, frame);
  const Outcome outcome = co_await sent_.result();
  co_return outcome;
}

void SimRadio::on_radiated(Time keyed, Duration airtime) noexcept {
  if (std::exchange(loses_next_, false)) return;
  settle(radio::Transmitted{keyed, airtime});
}

void SimRadio::settle(const Outcome& outcome) {
  sent_.complete(ticket_, outcome);
  inflight_.confirmed();
  credits_.release(lane_, 1);
}

bool SimRadio::on_frame(const radio::Frame& frame) noexcept {
  if (!inbox_.try_push(frame)) return false;
  heard_.set();
  return true;
}

bool SimRadio::take(radio::Frame& frame) {
  if (inbox_.empty()) return false;
  frame = inbox_.pop();
  return true;
}

}  // namespace chappe::sim
