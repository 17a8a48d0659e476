#include "chappe/play/live_replay.h"

#include <utility>

namespace chappe::play {

std::unique_ptr<LiveReplay> LiveReplay::create(async::Executor& executor, Scenario scenario) {
  const auto modulation = modulation_of(scenario.node.radio);
  if (!modulation) return nullptr;
  return std::unique_ptr<LiveReplay>(new LiveReplay(executor, std::move(scenario), *modulation));
}

LiveReplay::LiveReplay(async::Executor& executor,
                       Scenario scenario,
                       const radio::Modulation& modulation)
    : scenario_(std::move(scenario)),
      radio_(executor, modulation, scenario_.channel, ReplayedRadio::Listening::of(scenario_.node)),
      tape_(executor, scenario_.inputs, *this) {}

void LiveReplay::on_input(const ScenarioInput& input) noexcept {
  if (input.kind == ScenarioInput::Kind::failing_transmission) return radio_.refuse_next();
  if (input.kind != ScenarioInput::Kind::frame) return;
  ++(radio_.hear(input.frame, input.snr, input.rssi) ? heard_ : lost_);
}

}  // namespace chappe::play
