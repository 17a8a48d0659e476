#pragma once

#include <algorithm>
#include <cstddef>

#include "chappe/mesh/packet.h"
#include "chappe/mesh/rules.h"

namespace chappe::mesh {

/// How often a node's own hash stands in the path of a flood.
inline std::size_t times_in_path(const Packet& packet, const PublicKey& own) {
  std::size_t times = 0;
  for (std::size_t at = 0; at < packet.path.size(); at += packet.hash_size) {
    if (std::equal(own.begin(),
                   own.begin() + packet.hash_size,
                   packet.path.begin() + static_cast<std::ptrdiff_t>(at))) {
      ++times;
    }
  }
  return times;
}

/// Short hashes collide: with one byte somebody else's is ours once in 256, so more are let pass.
inline bool is_looped(const Packet& packet, const PublicKey& own, LoopDetection mode) {
  static constexpr std::size_t kLimits[4][3] = {
      {0, 0, 0},  // off
      {4, 2, 1},  // minimal: 1-, 2-, 3-byte hashes
      {2, 1, 1},  // moderate
      {1, 1, 1},  // strict
  };
  if (mode == LoopDetection::off) return false;
  return times_in_path(packet, own) >=
         kLimits[static_cast<std::size_t>(mode)][packet.hash_size - 1];
}

}  // namespace chappe::mesh
