#include "chappe/mesh/lpp.h"

namespace chappe::mesh {
namespace {

struct LppType {
  std::uint8_t type;
  std::uint8_t count;  // of values
  std::uint8_t size;   // of each, in bytes
  bool is_signed;
  std::array<std::uint16_t, 3> divisors;
};

// ElectronicCats CayenneLPP, src/CayenneLPP.h.
constexpr LppType kTypes[] = {
    {0, 1, 1, false, {1}},                   // digital input
    {1, 1, 1, false, {1}},                   // digital output
    {2, 1, 2, true, {100}},                  // analog input
    {3, 1, 2, true, {100}},                  // analog output
    {100, 1, 4, false, {1}},                 // generic sensor
    {101, 1, 2, false, {1}},                 // luminosity, lux
    {102, 1, 1, false, {1}},                 // presence
    {kLppTemperature, 1, 2, true, {10}},     // degrees Celsius
    {104, 1, 1, false, {2}},                 // relative humidity, %
    {113, 3, 2, true, {1000, 1000, 1000}},   // accelerometer, g
    {115, 1, 2, false, {10}},                // pressure, hPa
    {kLppVoltage, 1, 2, false, {100}},       // V
    {117, 1, 2, false, {1000}},              // current, A
    {118, 1, 4, false, {1}},                 // frequency, Hz
    {120, 1, 1, false, {1}},                 // percentage
    {121, 1, 2, true, {1}},                  // altitude, m
    {125, 1, 2, false, {1}},                 // concentration, ppm
    {128, 1, 2, false, {1}},                 // power, W
    {130, 1, 4, false, {1000}},              // distance, m
    {131, 1, 4, false, {1000}},              // energy, kWh
    {132, 1, 2, false, {1}},                 // direction, degrees
    {133, 1, 4, false, {1}},                 // Unix time
    {134, 3, 2, true, {100, 100, 100}},      // gyrometer, degrees/s
    {135, 3, 1, false, {1, 1, 1}},           // colour
    {136, 3, 3, true, {10000, 10000, 100}},  // position, degrees and m
    {142, 1, 1, false, {1}},                 // switch
};

}  // namespace

std::optional<LppItem> take_lpp(Bytes& bytes) {
  if (bytes.size() < 2 || bytes[0] == 0) return std::nullopt;
  for (const LppType& known : kTypes) {
    if (known.type != bytes[1]) continue;
    if (bytes.size() < 2U + known.count * known.size) return std::nullopt;
    LppItem item;
    item.channel = bytes[0];
    item.type = known.type;
    item.count = known.count;
    item.divisors = known.divisors;
    std::size_t at = 2;
    for (std::size_t i = 0; i < known.count; ++i) {
      std::int64_t value = 0;
      for (std::size_t j = 0; j < known.size; ++j) value = value << 8 | bytes[at++];
      const std::int64_t range = std::int64_t{1} << (8 * known.size);
      if (known.is_signed && value >= range / 2) value -= range;
      item.values[i] = value;
    }
    bytes = bytes.subspan(at);
    return item;
  }
  return std::nullopt;
}

}  // namespace chappe::mesh
