#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "chappe/base/bytes.h"
#include "chappe/base/units.h"
#include "chappe/mesh/packet.h"

/// What the payload of each type holds, as views into it. A view says nothing about truth: MACs
/// and signatures are checked elsewhere.
namespace chappe::mesh {

inline constexpr std::size_t kMacSize = 2;
inline constexpr std::size_t kAckSize = 4;
// The least that the firmware looks at: hashes or key, the MAC, and one byte.
inline constexpr std::size_t kSealedMin = 2 + kMacSize + 1;
inline constexpr std::size_t kAnonymousMin = 1 + 32 + kMacSize + 1;
inline constexpr std::size_t kGroupMin = 1 + kMacSize + 1;
inline constexpr std::size_t kTraceHeader = 4 + 4 + 1;

/// REQ, RESPONSE, TXT_MSG, PATH.
struct SealedView {
  std::uint8_t target_hash = 0;
  std::uint8_t source_hash = 0;
  Bytes mac_and_ciphertext;
};
std::optional<SealedView> parse_sealed(Bytes payload);

struct AnonymousView {
  std::uint8_t target_hash = 0;
  Bytes sender;  // 32 bytes of public key
  Bytes mac_and_ciphertext;
};
std::optional<AnonymousView> parse_anonymous(Bytes payload);

/// GRP_TXT, GRP_DATA.
struct GroupView {
  std::uint8_t channel_hash = 0;
  Bytes mac_and_ciphertext;
};
std::optional<GroupView> parse_group(Bytes payload);

struct TraceView {
  std::uint32_t tag = 0;
  std::uint32_t auth_code = 0;
  std::uint8_t flags = 0;
  std::size_t hash_size = 1;  // 1, 2, 4 or 8
  Bytes hashes;               // of the nodes to visit; may end in a piece of one
};
std::optional<TraceView> parse_trace(Bytes payload);

struct MultipartView {
  std::uint8_t remaining = 0;  // further copies that follow this one
  PayloadType type = PayloadType::ack;
  Bytes inner;
};
/// Nothing below the three bytes that the firmware looks at.
std::optional<MultipartView> parse_multipart(Bytes payload);
ByteBuffer<kPayloadMax> build_multipart(std::uint8_t remaining, PayloadType type, Bytes inner);

/// Discovery (CONTROL 0x80): who is there?
struct DiscoverRequest {
  bool prefix_only = false;  // answer with eight bytes of the key
  std::uint8_t filter = 0;   // bit t: nodes of type t are meant
  std::uint32_t tag = 0;
  std::uint32_t since = 0;  // only if changed since; 0 if the field is missing
};
std::optional<DiscoverRequest> parse_discover_request(Bytes payload);

/// Its answer (CONTROL 0x90).
struct DiscoverResponse {
  std::uint8_t node_type = 0;
  std::int8_t snr_x4 = 0;  // at which the request was heard
  std::uint32_t tag = 0;
  Bytes key;  // 32 bytes, or the first 8
};
std::optional<DiscoverResponse> parse_discover_response(Bytes payload);

/// A signal-to-noise ratio as it goes on the air: quarters of a decibel in eight bits.
std::int8_t snr_x4(Decibels snr);

}  // namespace chappe::mesh
