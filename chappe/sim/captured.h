#pragma once

#include <span>
#include <string_view>

#include "chappe/base/bytes.h"

namespace chappe::sim {

/// A packet that was on the air of some real mesh.
struct Captured {
  std::string_view name;
  Bytes frame;
};

/// About a dozen, of different routes and types, as published in the tests of open decoders
/// (meshcore-decoder, meshcore-go, meshcore-analyzer, mcgrpdec). The names are those of the
/// conformance vectors.
std::span<const Captured> captured();

}  // namespace chappe::sim
