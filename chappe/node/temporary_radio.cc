#include "chappe/node/temporary_radio.h"

#include <cmath>

namespace chappe::node {
namespace {

constexpr Duration kReplyFirst = seconds(2);

}  // namespace

std::optional<radio::Modulation> modulation_of(const RadioPreferences& preferences) {
  const auto bandwidth = radio::Bandwidth::from_nominal(
      Hertz{static_cast<std::uint32_t>(std::llround(preferences.bandwidth_khz * 1000))});
  if (!bandwidth) return std::nullopt;
  radio::Modulation modulation;
  modulation.frequency =
      Hertz{static_cast<std::uint32_t>(std::llround(preferences.frequency_mhz * 1e6))};
  modulation.bandwidth = *bandwidth;
  modulation.spreading = preferences.spreading;
  modulation.coding = preferences.coding;
  modulation.preamble = radio::preamble_for(preferences.spreading);
  return modulation;
}

void TemporaryRadio::use(const radio::Modulation& modulation, Duration span) {
  wanted_ = modulation;
  span_ = span;
  next_.arm(repeater_.now() + kReplyFirst);
}

void TemporaryRadio::Next::fired(Timer& timer, const async::TimerContext& context) {
  static_cast<Next&>(timer).temporary.on_time(context.now());
}

void TemporaryRadio::on_time(Time now) {
  if (wanted_) {
    if (!permanent_) permanent_ = repeater_.radio().modulation();
    tune(*wanted_);
    wanted_.reset();
    next_.arm(now + span_);
    return;
  }
  tune(*permanent_);
  permanent_.reset();
}

void TemporaryRadio::tune(const radio::Modulation& modulation) {
  board_.tune(modulation);
  repeater_.radio_changed();
  if (bucket_ != nullptr) bucket_->set_modulation(repeater_.radio().modulation());
}

}  // namespace chappe::node
