#pragma once

#include <vector>

#include "chappe/config/configuration.h"
#include "chappe/node/settings.h"
#include "chappe/radio/modulation.h"
#include "chappe/tx/ledger.h"

namespace chappe::app {

// A configuration in the words of the rooms that use it. Requires one without contradictions.
radio::Modulation modulation_of(const config::Configuration& configuration);
node::Settings settings_of(const config::Configuration& configuration);
std::vector<tx::Rule> rules_of(const config::Configuration& configuration);
tx::SingleLimits single_limits_of(const config::Configuration& configuration);

}  // namespace chappe::app
