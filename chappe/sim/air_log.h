#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "chappe/base/hex.h"
#include "chappe/sim/air.h"

namespace chappe::sim {

/// Who radiated what and when, and what became of it, for checks by brute force. Grows on the heap:
/// for tests and tools.
class AirLog final : public AirListener {
 public:
  struct Entry {
    StationId station{};
    Time from{};
    Time to{};
    std::vector<std::uint8_t> frame;
    std::vector<std::pair<StationId, Fate>> fates;  // filled at its end
  };

  const std::vector<Entry>& entries() const { return entries_; }

  /// A line for each frame: the same run gives the same text, byte for byte.
  std::string text() const;

  void on_keyed(const Radiation& radiation) noexcept override;
  void on_fate(const Radiation& radiation, StationId at, Fate fate) noexcept override;

 private:
  std::vector<Entry> entries_;
};

}  // namespace chappe::sim
