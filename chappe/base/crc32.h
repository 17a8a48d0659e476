#pragma once

#include <cstdint>

#include "chappe/base/bytes.h"

namespace chappe {

/// The CRC-32 of Ethernet and zip, bit by bit: for records that are read and written now and then.
constexpr std::uint32_t crc32(Bytes bytes) {
  std::uint32_t sum = 0xffffffff;
  for (const std::uint8_t byte : bytes) {
    sum ^= byte;
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ ((sum & 1) != 0 ? 0xedb88320u : 0u);
  }
  return ~sum;
}

}  // namespace chappe
