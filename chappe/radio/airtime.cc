#include "chappe/radio/airtime.h"

#include <algorithm>

#include "chappe/base/check.h"

namespace chappe::radio {
namespace {

// Symbols of a whole frame, times four: the sync word lasts 4.25 symbols (6.25 at SF 5 and 6).
// SX1261/2 datasheet 1.2, 6.1.4.
std::int64_t symbols_x4(const Modulation& modulation, std::size_t bytes, bool optimised) {
  const int spreading = modulation.spreading;
  CHAPPE_CHECK(spreading >= kSpreadingMin && spreading <= kSpreadingMax);
  const bool short_symbols = spreading <= 6;

  std::int64_t bits = 8 * static_cast<std::int64_t>(bytes) - 4 * spreading;
  if (modulation.crc == PayloadCrc::on) bits += 16;
  if (modulation.header == Header::explicit_) bits += 20;
  if (!short_symbols) bits += 8;
  bits = std::max<std::int64_t>(bits, 0);  // a tiny payload fits into the first eight symbols

  const int bits_per_block = 4 * (spreading - (optimised && !short_symbols ? 2 : 0));
  const std::int64_t blocks = (bits + bits_per_block - 1) / bits_per_block;
  return 4 * std::int64_t{modulation.preamble} + (short_symbols ? 25 : 17) + 4 * 8 +
         4 * modulation.coding * blocks;
}

}  // namespace

Duration time_on_air(const Modulation& modulation, std::size_t bytes) {
  // 2^SF is divisible by four, so nothing is cut off.
  return modulation.symbol() / 4 * symbols_x4(modulation, bytes, modulation.optimised());
}

Duration reference_airtime(const Modulation& modulation, std::size_t bytes) {
  const std::int64_t nominal_hz = modulation.bandwidth.nominal().count;
  const std::int64_t chips = std::int64_t{1} << modulation.spreading;
  const std::int64_t symbol_us = chips * 1'000'000 / nominal_hz;
  bool optimised = chips * 1000 >= 16 * nominal_hz;
  if (modulation.ldro != Ldro::automatic) optimised = modulation.ldro == Ldro::on;
  return Duration(symbol_us * symbols_x4(modulation, bytes, optimised) / 4);
}

EstimateTable reference_estimates_ms(const Modulation& modulation) {
  EstimateTable table{};
  for (std::size_t bytes = 0; bytes < table.size(); ++bytes) {
    table[bytes] = static_cast<std::uint32_t>(in_ms(reference_airtime(modulation, bytes)));
  }
  return table;
}

}  // namespace chappe::radio
