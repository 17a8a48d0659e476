#pragma once

#include <cstdint>
#include <optional>

#include "chappe/base/units.h"

namespace chappe::radio::sx126x {

enum class ChipKind : std::uint8_t { sx1261, sx1262, sx1268 };

/// What DIO3 feeds a temperature compensated oscillator with. The numbers are the command's.
enum class TcxoVoltage : std::uint8_t { v1_6, v1_7, v1_8, v2_2, v2_4, v2_7, v3_0, v3_3 };

/// Which converter feeds the chip's core.
enum class Regulator : std::uint8_t { ldo, dc_dc };

enum class RxGain : std::uint8_t { power_saving, boosted };

/// Whether DIO2 throws the antenna switch by itself.
enum class Dio2 : std::uint8_t { unused, antenna_switch };

/// The undocumented register 0x08B5, bit 0: better reception on some modules.
enum class RxPatch : std::uint8_t { off, on };

/// When to look for others by channel activity detection, which is deaf for everything else.
enum class Sensing : std::uint8_t {
  when_unsure,  // not if the receiver has listened without a break for the longest frame there is:
                // then it has seen every preamble that could still be under way
  always,
};

/// What there is around the chip, and how it is to be run.
struct Board {
  ChipKind chip = ChipKind::sx1262;
  std::optional<TcxoVoltage> tcxo{};      // none: a crystal
  Duration tcxo_start = milliseconds(5);  // until it is steady
  Dio2 dio2 = Dio2::antenna_switch;
  Regulator regulator = Regulator::dc_dc;
  RxGain gain = RxGain::boosted;
  RxPatch patch = RxPatch::off;
  std::int8_t power_dbm = 22;
  Sensing sensing = Sensing::when_unsure;
};

}  // namespace chappe::radio::sx126x
