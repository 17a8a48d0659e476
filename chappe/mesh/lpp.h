#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "chappe/base/bytes.h"

/// Cayenne LPP, the format of telemetry: channel, type, big-endian value, one item after another.
namespace chappe::mesh {

/// One measurement, in units of the type's resolution: 253 with a divisor of 10 for 25.3 degrees.
struct LppItem {
  std::uint8_t channel = 0;
  std::uint8_t type = 0;
  std::uint8_t count = 1;  // an accelerometer has three values, a position too
  std::array<std::int64_t, 3> values{};
  std::array<std::uint16_t, 3> divisors{};

  double value(std::size_t at) const { return static_cast<double>(values[at]) / divisors[at]; }
};

inline constexpr std::uint8_t kLppTemperature = 103;  // tenths of a degree
inline constexpr std::uint8_t kLppVoltage = 116;      // hundredths of a volt

/// Takes the first item off `bytes`. Nothing at the end, at a type whose size is unknown, or at an
/// item that is cut off. Zero padding reads as items of channel 0, which nobody sends.
std::optional<LppItem> take_lpp(Bytes& bytes);

/// Appends an item of a 16-bit type, as the two above are.
template <std::size_t Capacity>
void append_lpp16(ByteBuffer<Capacity>& out,
                  std::uint8_t channel,
                  std::uint8_t type,
                  std::int16_t value) {
  const auto word = static_cast<std::uint16_t>(value);
  out.append(channel);
  out.append(type);
  out.append(static_cast<std::uint8_t>(word >> 8));
  out.append(static_cast<std::uint8_t>(word));
}

}  // namespace chappe::mesh
