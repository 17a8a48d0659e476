#pragma once

#include <cstdint>
#include <string_view>

#include "chappe/base/bytes.h"
#include "chappe/base/list.h"
#include "chappe/base/units.h"
#include "chappe/mesh/judge.h"
#include "chappe/mesh/packet.h"
#include "chappe/tx/outcome.h"

namespace chappe::node {

/// What happened to a frame. One frame heard yields `heard`, then `judged`, and for each frame that
/// is sent because of it `sent` or `refused`. A frame of our own begins with `submitted`.
enum class EventKind : std::uint8_t { heard, judged, submitted, sent, refused };

std::string_view to_string(EventKind kind);

/// One thing that happened, at the moment it happens. Views are valid during the call only.
struct Event {
  EventKind kind = EventKind::heard;
  Time at{};
  /// Of the frame heard, or of our own submission: counts from 1, ties its events together.
  std::uint64_t id = 0;
  bool local = false;  // one of our own

  Bytes frame;                           // as heard, or as sent
  const mesh::Packet* packet = nullptr;  // the same taken apart; null if it is no packet
  mesh::PacketHash hash;                 // if packet

  Decibels snr;  // heard, judged
  Dbm rssi;      // heard, judged

  mesh::Verdict verdict = mesh::Verdict::drop;  // judged
  /// judged: the frame ended while the node was sending, so there is no verdict. Only somebody who
  /// knows what was on the air can tell of it; id is 0.
  bool not_received = false;
  std::string_view why;     // judged, refused: the reason's name
  std::string_view region;  // judged: of a scoped packet, if known

  /// heard: the hold before judging. judged: the delay of the first frame to send. sent: what it
  /// waited beyond its delay. refused: until it could legally have started, if that is known.
  Duration delay{};
  std::uint8_t priority = 0;    // judged: of the first frame to send
  Duration airtime{};           // heard, sent: of this frame
  std::uint32_t spent_ppm = 0;  // sent, refused: of the tightest airtime limit, in millionths
  Time keyed{};                 // sent: when its first symbol began
  std::uint8_t attempts = 0;    // sent
  bool forced = false;          // sent over a channel that stayed busy
  const tx::Outcome* outcome = nullptr;  // sent, refused: all of it
};

/// Somebody who is told of everything. Called in the node's executor, in order; must not wait and
/// must not submit from within the call. Its destructor ends it.
class EventListener : public ListNode {
 public:
  virtual void on_event(const Event& event) noexcept = 0;
  /// The last instant before a submission of our own is handed to the radio. Must be quick: the
  /// channel is being waited for.
  virtual void on_keying(std::uint64_t /*id*/) noexcept {}

 protected:
  ~EventListener() = default;
};

}  // namespace chappe::node
