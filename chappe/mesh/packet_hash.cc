#include "chappe/mesh/packet_hash.h"

#include "chappe/mesh/crypto.h"

namespace chappe::mesh {
namespace {

PacketHash hash_of(PayloadType type, Bytes extra, Bytes payload) {
  const std::array<std::uint8_t, 1> first = {static_cast<std::uint8_t>(type)};
  const Digest digest = crypto::sha256(first, extra, payload);
  return {static_cast<std::uint64_t>(le32(digest)) |
          static_cast<std::uint64_t>(le32(Bytes(digest).subspan(4))) << 32};
}

}  // namespace

PacketHash packet_hash(const Packet& packet) {
  if (packet.type == PayloadType::trace) {
    // The firmware's path_len is a 16-bit field; its high byte is always zero.
    const std::array<std::uint8_t, 2> hops = {packet.path_len_byte(), 0};
    return hash_of(packet.type, hops, packet.payload);
  }
  return hash_of(packet.type, {}, packet.payload);
}

PacketHash seen_key(const Packet& packet) {
  if (packet.type != PayloadType::multipart || packet.payload.empty()) return packet_hash(packet);
  return hash_of(packet.type, {}, packet.payload.subspan(1));
}

}  // namespace chappe::mesh
