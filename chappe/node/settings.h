#pragma once

#include <cstddef>
#include <cstdint>

#include "chappe/base/bytes.h"
#include "chappe/base/units.h"
#include "chappe/mesh/packet.h"
#include "chappe/mesh/rules.h"
#include "chappe/mesh/seen_table.h"
#include "chappe/node/preferences.h"
#include "chappe/tx/submission.h"
#include "chappe/tx/transmitter.h"

namespace chappe::node {

enum class Mode : std::uint8_t {
  forward,  // a repeater
  monitor,  // listens, judges and reports; repeats nothing
  no_tx,    // as monitor, and sends nothing of its own either
};

enum class BootAdvert : std::uint8_t { off, on };

/// What the console does with a value out of range, or with no number at all.
enum class Ranges : std::uint8_t {
  checked,      // says so and changes nothing
  as_recorded,  // some are taken as they are, as the reference does (protocol 19, fault 4)
};

/// Copies of packets that are known.
enum class Known : std::uint8_t {
  dropped_at_radio,  // counted where they are heard, if the radio can: no wake and no event
  judged,            // like everything else, with an event each
};

/// How long a frame may wait for its turn, by what it is.
struct Expiry {
  /// Later than this a relay helps nobody: by then the mesh has other copies, or has forgotten it.
  Duration relay = seconds(60);
  /// Acknowledgements and replies, passed on or our own: who waits for one has asked again by then.
  Duration answer = seconds(30);
  /// Whatever else is our own.
  Duration local = minutes(5);
  /// Our adverts: as good in a quarter of an hour as now, and many of them are not needed.
  Duration advert = minutes(15);

  Duration of(mesh::PayloadType type, tx::Origin origin) const {
    switch (type) {
      case mesh::PayloadType::ack:
      case mesh::PayloadType::multipart:  // of acknowledgements: there are no others
      case mesh::PayloadType::response:
      case mesh::PayloadType::path_return:
        return answer;
      case mesh::PayloadType::advert:
        return origin == tx::Origin::local ? advert : relay;
      default:
        return origin == tx::Origin::local ? local : relay;
    }
  }
};

inline constexpr std::size_t kNoPool = 0;
inline constexpr std::size_t kPoolReference = 32;  // MeshCore simple_repeater at d9296435

/// What a node is told at its start. Times are spans, counted from when a frame is submitted.
struct Settings {
  Mode mode = Mode::forward;
  /// Everything judging needs but the own key and the estimates, which the node fills in.
  mesh::Rules rules;
  Preferences preferences;
  BootAdvert boot_advert = BootAdvert::off;
  Known known = Known::dropped_at_radio;
  Ranges ranges = Ranges::checked;
  tx::Policy policy;
  Expiry expiry;
  /// A flood that waits is withdrawn once so many more copies of it were heard. 0: never.
  std::uint8_t copies_enough = 0;
  std::size_t seen_capacity = mesh::kSeenMax;
  /// Frames that may be held or waiting together; a frame heard beyond that is lost. kNoPool: the
  /// tables' own bounds alone count, and better frames displace others.
  std::size_t packet_pool = kNoPool;

  /// What recorded sessions of the reference firmware assume.
  static Settings reference() {
    Settings settings;
    settings.ranges = Ranges::as_recorded;
    settings.known = Known::judged;
    settings.policy.sharing = tx::Sharing::first_come;
    settings.preferences.name = "repeater";
    settings.preferences.admin_password = "password";
    settings.expiry = {Duration::max(), Duration::max(), Duration::max(), Duration::max()};
    settings.seen_capacity = mesh::kSeenReference;
    settings.packet_pool = kPoolReference;
    return settings;
  }
};

}  // namespace chappe::node
