#pragma once

#include <cstdint>

#include "chappe/sync/word.h"

namespace chappe::sync {

/// A binary token that a worker thread can sleep on. Defined by the port: a futex on Linux.
class Parker {
 public:
  /// Sleeps until there is a token, and takes it. Never returns without one.
  void park() noexcept;
  /// Leaves a token. Context: any thread. Touches nothing of the parker after the token is there
  /// but its address, so the parker may already be gone when this returns.
  void unpark() noexcept;

 private:
  Word<std::uint32_t> token_{0};  // 0 none, 1 token, 2 asleep
};

}  // namespace chappe::sync
