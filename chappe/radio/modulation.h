#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "chappe/base/units.h"

namespace chappe::radio {

/// A LoRa bandwidth. People and settings name it by a rounded number (7.8 kHz, 41.7 kHz); the chip
/// divides 500 kHz, so that one LoRa chip lasts a whole number of microseconds. Both are kept: the
/// exact one is the law's, the nominal one is what the reference computes its estimates with.
class Bandwidth {
 public:
  /// The bandwidth meant by `nominal`, which may be off by 1 % (7.8 or 7.81 for 7.8125 kHz).
  static constexpr std::optional<Bandwidth> from_nominal(Hertz nominal) {
    for (const std::uint16_t chip_us : kChipsUs) {
      // chip * nominal is 10^6 for an exactly named bandwidth.
      const std::int64_t product = std::int64_t{chip_us} * nominal.count;
      if (product >= 990'000 && product <= 1'010'000) return Bandwidth(nominal, chip_us);
    }
    return std::nullopt;
  }

  constexpr Bandwidth() = default;

  constexpr Hertz nominal() const { return nominal_; }
  constexpr Duration chip() const { return Duration(chip_us_); }

  friend constexpr bool operator==(Bandwidth, Bandwidth) = default;

 private:
  // SX1261/2 datasheet 1.2, 13.4.5.2: 500 kHz divided by 1, 2, 4, 8, 12, 16, 24, 32, 48, 64.
  static constexpr std::array<std::uint16_t, 10> kChipsUs = {2, 4, 8, 16, 24, 32, 48, 64, 96, 128};

  constexpr Bandwidth(Hertz nominal, std::uint16_t chip_us)
      : nominal_(nominal), chip_us_(chip_us) {}

  Hertz nominal_{62'500};
  std::uint16_t chip_us_ = 16;
};

enum class Header : std::uint8_t { explicit_, implicit };
enum class PayloadCrc : std::uint8_t { on, off };
/// Low data rate optimisation. Both ends must agree and nothing on the air tells which.
enum class Ldro : std::uint8_t { automatic, on, off };

inline constexpr std::uint8_t kSpreadingMin = 5;
inline constexpr std::uint8_t kSpreadingMax = 12;

/// MeshCore's preamble: 32 symbols where symbols are short (firmware 1.16.0 and later).
constexpr std::uint16_t preamble_for(std::uint8_t spreading) {
  return spreading <= 8 ? 32 : 16;
}

/// How a frame is sent. The defaults are MeshCore's narrow European channel.
struct Modulation {
  Hertz frequency{869'618'000};
  Bandwidth bandwidth;
  std::uint8_t spreading = 8;                // SF, 5..12
  std::uint8_t coding = 8;                   // the denominator: 5..8 for 4/5..4/8
  std::uint16_t preamble = preamble_for(8);  // symbols
  Header header = Header::explicit_;
  PayloadCrc crc = PayloadCrc::on;
  Ldro ldro = Ldro::automatic;

  constexpr Duration symbol() const { return bandwidth.chip() * (1 << spreading); }

  /// On from 16 ms a symbol. No reachable symbol lies between 12.3 and 16.384 ms, so that every
  /// implementation's rounding of this limit agrees.
  constexpr bool optimised() const {
    if (ldro != Ldro::automatic) return ldro == Ldro::on;
    return symbol() >= milliseconds(16);
  }

  friend constexpr bool operator==(const Modulation&, const Modulation&) = default;
};

}  // namespace chappe::radio
