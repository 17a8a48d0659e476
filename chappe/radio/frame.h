#pragma once

#include <cstddef>

#include "chappe/base/bytes.h"
#include "chappe/base/units.h"

namespace chappe::radio {

inline constexpr std::size_t kFrameMax = 255;  // SX1261/2 datasheet 1.2, 13.4.6: one byte of length
using FrameBytes = ByteBuffer<kFrameMax>;

/// A frame as it was heard.
struct Frame {
  FrameBytes bytes;
  Decibels snr;
  Dbm rssi;
  Time at{};  // the end of its last symbol
};

}  // namespace chappe::radio
