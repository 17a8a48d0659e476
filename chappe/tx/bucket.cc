#include "chappe/tx/bucket.h"

#include <algorithm>

#include "chappe/radio/airtime.h"

namespace chappe::tx {
namespace {

constexpr float kWindowMs = 3'600'000;  // an hour
// Below this the reference is silent after a transmission until it is there again.
constexpr std::int64_t kSilentBelowMs = 100;
constexpr std::size_t kLongestFrame = 255;

std::int64_t whole_ms(Time at) {
  return in_us(at) / 1000;
}

}  // namespace

Bucket::Bucket(async::Executor& executor, const radio::Modulation& modulation, float factor)
    : executor_(executor) {
  set_modulation(modulation);
  set_factor(factor);
  state_.budget_ms = capacity_ms();
  state_.refilled_ms = whole_ms(executor.now());
}

void Bucket::set_modulation(const radio::Modulation& modulation) {
  reserve_ms_ = in_ms(radio::reference_airtime(modulation, kLongestFrame)) / 2;
}

void Bucket::set_factor(float factor) {
  // Single precision throughout: the reference's rounding is part of what is recorded.
  share_ = factor > 0 ? 1 / (1 + factor) : 1.0F;
  step_ms_ = std::max<std::int64_t>(1, static_cast<std::int64_t>(1 / share_) - 1);
  while (earned_ms(step_ms_) < 1) ++step_ms_;
}

std::int64_t Bucket::capacity_ms() const {
  return static_cast<std::int64_t>(kWindowMs * share_);
}

std::int64_t Bucket::earned_ms(std::int64_t span_ms) const {
  return static_cast<std::int64_t>(static_cast<float>(span_ms) * share_);
}

// One look after a time without any: less than a whole millisecond stays to be earned.
void Bucket::refill(State& state, std::int64_t now_ms) const {
  const std::int64_t earned = earned_ms(now_ms - state.refilled_ms);
  if (earned <= 0) return;
  state.budget_ms = std::min(state.budget_ms + earned, capacity_ms());
  state.refilled_ms = now_ms;
}

// While something is due, a look each millisecond: whatever a step earns beyond one is lost.
void Bucket::look(State& state, std::int64_t now_ms) const {
  if (!state.looking) {
    refill(state, now_ms);
    state.looking = true;
    return;
  }
  const std::int64_t steps = (now_ms - state.refilled_ms) / step_ms_;
  state.budget_ms = std::min(state.budget_ms + steps * earned_ms(step_ms_), capacity_ms());
  state.refilled_ms += steps * step_ms_;
}

void Bucket::end(State& state, const Transmission& sent) const {
  const std::int64_t now_ms = sent.start_ms + sent.airtime_ms;
  refill(state, now_ms);
  state.budget_ms = std::max<std::int64_t>(0, state.budget_ms - sent.airtime_ms);
  state.silent_ms = now_ms;
  if (state.budget_ms < kSilentBelowMs) {
    const auto missing = static_cast<float>(kSilentBelowMs - state.budget_ms);
    state.silent_ms += static_cast<std::int64_t>(missing / share_);
  }
}

// As if what is on the air had ended as announced.
Bucket::State Bucket::settled() const {
  State state = state_;
  if (sending_) end(state, *sending_);
  return state;
}

std::int64_t Bucket::tx_budget_ms() const {
  State state = state_;
  if (state.looking) look(state, std::max(whole_ms(executor_.now()), state.refilled_ms));
  return state.budget_ms;
}

Time Bucket::earliest(Duration, Time at) const {
  State state = settled();
  const std::int64_t at_whole_ms = std::max(whole_ms(at), state.refilled_ms);
  look(state, at_whole_ms);
  const bool is_now = at <= executor_.now();
  if (is_now && !sending_) state_ = state;

  if (state.budget_ms >= reserve_ms_) {
    return state.silent_ms < at_whole_ms ? at : at_ms(state.silent_ms + 1);
  }
  // Every look that finds too little asks for silence until what is missing then would be earned.
  // The last of them misses one millisecond, just before it is there.
  const std::int64_t missing = reserve_ms_ - state.budget_ms;
  const std::int64_t gain = earned_ms(step_ms_);
  const std::int64_t steps = (missing + gain - 1) / gain;
  const std::int64_t enough_ms = state.refilled_ms + steps * step_ms_;
  const std::int64_t last_missing = missing - (steps - 1) * gain;
  const auto silence = static_cast<std::int64_t>(static_cast<float>(last_missing) / share_);
  return at_ms(enough_ms + silence);
}

std::optional<Reservation> Bucket::reserve(Duration airtime, Time now) {
  if (earliest(airtime, now) > now) return std::nullopt;
  // Kept or never told: it was spent as announced.
  state_ = settled();
  look(state_, std::max(whole_ms(now), state_.refilled_ms));
  state_.looking = false;
  sending_ = Transmission{whole_ms(now), in_ms(airtime)};
  return make_reservation(0);
}

void Bucket::commit(std::uint64_t, Time, Duration airtime) {
  sending_->airtime_ms = in_ms(airtime);
  end(state_, *sending_);
  sending_.reset();
}

void Bucket::cancel(std::uint64_t) {
  sending_.reset();
}

std::uint32_t Bucket::spent_ppm(Time) const {
  const std::int64_t capacity = std::max<std::int64_t>(1, capacity_ms());
  const std::int64_t spent = std::clamp<std::int64_t>(capacity - settled().budget_ms, 0, capacity);
  return static_cast<std::uint32_t>(spent * 1'000'000 / capacity);
}

}  // namespace chappe::tx
