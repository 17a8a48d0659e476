#pragma once

#include <string_view>

#include "chappe/base/result.h"
#include "chappe/base/short_string.h"
#include "chappe/mesh/region.h"

/// A region table as lines of text, for whoever keeps it. Unlike the tree that people are shown it
/// holds everything: ids, so that a table read back has the same parents, and the next free one.
namespace chappe::mesh {

// A line is "region 65535 65535 F <name>" at most; three more hold one number each, one a flag.
inline constexpr std::size_t kRegionLineMax = sizeof("region 65535 65535 F \n") + kRegionNameMax;
inline constexpr std::size_t kRegionTextMax = (kRegionsMax + 4) * kRegionLineMax;
using RegionText = ShortString<kRegionTextMax>;

/// Appends the lines, in the table's order.
void append_lines(RegionText& out, const RegionTable& table);

/// Reads such lines; the error is the number of the first that is none, counted from 1. Lines that
/// are empty or begin with '#' say nothing.
Result<RegionTable, int> parse_lines(std::string_view text);

}  // namespace chappe::mesh
