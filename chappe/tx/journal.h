#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "chappe/async/task.h"
#include "chappe/base/bytes.h"
#include "chappe/base/units.h"

namespace chappe::tx {

/// Which run of the machine this is: two that differ share no clock.
using BootId = std::array<std::uint8_t, 16>;

/// What the outside world's clocks say at one instant.
struct ClockReading {
  BootId boot{};
  Time now{};                // the node's own clock
  std::int64_t wall_us = 0;  // since 1970
  bool wall_is_set = false;  // by a source that can be trusted, and not merely counting
};

/// Two places on a disk or in flash that survive a power cut. Context: the executor's tasks.
class Journal {
 public:
  static constexpr std::size_t kCopies = 2;
  static constexpr std::size_t kBytesMax = 2048;  // of one copy

  /// Replaces one copy. True once it would survive a power cut; until then, and if it fails, that
  /// copy may hold anything. The other one is not touched. The bytes are needed only until it first
  /// suspends. Never blocks the executor.
  virtual async::Task<bool> write(std::size_t copy, Bytes record) = 0;

  virtual ClockReading clocks() = 0;

 protected:
  ~Journal() = default;
};

}  // namespace chappe::tx
