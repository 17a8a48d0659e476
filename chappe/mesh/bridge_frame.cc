#include "chappe/mesh/bridge_frame.h"

#include "chappe/base/check.h"

namespace chappe::mesh {
namespace {

constexpr std::uint8_t kMagic[] = {0xc0, 0x3e};

constexpr std::uint16_t be16(Bytes bytes) {
  return static_cast<std::uint16_t>(bytes[0] << 8 | bytes[1]);
}

template <std::size_t Capacity>
void append_be16(ByteBuffer<Capacity>& out, std::uint16_t word) {
  out.append(static_cast<std::uint8_t>(word >> 8));
  out.append(static_cast<std::uint8_t>(word));
}

bool has_magic(Bytes bytes) {
  return bytes.size() >= 2 && bytes[0] == kMagic[0] && bytes[1] == kMagic[1];
}

std::uint8_t mask(std::string_view secret, std::size_t at) {
  return secret.empty() ? 0 : static_cast<std::uint8_t>(secret[at % secret.size()]);
}

}  // namespace

std::uint16_t fletcher16(Bytes bytes) {
  unsigned sum = 0;
  unsigned sum_of_sums = 0;
  for (const std::uint8_t byte : bytes) {
    sum = (sum + byte) % 255;
    sum_of_sums = (sum_of_sums + sum) % 255;
  }
  return static_cast<std::uint16_t>(sum_of_sums << 8 | sum);
}

WireFrame write_wire_frame(Bytes packet) {
  CHAPPE_CHECK(packet.size() <= kBridgedMax);
  WireFrame frame{Bytes(kMagic)};
  append_be16(frame, static_cast<std::uint16_t>(packet.size()));
  frame.append(packet);
  append_be16(frame, fletcher16(packet));
  return frame;
}

std::optional<Bytes> parse_wire_frame(Bytes bytes) {
  if (!has_magic(bytes) || bytes.size() < 4) return std::nullopt;
  const std::size_t size = be16(bytes.subspan(2));
  if (size == 0 || size > kBridgedMax || bytes.size() < 4 + size + 2) return std::nullopt;
  const Bytes packet = bytes.subspan(4, size);
  if (fletcher16(packet) != be16(bytes.subspan(4 + size))) return std::nullopt;
  return packet;
}

EspNowFrame write_espnow_frame(Bytes packet, std::string_view secret) {
  CHAPPE_CHECK(packet.size() <= kEspNowMax);
  EspNowFrame frame{Bytes(kMagic)};
  append_be16(frame, fletcher16(packet));
  frame.append(packet);
  for (std::size_t at = 2; at < frame.size(); ++at) frame[at] ^= mask(secret, at - 2);
  return frame;
}

std::optional<ByteBuffer<kEspNowMax>> parse_espnow_frame(Bytes frame, std::string_view secret) {
  if (!has_magic(frame) || frame.size() < 5 || frame.size() > EspNowFrame::capacity()) {
    return std::nullopt;
  }
  EspNowFrame plain(frame);
  for (std::size_t at = 2; at < plain.size(); ++at) plain[at] ^= mask(secret, at - 2);
  const Bytes packet = plain.view().subspan(4);
  if (fletcher16(packet) != be16(plain.view().subspan(2))) return std::nullopt;
  return ByteBuffer<kEspNowMax>(packet);
}

}  // namespace chappe::mesh
