#include "apps/chappe/outside.h"

#include <ctime>
#include <ostream>
#include <utility>

#include "apps/chappe/modem_outside.h"
#include "apps/chappe/sx126x_outside.h"
#include "apps/chappe/wiring.h"
#include "chappe/play/live_replay.h"
#include "chappe/play/recording.h"
#include "chappe/sim/air.h"
#include "chappe/sim/neighbours.h"
#include "chappe/sim/sim_radio.h"

namespace chappe::app {
namespace {

/// An invented air in real time.
class SimulatedOutside final : public Outside {
 public:
  SimulatedOutside(const config::Configuration& configuration,
                   const mesh::PublicKey& own,
                   async::Executor& executor,
                   std::uint64_t seed)
      : air_(executor, sim::Neighbourhood::kNeighbours + 1),
        radio_(executor, air_, modulation_of(configuration)),
        neighbours_(executor,
                    air_,
                    {.seed = seed,
                     .modulation = modulation_of(configuration),
                     .unix_start = static_cast<std::uint32_t>(std::time(nullptr))}) {
    neighbours_.welcome(radio_.station(), own);
  }

  radio::Radio& radio() override { return radio_; }
  void start() override { neighbours_.start(); }
  void stop() override { neighbours_.stop(); }
  void describe(std::ostream& out) const override {
    out << "  radio    simulated: an invented air with " << sim::Neighbourhood::kNeighbours
        << " neighbours; nothing is transmitted for real\n";
  }

 private:
  sim::Air air_;
  sim::SimRadio radio_;
  sim::Neighbourhood neighbours_;
};

/// What a recorded node heard, at its times; our own node hears it, with a key of its own.
class ReplayedOutside final : public Outside {
 public:
  ReplayedOutside(std::unique_ptr<play::LiveReplay> replay, std::size_t others)
      : replay_(std::move(replay)), others_(others) {}

  radio::Radio& radio() override { return replay_->radio(); }
  void start() override { replay_->start(); }
  void stop() override { replay_->stop(); }
  void describe(std::ostream& out) const override {
    out << "  radio    the recording " << replay_->scenario().id
        << "; nothing is transmitted for real\n";
    if (others_ > 0)
      out << "           (" << others_ << " more in that file: name one as FILE#id)\n";
  }

 private:
  const std::unique_ptr<play::LiveReplay> replay_;
  const std::size_t others_;
};

Result<std::unique_ptr<Outside>, std::string> replay_outside(const std::string& file,
                                                             async::Executor& executor) {
  auto scenarios = play::read_recording(file);
  if (!scenarios) return Unexpected(file + ": " + scenarios.error());
  const std::size_t others = scenarios->size() - 1;
  auto replay = play::LiveReplay::create(executor, std::move(scenarios->front()));
  if (replay == nullptr) return Unexpected(file + ": recorded with a modulation no LoRa radio has");
  return std::unique_ptr<Outside>(new ReplayedOutside(std::move(replay), others));
}

}  // namespace

Result<std::unique_ptr<Outside>, std::string> make_outside(
    const config::Configuration& configuration,
    const mesh::PublicKey& own,
    port::LinuxPort& port,
    async::Executor& executor,
    std::uint64_t seed) {
  const config::RadioSource& source = configuration.radio.kind;
  if (source.kind == config::RadioSource::Kind::replay)
    return replay_outside(source.file, executor);
  if (source.kind == config::RadioSource::Kind::kiss)
    return modem_outside(configuration, port, executor);
  if (source.kind == config::RadioSource::Kind::sx126x)
    return sx126x_outside(configuration, executor);
  if (source.kind == config::RadioSource::Kind::chip)
    return chip_outside(configuration, own, executor, seed);
  return std::unique_ptr<Outside>(new SimulatedOutside(configuration, own, executor, seed));
}

}  // namespace chappe::app
