#pragma once

#include <cstdint>

#include "chappe/base/random.h"
#include "chappe/mesh/judge.h"
#include "chappe/mesh/neighbours.h"
#include "chappe/mesh/payload.h"
#include "chappe/mesh/rules.h"
#include "chappe/node/limiter.h"
#include "chappe/node/own_packets.h"
#include "chappe/node/preferences.h"
#include "chappe/node/wall_clock.h"

namespace chappe::node {

/// Who is there? Asking the neighbours, and answering when they ask (protocol 12.2, 12.3).
/// Context: the node's executor. Memory: in place.
class Discovery {
 public:
  struct World {
    const mesh::Rules& rules;
    const Preferences& preferences;
    const WallClock& clock;
    Random& random;
    mesh::Neighbours& neighbours;
    OwnPackets& out;
  };

  explicit Discovery(const World& world) : world_(world) {}

  /// Answers count for a minute; asking again forgets the earlier question.
  void ask(Time now);
  void hear(const mesh::Packet& packet, const mesh::Heard& heard, Time now);

 private:
  void answer(const mesh::DiscoverRequest& request, const mesh::Heard& heard, Time now);
  void note(const mesh::DiscoverResponse& response, const mesh::Heard& heard, Time now);
  void send(Bytes payload, Duration delay);

  const World world_;
  Limiter answers_{4, 120};
  std::uint32_t tag_ = 0;  // of our question; 0: none
  Time asked_until_{};
};

}  // namespace chappe::node
