#pragma once

#include <memory>
#include <string>

#include "apps/chappe/outside.h"
#include "chappe/port/linux/linux_port.h"

namespace chappe::app {

/// A KISS modem, as configured. The error is a sentence for whoever did.
Result<std::unique_ptr<Outside>, std::string> modem_outside(
    const config::Configuration& configuration, port::LinuxPort& port, async::Executor& executor);

}  // namespace chappe::app
