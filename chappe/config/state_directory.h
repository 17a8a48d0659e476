#pragma once

#include <string>

#include "chappe/base/result.h"

namespace chappe::config {

/// Where the node keeps its state: what was configured, else `$XDG_STATE_HOME/chappe`, else
/// `$HOME/.local/state/chappe`. The environment is passed in; null is an unset variable. A relative
/// XDG_STATE_HOME counts as unset, as its specification demands.
Result<std::string, std::string> state_directory(const std::string& configured,
                                                 const char* xdg_state_home,
                                                 const char* home);

}  // namespace chappe::config
