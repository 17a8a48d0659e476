#pragma once

#include <array>
#include <cstdint>

#include "chappe/mesh/judge.h"
#include "chappe/tx/outcome.h"

namespace chappe::node {

/// What became of every frame heard. A frame that is to be forwarded waits until it was sent, or
/// until the transmitter refused it: then that is why it was dropped.
///
/// Invariant, at every instant: heard == waiting + forwarded + delivered + dropped().
struct Books {
  std::uint64_t heard = 0;
  std::uint64_t waiting = 0;  // held before judging, or on the way out
  std::uint64_t forwarded = 0;
  std::uint64_t delivered = 0;
  std::array<std::uint64_t, mesh::kWhyCount> dropped_by_judge{};
  std::array<std::uint64_t, tx::kWhyCount> dropped_by_transmitter{};

  std::uint64_t dropped() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : dropped_by_judge) sum += count;
    for (const std::uint64_t count : dropped_by_transmitter) sum += count;
    return sum;
  }
  bool balance() const { return heard == waiting + forwarded + delivered + dropped(); }
};

}  // namespace chappe::node
