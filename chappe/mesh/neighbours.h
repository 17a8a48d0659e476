#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "chappe/base/bytes.h"
#include "chappe/base/units.h"
#include "chappe/mesh/advert.h"
#include "chappe/mesh/packet.h"

namespace chappe::mesh {

inline constexpr std::size_t kNeighboursMax = 50;  // MeshCore simple_repeater at d9296435

struct Neighbour {
  PublicKey key{};
  std::uint32_t advert_timestamp = 0;  // of its own clock
  std::uint32_t heard_at = 0;          // Unix seconds of our wall clock; what replies quote
  Decibels snr;
};

/// Repeaters heard without anybody in between. A known one is updated; a new one takes a free slot,
/// else that of the one heard longest ago.
/// Order of all(): by slot. Memory: in place.
class Neighbours {
 public:
  explicit Neighbours(std::size_t capacity = kNeighboursMax);

  /// Takes note of a genuine advert if it is a repeater's, came with no hop, and is not somebody
  /// else's contact being shared (transport codes {0, 0}).
  void hear(const Packet& packet, const Advert& advert, Decibels snr, std::uint32_t unix_now);
  void put(const PublicKey& key,
           std::uint32_t advert_timestamp,
           Decibels snr,
           std::uint32_t unix_now);
  /// Removes every neighbour whose key begins so; an empty prefix means all. Says how many.
  std::size_t remove(Bytes prefix);

  std::span<const Neighbour> all() const { return {slots_.data(), size_}; }

 private:
  const std::size_t capacity_;
  std::size_t size_ = 0;
  std::array<Neighbour, kNeighboursMax> slots_{};
};

}  // namespace chappe::mesh
