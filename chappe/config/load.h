#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "chappe/base/result.h"
#include "chappe/config/configuration.h"
#include "chappe/config/mistake.h"

namespace chappe::config {

/// A configuration, or everything that is wrong with it, in the order of the file. Nothing starts
/// half-configured: one mistake is enough for none.
using Loaded = Result<Configuration, std::vector<Mistake>>;

/// Keys that the text leaves out keep their defaults, so the empty text is the default node.
Loaded parse(std::string_view text);

/// The same from a file. A file that cannot be read is a mistake with a place of line zero.
Loaded load(const std::string& path);

/// What no single setting shows: a channel outside of its region's bands, too much power, a law
/// that may not be used on the air. Ask again after changing a loaded configuration.
std::vector<std::string> contradictions(const Configuration& configuration);

}  // namespace chappe::config
