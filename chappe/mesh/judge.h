#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "chappe/base/random.h"
#include "chappe/base/units.h"
#include "chappe/mesh/advert.h"
#include "chappe/mesh/packet.h"
#include "chappe/mesh/packet_hash.h"
#include "chappe/mesh/region.h"
#include "chappe/mesh/rules.h"
#include "chappe/mesh/seen_table.h"

namespace chappe::mesh {

enum class Verdict : std::uint8_t { forward, deliver, drop };

/// The one reason for a verdict. to_string() gives the names that recorded sessions use.
enum class Why : std::uint8_t {
  // forward
  flood,
  direct_next_hop,
  direct_ack,
  trace_hop,
  // deliver: handled here, never forwarded
  addressed_here_anonymous,
  addressed_here_known_client,
  path_return_stored,
  zero_hop,
  control_zero_hop,
  trace_end_of_path,
  multipart_flood_not_forwarded,
  command_halts_node,
  // drop
  parse_truncated,
  parse_unsupported_version,
  parse_reserved_path_mode,
  parse_path_too_long,
  parse_payload_too_big,
  incomplete,
  duplicate,
  bad_signature,
  own_advert,
  hop_limit,
  path_full,
  loop_detected,
  region_not_allowed,
  forwarding_disabled,
  not_next_hop,
  control_not_zero_hop,
  trace_path_full,
  multipart_not_an_ack,
  multipart_ignored,
  raw_flood_not_forwarded,
  unhandled_type,
  packet_pool_empty,  // decided by the node: no room to hold it
};
inline constexpr std::size_t kWhyCount = static_cast<std::size_t>(Why::packet_pool_empty) + 1;

std::string_view to_string(Verdict verdict);
std::string_view to_string(Why why);
Why why_of(ParseError error);

/// How a frame was heard.
struct Heard {
  Decibels snr;
  Dbm rssi;
  std::size_t length = 0;  // of the whole frame
  Time at{};
};

/// What happens to packets that are meant for this node. Defined here and not in a source file, so
/// that rooms with and without RTTI can both derive from it. The default does nothing, so that a
/// pure forwarder needs none of its own. Called from judge(), at most once per packet, after the
/// packet was recorded as seen.
class LocalDelivery {
 public:
  /// A REQ, RESPONSE, TXT_MSG, PATH or ANON_REQ whose one-byte destination hash is ours, and long
  /// enough to hold a MAC and a byte. Says why it was consumed, or nothing if nobody's key fits:
  /// one-byte hashes collide, and then it is forwarded like any other. The region is null for a
  /// direct packet and for a flood whose region we do not know.
  virtual std::optional<Why> try_handle(const Packet&, const Heard&, const Region*) {
    return std::nullopt;
  }
  /// An advert of somebody else, new and genuine.
  virtual void hear_advert(const Packet&, const Advert&, const Heard&) {}
  /// A zero-hop CONTROL: discovery.
  virtual void hear_control(const Packet&, const Heard&) {}

 protected:
  ~LocalDelivery() = default;
};

/// A frame to send, not before `delay` from now.
struct Outgoing {
  FrameBytes frame;
  Duration delay{};
  std::uint8_t priority = 0;  // 0 goes first
};

// The acknowledgement itself and its further copies; anything else is one frame.
inline constexpr std::size_t kOutgoingMax = 1 + kMultiAcksMax;

struct Judgement {
  Verdict verdict = Verdict::drop;
  Why why = Why::unhandled_type;
  const Region* region = nullptr;  // valid until the table changes
  PacketHash hash;                 // shown to people; the same for all copies
  PacketHash key;                  // what the seen table knows it by: to be forgotten, if refused

  std::span<const Outgoing> outgoing() const { return {outgoing_.data(), outgoing_count_}; }
  Outgoing& add_outgoing() { return outgoing_[outgoing_count_++]; }

 private:
  std::size_t outgoing_count_ = 0;
  std::array<Outgoing, kOutgoingMax> outgoing_;
};

/// What judging reads and writes besides the packet.
struct Context {
  const Rules& rules;
  const RegionTable& regions;
  SeenTable& seen;
  Random& random;
  LocalDelivery& local;
};

/// How long a flood is held before it is judged: the better the link, the shorter. Zero for direct
/// packets and for whatever falls below the floor of 50 ms.
Duration receive_hold(const Rules& rules,
                      const Packet& packet,
                      Decibels snr,
                      std::size_t frame_length);

/// Decides about one packet, after any hold, in the reference's order. It alone writes the seen
/// table: a packet that is dropped by a limit is remembered, one that is not meant for us to
/// forward (next hop is another) is not.
///
/// A relay that is later refused by the transmit path shall be forgotten by its `key`; that is ours
/// and not the reference's.
/// Context: the node's executor. Memory: none beyond the result.
Judgement judge(const Packet& packet, const Heard& heard, const Context& context);
/// The same with a hash that is known already (packet_hash() of this packet).
Judgement judge(const Packet& packet, PacketHash hash, const Heard& heard, const Context& context);

}  // namespace chappe::mesh
