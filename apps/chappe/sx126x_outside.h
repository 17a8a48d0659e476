#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "apps/chappe/outside.h"
#include "chappe/port/linux/sx126x/linux_bus.h"
#include "chappe/radio/sx126x/board.h"

namespace chappe::app {

// [board] in the words of those who use it. Require a configuration without contradictions whose
// radio is sx126x, or chip for the second.
port::Sx126xWiring sx126x_wiring_of(const config::Configuration& configuration);
radio::sx126x::Board sx126x_board_of(const config::Configuration& configuration);

/// A chip on SPI, as configured. The error is a sentence for whoever did.
Result<std::unique_ptr<Outside>, std::string> sx126x_outside(
    const config::Configuration& configuration, async::Executor& house);

/// The driver on a model of the chip, in an air with neighbours.
std::unique_ptr<Outside> chip_outside(const config::Configuration& configuration,
                                      const mesh::PublicKey& own,
                                      async::Executor& executor,
                                      std::uint64_t seed);

}  // namespace chappe::app
