#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "chappe/base/units.h"

namespace chappe::radio::sx126x {

/// The level of an empty channel: the median of the last readings. A few that met a frame do not
/// move it, and whatever happens it is right again after half its window: no filter that admits
/// only what is near the floor, which stays wrong once it is wrong.
class NoiseFloor {
 public:
  static constexpr std::size_t kWindow = 17;

  void read(Dbm level) {
    readings_[next_] = level;
    next_ = (next_ + 1) % kWindow;
    count_ = std::min(count_ + 1, kWindow);
  }

  bool known() const { return count_ > 0; }
  /// Dbm{} while nothing is known.
  Dbm level() const {
    if (count_ == 0) return {};
    std::array<Dbm, kWindow> sorted = readings_;
    const auto end = sorted.begin() + static_cast<std::ptrdiff_t>(count_);
    const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(count_ / 2);
    std::nth_element(sorted.begin(), middle, end);
    return *middle;
  }

 private:
  std::array<Dbm, kWindow> readings_{};
  std::size_t next_ = 0;
  std::size_t count_ = 0;
};

}  // namespace chappe::radio::sx126x
