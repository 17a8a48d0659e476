#pragma once

#include "chappe/base/random.h"

namespace chappe::port {

/// The operating system's randomness: for keys and for the seed of everything else.
class OsRandom final : public Random {
 public:
  /// Panics if the kernel gives none, which it only does before it has gathered any.
  std::uint32_t next() noexcept override;
};

}  // namespace chappe::port
