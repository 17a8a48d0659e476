#pragma once

#include <cstdint>

namespace chappe::node {

/// At most so many in a window that opens with its first: the reference's way of not being asked
/// too often (protocol 11.3, 12.2). Refused attempts count too, and change nothing.
class Limiter {
 public:
  constexpr Limiter(std::uint32_t limit, std::uint32_t window_seconds)
      : limit_(limit), window_seconds_(window_seconds) {}

  bool allows(std::uint32_t unix_now) {
    if (count_ == 0 || unix_now - opened_ >= window_seconds_) {
      opened_ = unix_now;
      count_ = 1;
      return true;
    }
    if (count_ <= limit_) ++count_;
    return count_ <= limit_;
  }

 private:
  const std::uint32_t limit_;
  const std::uint32_t window_seconds_;
  std::uint32_t opened_ = 0;
  std::uint32_t count_ = 0;
};

}  // namespace chappe::node
