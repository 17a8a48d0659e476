#include "chappe/radio/sx126x/commands.h"

#include <algorithm>
#include <array>

namespace chappe::radio::sx126x {
namespace {

Command bytes(std::initializer_list<int> values) {
  Command command;
  for (const int value : values) command.append(static_cast<std::uint8_t>(value));
  return command;
}

constexpr int high(std::uint32_t word) {
  return static_cast<int>(word >> 8 & 0xff);
}
constexpr int low(std::uint32_t word) {
  return static_cast<int>(word & 0xff);
}

// Datasheet 1.2, table 13-21, and RadioLib's for what it leaves out: the amplifier's shape for a
// power, and the number that then goes into SetTxParams.
struct Amplifier {
  std::int8_t up_to_dbm;
  std::uint8_t duty;
  std::uint8_t hp_max;
  std::int8_t full_dbm;  // what this shape radiates when told its most
  std::int8_t told_dbm;  // and that most
};
constexpr std::array<Amplifier, 4> kHighPower = {
    {{14, 2, 2, 14, 22}, {17, 2, 3, 17, 22}, {20, 3, 5, 20, 22}, {22, 4, 7, 22, 22}}};
constexpr std::array<Amplifier, 3> kLowPower = {
    {{10, 1, 0, 10, 13}, {14, 4, 0, 14, 14}, {15, 6, 0, 15, 14}}};
constexpr std::int8_t kHighPowerMin = -9;
constexpr std::int8_t kLowPowerMin = -17;

const Amplifier& amplifier(ChipKind chip, std::int8_t dbm) {
  const auto fits = [dbm](const Amplifier& each) { return dbm <= each.up_to_dbm; };
  if (chip == ChipKind::sx1261) {
    const auto found = std::ranges::find_if(kLowPower, fits);
    return found != kLowPower.end() ? *found : kLowPower.back();
  }
  const auto found = std::ranges::find_if(kHighPower, fits);
  return found != kHighPower.end() ? *found : kHighPower.back();
}

}  // namespace

Command set_standby(Standby standby) {
  return bytes({0x80, standby == Standby::xosc ? 1 : 0});
}
Command set_sleep_warm() {
  return bytes({0x84, 0x04});
}
Command set_tx(Duration timeout) {
  const std::uint32_t steps = chip_steps(timeout);
  return bytes({0x83, low(steps >> 16), high(steps), low(steps)});
}
Command set_rx_continuous() {
  return bytes({0x82, 0xff, 0xff, 0xff});
}
Command set_cad() {
  return bytes({0xc5});
}
Command set_regulator(Regulator regulator) {
  return bytes({0x96, regulator == Regulator::dc_dc ? 1 : 0});
}
Command calibrate_all() {
  return bytes({0x89, 0x7f});
}
Command calibrate_image(Hertz frequency) {
  const auto [from, to] = image_band(frequency);
  return bytes({0x98, from, to});
}

Command set_pa_config(ChipKind chip, std::int8_t dbm) {
  const Amplifier& shape = amplifier(chip, dbm);
  const int device = chip == ChipKind::sx1261 ? 1 : 0;
  return bytes({0x95, shape.duty, shape.hp_max, device, 1});
}

Command set_tx_params(ChipKind chip, std::int8_t dbm) {
  const Amplifier& shape = amplifier(chip, dbm);
  const std::int8_t least = chip == ChipKind::sx1261 ? kLowPowerMin : kHighPowerMin;
  const int told = std::clamp<int>(dbm - shape.full_dbm + shape.told_dbm, least, shape.told_dbm);
  constexpr int kRamp200us = 4;
  return bytes({0x8e, low(static_cast<std::uint32_t>(told)), kRamp200us});
}

// SetPaConfig overwrites it, so it comes after. 140 and 60 mA, in steps of 2.5.
Command set_overcurrent(ChipKind chip) {
  return write_register(reg::kOvercurrent, chip == ChipKind::sx1261 ? 0x18 : 0x38);
}

Command set_fallback_xosc() {
  return bytes({0x93, 0x30});
}
Command write_register(std::uint16_t address, std::uint8_t value) {
  return bytes({0x0d, high(address), low(address), value});
}
Command write_sync_word() {
  return bytes({0x0d, high(reg::kSyncWord), low(reg::kSyncWord), high(kSyncWord), low(kSyncWord)});
}
Command read_register(std::uint16_t address, std::size_t count) {
  Command command = bytes({0x1d, high(address), low(address), 0});
  command.resize(command.size() + count);
  return command;
}
Command set_dio_irq(std::uint16_t latched, std::uint16_t on_dio1) {
  return bytes({0x08, high(latched), low(latched), high(on_dio1), low(on_dio1), 0, 0, 0, 0});
}
Command get_irq() {
  return bytes({0x12, 0, 0, 0});
}
Command clear_irq(std::uint16_t seen) {
  return bytes({0x02, high(seen), low(seen)});
}
Command set_dio2_switch(Dio2 dio2) {
  return bytes({0x9d, dio2 == Dio2::antenna_switch ? 1 : 0});
}
Command set_tcxo(TcxoVoltage voltage, Duration start) {
  const std::uint32_t steps = chip_steps(start);
  return bytes({0x97, static_cast<int>(voltage), low(steps >> 16), high(steps), low(steps)});
}
Command set_frequency(Hertz frequency) {
  const std::uint32_t word = frequency_word(frequency);
  return bytes({0x86, low(word >> 24), low(word >> 16), high(word), low(word)});
}
Command set_packet_type_lora() {
  return bytes({0x8a, 1});
}
Command get_packet_type() {
  return bytes({0x11, 0, 0});
}
Command set_modulation(const Modulation& modulation) {
  return bytes({0x8b,
                modulation.spreading,
                bandwidth_code(modulation.bandwidth),
                modulation.coding - 4,
                modulation.optimised() ? 1 : 0});
}
Command set_packet(const Modulation& modulation, std::size_t length) {
  return bytes({0x8c,
                high(modulation.preamble),
                low(modulation.preamble),
                modulation.header == Header::implicit ? 1 : 0,
                static_cast<int>(length),
                modulation.crc == PayloadCrc::on ? 1 : 0,
                0});
}

// AN1200.48, table 43: symbols and the peak that counts as one. It gives nothing below SF 7 and for
// SF 12: the nearest.
Command set_cad_params(std::uint8_t spreading) {
  constexpr int kDetectMin = 10;
  constexpr int kCadOnly = 0;
  const bool few = cad_symbols(spreading) == 2;
  const int peak = spreading <= 8 ? 22 : spreading == 9 ? 23 : spreading == 10 ? 24 : 25;
  return bytes({0x88, few ? 1 : 2, peak, kDetectMin, kCadOnly, 0, 0, 0});
}
Command set_buffer_bases() {
  return bytes({0x8f, 0, 0});
}
Command get_status() {
  return bytes({0xc0, 0});
}
Command get_rssi() {
  return bytes({0x15, 0, 0});
}
Command get_rx_buffer() {
  return bytes({0x13, 0, 0, 0});
}
Command get_packet_status() {
  return bytes({0x14, 0, 0, 0, 0});
}
Command get_device_errors() {
  return bytes({0x17, 0, 0, 0});
}
Command clear_device_errors() {
  return bytes({0x07, 0, 0});
}

std::uint32_t frequency_word(Hertz frequency) {
  constexpr std::uint64_t kCrystal = 32'000'000;
  const std::uint64_t scaled = std::uint64_t{frequency.count} << 25;
  return static_cast<std::uint32_t>((scaled + kCrystal / 2) / kCrystal);
}

// Datasheet 1.2, table 13-48.
std::uint8_t bandwidth_code(Bandwidth bandwidth) {
  switch (bandwidth.chip().count()) {
    case 128:
      return 0x00;
    case 96:
      return 0x08;
    case 64:
      return 0x01;
    case 48:
      return 0x09;
    case 32:
      return 0x02;
    case 24:
      return 0x0a;
    case 16:
      return 0x03;
    case 8:
      return 0x04;
    case 4:
      return 0x05;
    default:
      return 0x06;
  }
}

// Datasheet 1.2, table 9-2. Between the bands: the 4 MHz around the frequency, both ends odd as
// the listed ones are, because others were seen to be refused.
std::pair<std::uint8_t, std::uint8_t> image_band(Hertz frequency) {
  const std::uint32_t mhz = frequency.count / 1'000'000;
  if (mhz >= 430 && mhz <= 440) return {0x6b, 0x6f};
  if (mhz >= 470 && mhz <= 510) return {0x75, 0x81};
  if (mhz >= 779 && mhz <= 787) return {0xc1, 0xc5};
  if (mhz >= 863 && mhz <= 870) return {0xd7, 0xdb};
  if (mhz >= 902 && mhz <= 928) return {0xe1, 0xe9};
  const std::uint32_t below = (mhz / 4 - 1) | 1;
  const std::uint32_t above = (mhz / 4 + 1) | 1;
  return {static_cast<std::uint8_t>(below), static_cast<std::uint8_t>(above)};
}

std::uint16_t cad_symbols(std::uint8_t spreading) {
  return spreading <= 8 ? 2 : 4;
}

// AN1200.48, tables 36 to 41: the symbols looked at, and 0.6 of one and a little for thinking.
Duration cad_lasts(const Modulation& modulation) {
  const int hundredths = 100 * cad_symbols(modulation.spreading) + 60 +
                         5 * (std::max<int>(modulation.spreading, 7) - 7);
  return modulation.symbol() * hundredths / 100;
}

std::uint32_t chip_steps(Duration span) {
  constexpr std::int64_t kMost = 0xfffffe;
  return static_cast<std::uint32_t>(std::min((in_us(span) * 64 + 999) / 1000, kMost));
}

}  // namespace chappe::radio::sx126x
