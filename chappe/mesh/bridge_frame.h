#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "chappe/base/bytes.h"
#include "chappe/mesh/packet.h"

/// How two repeaters hand each other packets over something that is no LoRa (protocol 16).
namespace chappe::mesh {

inline constexpr std::size_t kBridgedMax = 256;  // bytes of a packet over a wire
inline constexpr std::size_t kEspNowMax = 246;   // bytes of a packet over ESP-NOW

/// Both sums modulo 255, the second one in the high byte.
std::uint16_t fletcher16(Bytes bytes);

using WireFrame = ByteBuffer<2 + 2 + kBridgedMax + 2>;
/// C0 3E, length, packet, checksum; length and checksum are big-endian.
WireFrame write_wire_frame(Bytes packet);
/// The packet of the frame at the very start of `bytes`, as a view into it. Nothing if there is no
/// complete one or if its checksum is wrong; a reader of a stream then looks for the next C0 3E.
std::optional<Bytes> parse_wire_frame(Bytes bytes);

using EspNowFrame = ByteBuffer<2 + 2 + kEspNowMax>;
/// C0 3E, then checksum and packet XORed with the repeated secret: enough to keep networks apart,
/// nothing more. Requires packet.size() <= kEspNowMax.
EspNowFrame write_espnow_frame(Bytes packet, std::string_view secret);
std::optional<ByteBuffer<kEspNowMax>> parse_espnow_frame(Bytes frame, std::string_view secret);

}  // namespace chappe::mesh
