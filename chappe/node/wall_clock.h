#pragma once

#include <algorithm>
#include <cstdint>

#include "chappe/base/units.h"

namespace chappe::node {

/// Unix seconds: what the clock was set to, plus what the node's own clock has counted since. It is
/// quoted to others and never measured with; nothing is scheduled by it.
///
/// 32 bits, as on the air; they flow over in 2106.
class WallClock {
 public:
  /// At the start, from the system's clock, a battery-backed one or a file.
  void start(std::uint32_t unix_seconds, Time now) {
    set_to_ = unix_seconds;
    counting_from_ = now;
  }

  /// While running: by an administrator. The firmware counts the first second a millisecond late,
  /// when its loop comes round again; recorded adverts carry that second.
  void set(std::uint32_t unix_seconds, Time now) {
    set_to_ = unix_seconds;
    counting_from_ = now + milliseconds(1);
  }

  std::uint32_t now(Time at) const {
    const Duration since = std::max(Duration::zero(), at - counting_from_);
    return set_to_ + static_cast<std::uint32_t>(in_us(since) / 1'000'000);
  }

 private:
  std::uint32_t set_to_ = 0;
  Time counting_from_{};
};

}  // namespace chappe::node
