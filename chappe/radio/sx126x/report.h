#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "chappe/base/units.h"
#include "chappe/radio/sx126x/time_book.h"

namespace chappe::radio::sx126x {

/// What is tried, in this order, to get a radio back. Each is more thorough than the one before.
enum class Stage : std::uint8_t {
  rearm,        // its settings once more, and listen
  standby,      // the same from standby: whatever it was doing ends
  recalibrate,  // the same after a calibration
  reset,        // the reset line, and everything anew: a new generation
  power,        // the supply line, where there is one
};
inline constexpr std::size_t kStageCount = static_cast<std::size_t>(Stage::power) + 1;

constexpr std::string_view to_string(Stage stage) {
  constexpr std::string_view kNames[kStageCount] = {
      "rearm", "standby", "recalibrate", "reset", "power"};
  return kNames[static_cast<std::size_t>(stage)];
}

/// What a driver counts. All of it only grows.
struct DriverCounters {
  // Heard.
  std::uint64_t frames = 0;         // that came through whole
  std::uint64_t known = 0;          // of these, gone no further: the filter has seen them
  std::uint64_t crossed = 0;        // of these, handed over to the house
  std::uint64_t overruns = 0;       // of these, lost: the house had not taken the ones before
  std::uint64_t crc_errors = 0;     // frames whose checksum is wrong
  std::uint64_t header_errors = 0;  // headers whose checksum is wrong
  std::uint64_t unreadable = 0;  // frames that could not be fetched, or were told of and not there
  std::uint64_t stale_signals = 0;  // preambles that nothing followed
  // Sent.
  std::uint64_t sent = 0;
  std::uint64_t never_keyed = 0;
  std::uint64_t unsure = 0;
  std::uint64_t restarted = 0;               // ended by a reset before they were keyed
  std::uint64_t late_confirmations = 0;      // TX_DONE of a transmission that had been given up
  std::uint64_t spurious_confirmations = 0;  // TX_DONE of nothing
  std::uint64_t stray_keyings = 0;           // found sending without being told, and stopped
  std::uint64_t wedges = 0;                  // the supervisor saw a frame stay out for too long
  // Interrupts.
  std::uint64_t wakes = 0;              // of the task that serves the chip
  std::uint64_t edges_for_nothing = 0;  // DIO1 rose, and no flag was set
  std::uint64_t edges_missed = 0;       // a flag was set, and DIO1 had told nothing
  std::uint64_t line_stuck = 0;         // no flag set, and DIO1 high
  // The bus.
  std::uint64_t transactions = 0;
  std::uint64_t bus_failures = 0;   // the host's controller says so
  std::uint64_t busy_timeouts = 0;  // BUSY stayed high
  std::uint64_t silences = 0;       // nobody answered
  // Recovery.
  std::array<std::uint64_t, kStageCount> stages{};  // attempts of each
  std::uint64_t recoveries = 0;                     // that ended well
  std::uint64_t alarms = 0;                         // that did not: nothing was left to try
};

/// How the radio is, at one instant. Context: any; a copy.
struct DriverReport {
  Time at{};
  TimeBook time;
  DriverCounters counters;
  std::uint32_t generation = 0;  // resets since the start, the first one not counted
  bool listening = false;
  bool alarm = false;  // nothing helped; it is tried again twice a second
  bool noise_known = false;
  Dbm noise_floor{};  // if known
  Dbm rssi{};
  Duration radiated{};  // as measured, or as long as it may have been
};

}  // namespace chappe::radio::sx126x
