#pragma once

// Stands before the product's header of this name when the kernel is compiled for the explorer:
// parking is one blocking step, leaving a token another.

#include <cstdint>

#include "chappe/explore/world.h"
#include "chappe/sync/shared_state.h"

namespace chappe::sync {

class Parker {
 public:
  void park() noexcept { explore::World::current()->park(token()); }
  void unpark() noexcept { explore::World::current()->unpark(token()); }

 private:
  std::uint8_t token() {
    explore::World& world = *explore::World::current();
    if (execution_ != world.execution()) {
      execution_ = world.execution();
      token_ = world.declare_shared("token", 0);
    }
    return token_;
  }

  std::uint32_t execution_ = 0;
  std::uint8_t token_ = 0;
};

}  // namespace chappe::sync
