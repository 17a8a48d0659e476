#pragma once

#include <cstdint>

namespace chappe {

/// A place in our sources. As a default argument it names the caller:
/// `void lock(Site site = Site::here());`
///
/// std::source_location would do, but clang 15 with libstdc++ 12 has none.
struct Site {
  const char* file = "?";
  std::uint32_t line = 0;

  static constexpr Site here(const char* file = __builtin_FILE(),
                             std::uint32_t line = __builtin_LINE()) {
    return Site{file, line};
  }
};

}  // namespace chappe
