#include "apps/chappe/outside.h"

#include <ostream>

#include "apps/chappe/wiring.h"
#include "chappe/base/check.h"
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
        neighbours_(executor, air_, {seed, modulation_of(configuration)}) {
    neighbours_.welcome(radio_, own);
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

}  // namespace

std::unique_ptr<Outside> make_outside(const config::Configuration& configuration,
                                      const mesh::PublicKey& own,
                                      async::Executor& executor,
                                      std::uint64_t seed) {
  return std::make_unique<SimulatedOutside>(configuration, own, executor, seed);
}

}  // namespace chappe::app
