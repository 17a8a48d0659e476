#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "chappe/base/bytes.h"
#include "chappe/base/result.h"

namespace chappe::mesh {

// MeshCore src/MeshCore.h at d9296435.
inline constexpr std::size_t kFrameMax = 255;
inline constexpr std::size_t kPayloadMax = 184;
inline constexpr std::size_t kPathMax = 64;           // bytes
inline constexpr std::size_t kHopsMax = 63;           // six bits
inline constexpr std::size_t kHeaderMax = 1 + 4 + 1;  // header, transport codes, path_len
static_assert(kHeaderMax + kPathMax + kPayloadMax <= kFrameMax);

using FrameBytes = ByteBuffer<kFrameMax>;

enum class Route : std::uint8_t {
  transport_flood = 0,
  flood = 1,
  direct = 2,
  transport_direct = 3
};

/// 12 to 14 are unassigned: they are routed like any other and understood by nobody.
enum class PayloadType : std::uint8_t {
  request = 0,
  response = 1,
  text = 2,
  ack = 3,
  advert = 4,
  group_text = 5,
  group_data = 6,
  anonymous_request = 7,
  path_return = 8,
  trace = 9,
  multipart = 10,
  control = 11,
  raw_custom = 15,
};

struct TransportCodes {
  std::uint16_t scope = 0;
  std::uint16_t reserved = 0;  // of the return region; always 0 today, forwarded unchanged
  friend constexpr bool operator==(TransportCodes, TransportCodes) = default;
};

/// A packet, taken apart. `path` and `payload` look into the frame it was parsed from (or into
/// what its builder owns) and live no longer than that: nothing is copied until it is forwarded.
///
/// Invariant after parse(): path.size() == hash_size * hop_count <= kPathMax, hash_size is 1, 2 or
/// 3, payload.size() <= kPayloadMax. A TRACE carries one signed byte per hop in `path` instead of
/// hashes; its hash_size is always 1 on a valid one.
struct Packet {
  Route route = Route::flood;
  PayloadType type = PayloadType::request;
  std::uint8_t version = 0;    // the only one in use
  std::uint8_t hash_size = 1;  // bytes per hop, chosen by the originator, kept for life
  std::uint8_t hop_count = 0;
  TransportCodes codes;  // of the transport routes only
  Bytes path;
  Bytes payload;

  constexpr bool is_flood() const {
    return route == Route::flood || route == Route::transport_flood;
  }
  constexpr bool is_direct() const { return !is_flood(); }
  constexpr bool has_codes() const {
    return route == Route::transport_flood || route == Route::transport_direct;
  }
  constexpr std::uint8_t header_byte() const {
    return static_cast<std::uint8_t>(static_cast<unsigned>(route) |
                                     static_cast<unsigned>(type) << 2 | unsigned{version} << 6);
  }
  constexpr std::uint8_t path_len_byte() const {
    return static_cast<std::uint8_t>((hash_size - 1) << 6 | hop_count);
  }
};

enum class ParseError : std::uint8_t {
  truncated,            // ends inside header, transport codes or path
  unsupported_version,  // only version 0 is in use
  reserved_path_mode,   // hash size code 3
  path_too_long,        // above 64 bytes
  payload_too_big,      // above 184 bytes
};

std::string_view to_string(ParseError error);
/// As the firmware writes it: "TRANSPORT_FLOOD".
std::string_view to_string(Route route);
/// As the firmware writes it: "GRP_TXT"; "TYPE_12" for an unassigned one.
std::string_view to_string(PayloadType type);

/// Takes a frame apart. An empty payload is accepted here: a direct packet without any is routed.
/// Context: any. Memory: none; the packet looks into `frame`.
Result<Packet, ParseError> parse(Bytes frame);
/// The same for a frame of any version, on the guess that the layout has not changed: for people
/// who look at what is dropped.
Result<Packet, ParseError> parse_any_version(Bytes frame);

/// The frame of `packet`, whose invariant must hold.
FrameBytes write(const Packet& packet);
/// The same with one hop more at the end of the path. `hop` has the packet's hash size, and there
/// must be room: below 63 hops and 64 bytes.
FrameBytes write_with_hop(const Packet& packet, Bytes hop);

}  // namespace chappe::mesh
