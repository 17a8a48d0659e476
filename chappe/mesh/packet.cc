#include "chappe/mesh/packet.h"

#include <array>

#include "chappe/base/check.h"

namespace chappe::mesh {

std::string_view to_string(ParseError error) {
  switch (error) {
    case ParseError::truncated:
      return "truncated";
    case ParseError::unsupported_version:
      return "unsupported_version";
    case ParseError::reserved_path_mode:
      return "reserved_path_mode";
    case ParseError::path_too_long:
      return "path_too_long";
    case ParseError::payload_too_big:
      return "payload_too_big";
  }
  return "?";
}

std::string_view to_string(Route route) {
  static constexpr std::array<std::string_view, 4> kNames = {
      "TRANSPORT_FLOOD", "FLOOD", "DIRECT", "TRANSPORT_DIRECT"};
  return kNames[static_cast<std::size_t>(route)];
}

std::string_view to_string(PayloadType type) {
  static constexpr std::array<std::string_view, 16> kNames = {"REQ",
                                                              "RESPONSE",
                                                              "TXT_MSG",
                                                              "ACK",
                                                              "ADVERT",
                                                              "GRP_TXT",
                                                              "GRP_DATA",
                                                              "ANON_REQ",
                                                              "PATH",
                                                              "TRACE",
                                                              "MULTIPART",
                                                              "CONTROL",
                                                              "TYPE_12",
                                                              "TYPE_13",
                                                              "TYPE_14",
                                                              "RAW_CUSTOM"};
  return kNames[static_cast<std::size_t>(type)];
}

Result<Packet, ParseError> parse(Bytes frame) {
  // The version comes first: nothing behind it can be believed if we do not know it.
  if (!frame.empty() && frame[0] >> 6 != 0) return Unexpected(ParseError::unsupported_version);
  return parse_any_version(frame);
}

Result<Packet, ParseError> parse_any_version(Bytes frame) {
  if (frame.empty()) return Unexpected(ParseError::truncated);
  const std::uint8_t header = frame[0];
  Packet packet;
  packet.version = header >> 6;
  packet.route = static_cast<Route>(header & 3);
  packet.type = static_cast<PayloadType>(header >> 2 & 15);
  std::size_t at = 1;
  if (packet.has_codes()) {
    if (frame.size() < at + 4) return Unexpected(ParseError::truncated);
    packet.codes = {le16(frame.subspan(at)), le16(frame.subspan(at + 2))};
    at += 4;
  }
  if (frame.size() < at + 1) return Unexpected(ParseError::truncated);
  const std::uint8_t path_len = frame[at++];
  if (path_len >> 6 == 3) return Unexpected(ParseError::reserved_path_mode);
  packet.hash_size = static_cast<std::uint8_t>((path_len >> 6) + 1);
  packet.hop_count = path_len & 63;
  const std::size_t path_size = std::size_t{packet.hash_size} * packet.hop_count;
  if (path_size > kPathMax) return Unexpected(ParseError::path_too_long);
  if (path_size > frame.size() - at) return Unexpected(ParseError::truncated);
  packet.path = frame.subspan(at, path_size);
  packet.payload = frame.subspan(at + path_size);
  if (packet.payload.size() > kPayloadMax) return Unexpected(ParseError::payload_too_big);
  return packet;
}

namespace {

// The one place that lays out a frame; everything forwarded passes here, so it copies once.
FrameBytes laid_out(const Packet& packet, Bytes hop) {
  const std::size_t hops = packet.hop_count + (hop.empty() ? 0U : 1U);
  CHAPPE_CHECK(packet.version <= 3);
  CHAPPE_CHECK(packet.hash_size >= 1 && packet.hash_size <= 3);
  CHAPPE_CHECK(hops <= kHopsMax);
  CHAPPE_CHECK(packet.path.size() + hop.size() == packet.hash_size * hops);
  CHAPPE_CHECK(packet.path.size() + hop.size() <= kPathMax);
  CHAPPE_CHECK(packet.payload.size() <= kPayloadMax);
  FrameBytes frame;
  frame.append(packet.header_byte());
  if (packet.has_codes()) {
    frame.append_le16(packet.codes.scope);
    frame.append_le16(packet.codes.reserved);
  }
  frame.append(static_cast<std::uint8_t>((packet.hash_size - 1U) << 6 | hops));
  frame.append(packet.path);
  frame.append(hop);
  frame.append(packet.payload);
  return frame;
}

}  // namespace

FrameBytes write(const Packet& packet) {
  return laid_out(packet, {});
}

FrameBytes write_with_hop(const Packet& packet, Bytes hop) {
  return laid_out(packet, hop);
}

}  // namespace chappe::mesh
