#pragma once

#include <cstdint>

#include "chappe/base/units.h"
#include "chappe/mesh/packet.h"

namespace chappe::node {

/// Bits of the status field `err`, as the reference names them (protocol 10.5).
enum class ErrorFlag : std::uint16_t {
  pool_full = 1,       // a packet of our own found no place
  busy_too_long = 2,   // the channel stayed busy up to the cap
  not_in_receive = 4,  // the radio was not listening for long
};

/// Packets of one way, by kind of route.
struct ByRoute {
  std::uint32_t flood = 0;
  std::uint32_t direct = 0;

  void count(const mesh::Packet& packet) { ++(packet.is_flood() ? flood : direct); }
};

/// What the reference counts and quotes in statistics and status replies. The books are ours and
/// complete; these are its, with its rules of what counts: 32 bits, and `clear stats` resets them.
struct Counters {
  std::uint32_t received = 0;  // frames from the radio, sound or not
  std::uint32_t sent = 0;
  ByRoute heard;             // packets, before any hold and any look for duplicates
  ByRoute sent_by;           // completed transmissions
  ByRoute duplicates;        // packets recognised as known
  std::uint16_t errors = 0;  // ErrorFlag

  // These go on for ever.
  std::uint64_t receive_airtime_ms = 0;   // of packets, by the reference's estimate
  std::uint64_t transmit_airtime_ms = 0;  // whole milliseconds of each transmission

  // Of the last frame heard; what a radio says that has heard nothing yet.
  Dbm last_rssi{-100 * 4};
  Decibels last_snr;

  void raise(ErrorFlag flag) {
    errors = static_cast<std::uint16_t>(errors | static_cast<int>(flag));
  }

  void clear() {
    received = sent = 0;
    heard = sent_by = duplicates = ByRoute{};
    errors = 0;
  }
};

}  // namespace chappe::node
