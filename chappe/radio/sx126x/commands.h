#pragma once

#include <cstdint>
#include <utility>

#include "chappe/base/bytes.h"
#include "chappe/radio/modulation.h"
#include "chappe/radio/sx126x/board.h"

namespace chappe::radio::sx126x {

/// One transaction's bytes, but for those of a buffer.
using Command = ByteBuffer<16>;

// Interrupt flags: SX1261/2 datasheet 1.2, table 13-29.
namespace irq {
inline constexpr std::uint16_t kTxDone = 0x0001;
inline constexpr std::uint16_t kRxDone = 0x0002;
inline constexpr std::uint16_t kPreambleDetected = 0x0004;
inline constexpr std::uint16_t kHeaderValid = 0x0010;
inline constexpr std::uint16_t kHeaderError = 0x0020;
inline constexpr std::uint16_t kCrcError = 0x0040;
inline constexpr std::uint16_t kCadDone = 0x0080;
inline constexpr std::uint16_t kCadDetected = 0x0100;
inline constexpr std::uint16_t kTimeout = 0x0200;

/// What is latched: everything the driver ever asks for.
inline constexpr std::uint16_t kLatched = kTxDone | kRxDone | kPreambleDetected | kHeaderValid |
                                          kHeaderError | kCrcError | kCadDone | kCadDetected |
                                          kTimeout;
/// What raises DIO1: an end of something. A preamble or a header alone wakes nobody.
inline constexpr std::uint16_t kTold = kTxDone | kRxDone | kHeaderError | kCadDone | kTimeout;
}  // namespace irq

// Addresses: datasheet 1.2, table 12-1, and 15.1 to 15.4.
namespace reg {
inline constexpr std::uint16_t kSyncWord = 0x0740;
inline constexpr std::uint16_t kTxModulation = 0x0889;
inline constexpr std::uint16_t kRxGain = 0x08ac;
inline constexpr std::uint16_t kRxPatch = 0x08b5;
inline constexpr std::uint16_t kTxClamp = 0x08d8;
inline constexpr std::uint16_t kOvercurrent = 0x08e7;
inline constexpr std::uint16_t kVersion = 0x0320;
}  // namespace reg

/// MeshCore's: the private word 0x12, as the chip spreads it over two registers.
inline constexpr std::uint16_t kSyncWord = 0x1424;

/// What the chip is doing, by its status byte: datasheet 1.2, table 13-76.
enum class ChipMode : std::uint8_t { standby_rc = 2, standby_xosc = 3, fs = 4, rx = 5, tx = 6 };

struct ChipStatus {
  std::uint8_t raw = 0;
  std::uint8_t mode() const { return raw >> 4 & 7; }
  std::uint8_t command() const { return raw >> 1 & 7; }
  bool is(ChipMode wanted) const { return mode() == static_cast<std::uint8_t>(wanted); }
  /// Nobody drives the line: no chip answers with a mode that does not exist.
  bool silent() const { return mode() < 2 || mode() == 7; }
  /// The last command was not understood, or not carried out.
  bool refused() const { return command() == 4 || command() == 5; }
};

enum class Standby : std::uint8_t { rc, xosc };

// --- Commands. Each returns what goes over the wire.

Command set_standby(Standby standby);
Command set_sleep_warm();
/// `timeout` in the chip's steps; none: no limit.
Command set_tx(Duration timeout);
Command set_rx_continuous();
Command set_cad();
Command set_regulator(Regulator regulator);
Command calibrate_all();
Command calibrate_image(Hertz frequency);
Command set_pa_config(ChipKind chip, std::int8_t dbm);
Command set_tx_params(ChipKind chip, std::int8_t dbm);
Command set_overcurrent(ChipKind chip);
/// After a frame was sent or received once the chip stays with its clock running, so that a TCXO
/// need not start again.
Command set_fallback_xosc();
Command write_register(std::uint16_t address, std::uint8_t value);
Command write_sync_word();
/// `count` bytes of answer follow the four that ask.
Command read_register(std::uint16_t address, std::size_t count);
Command set_dio_irq(std::uint16_t latched, std::uint16_t on_dio1);
Command get_irq();
Command clear_irq(std::uint16_t seen);
Command set_dio2_switch(Dio2 dio2);
Command set_tcxo(TcxoVoltage voltage, Duration start);
Command set_frequency(Hertz frequency);
Command set_packet_type_lora();
Command get_packet_type();
Command set_modulation(const Modulation& modulation);
Command set_packet(const Modulation& modulation, std::size_t length);
Command set_cad_params(std::uint8_t spreading);
Command set_buffer_bases();
Command get_status();
Command get_rssi();
Command get_rx_buffer();
Command get_packet_status();
Command get_device_errors();
Command clear_device_errors();

// --- What they are made of.

/// frequency * 2^25 / 32 MHz, to the nearest step of 0.95 Hz.
std::uint32_t frequency_word(Hertz frequency);
std::uint8_t bandwidth_code(Bandwidth bandwidth);
/// The band to calibrate the image rejection for, in units of 4 MHz.
std::pair<std::uint8_t, std::uint8_t> image_band(Hertz frequency);
/// How many symbols a channel activity detection looks at.
std::uint16_t cad_symbols(std::uint8_t spreading);
/// How long it takes from SetCad to CAD_DONE.
Duration cad_lasts(const Modulation& modulation);
/// Time in the chip's steps of 15.625 us, rounded up; at most 24 bits, the last of which means for
/// ever and is not returned.
std::uint32_t chip_steps(Duration span);
/// Quarter decibels from the chip's half ones.
constexpr Dbm rssi_from(std::uint8_t raw) {
  return Dbm{static_cast<std::int16_t>(-2 * raw)};
}

}  // namespace chappe::radio::sx126x
