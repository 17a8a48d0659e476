#pragma once

#include <cstdint>

#include "chappe/async/executor.h"
#include "chappe/async/timer.h"
#include "chappe/mesh/identity.h"
#include "chappe/mesh/region.h"
#include "chappe/node/own_packets.h"
#include "chappe/node/preferences.h"
#include "chappe/node/wall_clock.h"

namespace chappe::node {

/// How far an advert goes.
enum class Reach : std::uint8_t {
  zero_hop,  // to whoever hears us
  flood,     // through the mesh, within the default scope if there is one
};

// Protocol 10.1.
inline constexpr Duration kBootAdvertDelay = seconds(16);
inline constexpr Duration kCommandAdvertDelay = milliseconds(1500);

/// Tells the others who we are: at the start, by two timers, and when asked to.
///
/// The timers run from when they were last restarted; a changed interval counts from restart_…()
/// on, and a timer that runs fires once more even if its interval was set to 0 behind its back, as
/// in the reference. A flood restarts the local timer too: it reaches the neighbours as well.
/// Context: the node's executor. Memory: in place.
class Adverts {
 public:
  struct World {
    async::Executor& executor;
    const mesh::Identity& identity;
    const Preferences& preferences;
    const mesh::RegionTable& regions;
    const WallClock& clock;
    OwnPackets& out;
  };

  explicit Adverts(const World& world) : world_(world), timer_(world.executor, *this) {}

  void start();
  void stop();
  void restart_local();
  void restart_flood();

  /// Dated now, sent after `delay`.
  void send(Reach reach, Duration delay);

 private:
  struct Next : async::Timer {
    Next(async::Executor& executor, Adverts& of) : Timer(executor, &fired), adverts(of) {}
    static void fired(Timer& timer, const async::TimerContext& context);
    Adverts& adverts;
  };

  void arm();
  void on_time(Time now);

  const World world_;
  Time local_due_ = kNever;
  Time flood_due_ = kNever;
  Next timer_;
};

}  // namespace chappe::node
