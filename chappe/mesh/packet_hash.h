#pragma once

#include <array>
#include <cstdint>

#include "chappe/mesh/packet.h"

namespace chappe::mesh {

/// What makes two copies of a packet the same: its type and payload, not the route it took.
struct PacketHash {
  std::uint64_t word = 0;  // the eight bytes, first one lowest

  constexpr std::array<std::uint8_t, 8> bytes() const {
    std::array<std::uint8_t, 8> out{};
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = static_cast<std::uint8_t>(word >> (8 * i));
    }
    return out;
  }
  friend constexpr bool operator==(PacketHash, PacketHash) = default;
};

/// The hash shown to people and given to events. A trace includes its hop count, because it may
/// pass one node twice.
PacketHash packet_hash(const Packet& packet);

/// What the seen table knows a packet by: packet_hash(), but for a MULTIPART without its first
/// byte, which counts the copies down.
PacketHash seen_key(const Packet& packet);

}  // namespace chappe::mesh
