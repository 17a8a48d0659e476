#pragma once

#include <cstdint>
#include <memory>

#include "chappe/async/executor.h"
#include "chappe/play/replayed_radio.h"
#include "chappe/play/scenario.h"
#include "chappe/play/tape.h"

namespace chappe::play {

/// A recording as a radio in real time: what the recorded node heard is heard again, at its times
/// counted from start(). What is sent takes its time on air and is heard by nobody. Console lines
/// of the recording are not typed.
///
///     auto live = LiveReplay::create(executor, scenario);   // null: no LoRa radio is like this
///     node::Repeater node(executor, live->radio(), ...);
///     live->start();
///
/// Context: the executor, any kind. Memory: the recording, and nothing more as it plays.
class LiveReplay final : private Tape::Sink {
 public:
  static std::unique_ptr<LiveReplay> create(async::Executor& executor, Scenario scenario);

  radio::Radio& radio() { return radio_; }
  const Scenario& scenario() const { return scenario_; }

  void start() { tape_.start(); }
  void stop() { tape_.stop(); }
  /// Everything recorded was played.
  bool finished() const { return tape_.finished(); }

  std::uint64_t heard_count() const { return heard_; }
  /// Frames that ended while the node was sending.
  std::uint64_t lost_count() const { return lost_; }

 private:
  LiveReplay(async::Executor& executor, Scenario scenario, const radio::Modulation& modulation);

  void on_input(const ScenarioInput& input) noexcept override;

  const Scenario scenario_;
  ReplayedRadio radio_;
  Tape tape_;
  std::uint64_t heard_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace chappe::play
