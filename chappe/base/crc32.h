#pragma once

#include <cstdint>

#include "chappe/base/bytes.h"

namespace chappe {

/// The CRC-32 of Ethernet and zip. Small rather than fast: for records, not for streams. A longer
/// text in parts: `crc32(second, crc32(first))`.
constexpr std::uint32_t crc32(Bytes bytes, std::uint32_t before = 0) {
  std::uint32_t crc = ~before;
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320u : 0);
  }
  return ~crc;
}

}  // namespace chappe
