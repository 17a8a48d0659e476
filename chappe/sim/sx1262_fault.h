#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "chappe/base/units.h"

namespace chappe::sim {

/// What can go wrong between a host and its SX1262.
enum class ChipFault : std::uint8_t {
  dio1_lost,         // rising edges are not told
  dio1_late,         // told after 30 ms
  dio1_doubled,      // told twice
  dio1_spurious,     // told without a reason
  dio1_stuck,        // the line reads high, and no edge comes
  busy_stuck,        // BUSY reads high, and the chip hears nothing
  spi_unheard,       // the host's controller fails before the first bit
  spi_reported,      // it fails after the chip has heard everything
  spi_flip_out,      // one bit on its way to the chip is inverted
  spi_flip_in,       // one bit on its way to the host is inverted
  silent,            // the chip does not answer: zeros come in, and it hears nothing
  tx_done_missing,   // the end of a transmission is never noticed, and the chip stays in TX
  tx_done_late,      // TX_DONE comes 400 ms late
  tx_done_spurious,  // TX_DONE of nothing
  brown_out,         // the supply fails: the chip is off, then starts anew with nothing set
  rx_overrun,        // a second packet lands on the first before the host has looked
  crc_storm,         // packets with a wrong checksum, one after the other
  header_storm,      // the same with wrong headers, which no RX_DONE follows
  preamble_stale,    // a preamble that nothing follows
};
inline constexpr std::size_t kChipFaultCount =
    static_cast<std::size_t>(ChipFault::preamble_stale) + 1;

constexpr std::string_view to_string(ChipFault fault) {
  constexpr std::array<std::string_view, kChipFaultCount> kNames = {"dio1_lost",
                                                                    "dio1_late",
                                                                    "dio1_doubled",
                                                                    "dio1_spurious",
                                                                    "dio1_stuck",
                                                                    "busy_stuck",
                                                                    "spi_unheard",
                                                                    "spi_reported",
                                                                    "spi_flip_out",
                                                                    "spi_flip_in",
                                                                    "silent",
                                                                    "tx_done_missing",
                                                                    "tx_done_late",
                                                                    "tx_done_spurious",
                                                                    "brown_out",
                                                                    "rx_overrun",
                                                                    "crc_storm",
                                                                    "header_storm",
                                                                    "preamble_stale"};
  return kNames[static_cast<std::size_t>(fault)];
}

/// A fault that strikes with a certain transaction: at its first bit, so that every step of what a
/// driver does can be hit.
struct FaultPlan {
  ChipFault fault{};
  std::uint64_t transaction = 0;      // counted from the chip's first one, which is 0
  Duration lasts = milliseconds(50);  // what is over at once does not mind
  std::uint16_t bit = 0;              // of a flip, modulo the bits there are
};

}  // namespace chappe::sim
