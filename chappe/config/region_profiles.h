#pragma once

#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "chappe/base/result.h"
#include "chappe/config/mistake.h"
#include "chappe/config/regions.h"

namespace chappe::config {

/// Regions as they were read, with the texts that they look into.
struct RegionProfiles {
  std::vector<Region> regions;
  std::list<std::string> texts;
  std::list<std::vector<Band>> bands;
};

/// Reads the form of regions.toml and believes none of it: an unknown key, a missing one, a limit
/// longer than its window, two bands of one name are mistakes, and the first is told.
Result<RegionProfiles, Mistake> read_regions(std::string_view text);

/// The file regions.toml, as it was when this was built.
extern const std::string_view kRegionsText;

}  // namespace chappe::config
