#pragma once

#include <cstdint>

#include "chappe/sync/shared_state.h"

namespace chappe::sync {

/// A binary token that a worker thread can sleep on. Defined by the port: a futex on Linux.
class Parker {
 public:
  /// Sleeps until there is a token, and takes it. Never returns without one.
  /// Contract of Parker::park: context worker; sleeps may; locks none; timers none; wakes none;
  /// touches Parker::token.
  void park() noexcept;
  /// Leaves a token. Touches nothing of the parker after the token is there but its address, so the
  /// parker may already be gone when this returns.
  /// Contract of Parker::unpark: context worker; sleeps never; locks none; timers none; wakes its
  /// owner; touches Parker::token.
  void unpark() noexcept;

 private:
  static constexpr SharedState kTokenState{
      .name = "Parker::token",
      .purpose = "0 no token, 1 a token, 2 its owner sleeps",
      .writers = Who::worker,
      .readers = Who::worker,
      .protection = "one word: whoever leaves the token learns in the same step whether to wake",
      .orders = Orders::acquire | Orders::release | Orders::relaxed};
  SharedWord<std::uint32_t, kTokenState> token_{0};
};

}  // namespace chappe::sync
