#pragma once

#include <algorithm>
#include <cstdint>

#include "chappe/base/units.h"

namespace chappe::client {

/// How much one client may ask for: `burst` at once, and then one each `interval`. A bucket, kept
/// as the time at which it will be full again.
class Allowance {
 public:
  struct Limits {
    Duration interval{};
    std::int64_t burst = 1;
  };

  constexpr explicit Allowance(const Limits& limits) : limits_(limits) {}

  /// Takes one, and returns how long the client must wait before it is served.
  constexpr Duration take(Time now) {
    full_at_ = std::max(full_at_, now) + limits_.interval;
    return std::max(Duration::zero(), full_at_ - now - limits_.interval * limits_.burst);
  }

 private:
  Limits limits_;
  Time full_at_{};
};

}  // namespace chappe::client
