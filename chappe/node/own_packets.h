#pragma once

#include <cstdint>

#include "chappe/base/units.h"
#include "chappe/mesh/packet.h"

namespace chappe::node {

/// Where parts of a node hand over packets that the node itself has something to say with.
class OwnPackets {
 public:
  /// Sends `packet` after `delay`; it is remembered as seen at once. What becomes of it is in the
  /// events and in the books.
  virtual void send_own(const mesh::Packet& packet, Duration delay, std::uint8_t priority) = 0;

 protected:
  ~OwnPackets() = default;
};

}  // namespace chappe::node
