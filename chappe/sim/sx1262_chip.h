#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "chappe/async/executor.h"
#include "chappe/async/timer.h"
#include "chappe/base/bytes.h"
#include "chappe/radio/modulation.h"
#include "chappe/radio/sx126x/bus.h"
#include "chappe/sim/air.h"
#include "chappe/sim/sx1262_fault.h"

namespace chappe::sim {

/// The board around the chip.
struct ChipBoard {
  std::uint32_t spi_hz = 2'000'000;
  bool has_tcxo = false;        // fed by DIO3; else a crystal
  bool has_power_line = false;  // the host can cut the supply
  Dbm noise{-119 * 4};          // what the receiver reads when nobody sends
};

/// An SX1262 at register level, with an antenna in an invented air.
///
/// It takes bytes over SPI, answers with bytes, raises BUSY and DIO1, and refuses what the chip
/// refuses. What it sends is what its registers say, so that a wrong coding rate, preamble or sync
/// word is visible on the air. What a real chip would suffer in silence it writes down: see
/// complaints(). Written from the data sheet alone (SX1261/2 rev. 1.2), with nothing of the driver.
///
/// Context: one executor's tasks and timers. Memory: grows with complaints and, if kept, the trace.
class Sx1262Chip final : public radio::sx126x::Bus, private Antenna {
 public:
  enum class Mode : std::uint8_t {
    off,
    starting,
    sleep,
    standby_rc,
    standby_xosc,
    fs,
    rx,
    tx,
    cad
  };

  struct Transaction {
    Time at{};
    std::vector<std::uint8_t> out;
    std::vector<std::uint8_t> in;
  };

  Sx1262Chip(async::Executor& executor, Air& air, const ChipBoard& board = {});
  Sx1262Chip(const Sx1262Chip&) = delete;
  Sx1262Chip& operator=(const Sx1262Chip&) = delete;
  ~Sx1262Chip();

  // The wires.
  async::Task<radio::sx126x::BusStatus> transfer(std::span<std::uint8_t> bytes) override;
  async::Task<bool> wait_ready(Time deadline) override;
  bool busy() noexcept override;
  bool dio1() noexcept override;
  void set_reset(bool held) noexcept override;
  void set_antenna(radio::sx126x::AntennaSwitch position) noexcept override { antenna_ = position; }
  bool set_power(bool on) noexcept override;
  void listen(radio::sx126x::Dio1Listener* listener) noexcept override { listener_ = listener; }

  // --- Faults.
  void plan(const FaultPlan& plan) { plans_.push_back(plan); }
  /// Strikes now.
  void strike(const FaultPlan& plan);
  /// When the last fault that was struck has ended; Time{} if there was none.
  Time faults_end() const { return faults_end_; }
  std::uint64_t strike_count() const { return strikes_; }

  // --- What can be seen from outside, and a host never sees.
  StationId station() const { return station_; }
  Mode mode() const { return mode_; }
  /// Receives for ever, tuned to `modulation` with the private sync word, tells of RX_DONE by DIO1.
  bool listens_to(const radio::Modulation& modulation);
  bool is_keyed() const { return air_.is_radiating(station_); }
  /// How long it was able to receive.
  Duration receive_time();
  std::uint64_t transaction_count() const { return transactions_; }
  const std::vector<std::string>& complaints() const { return complaints_; }
  const Fates& fates() const { return air_.fates(station_); }
  std::uint8_t register_at(std::uint16_t address) const {
    return registers_[address & kAddressMask];
  }
  radio::sx126x::AntennaSwitch antenna() const { return antenna_; }
  bool dio2_level() const { return dio2_switch_ && mode_ == Mode::tx; }
  radio::Modulation modulation() const;
  /// What the amplifier's settings radiate, in dBm.
  int power_dbm() const;
  bool image_is_calibrated() const;

  void keep_trace() { keeps_trace_ = true; }
  const std::vector<Transaction>& trace() const { return trace_; }

 private:
  static constexpr std::uint16_t kAddressMask = 0x0fff;

  template <void (Sx1262Chip::*What)()>
  struct Alarm : async::Timer {
    explicit Alarm(Sx1262Chip& of) : Timer(of.executor_, &fired), chip(of) {}
    static void fired(Timer& timer, const async::TimerContext&) {
      (static_cast<Alarm&>(timer).chip.*What)();
    }
    Sx1262Chip& chip;
  };

  // Antenna.
  bool on_frame(const radio::Frame& frame) noexcept override;
  void on_arriving(const Link& link, Time from, Time to) noexcept override;
  void on_radiated(Time keyed, Duration airtime) noexcept override;

  void power_on_reset();
  void set_mode(Mode mode);
  void enter_standby(Mode mode);
  void fall_back();
  bool start_oscillator();
  Duration oscillator_delay() const;
  void busy_for(Duration span);

  void execute(Bytes command);
  void answer(Bytes command, std::span<std::uint8_t> in) const;
  void fail() { command_status_ = 5; }
  std::uint8_t status() const;

  void write_registers(std::uint16_t address, Bytes values);
  void set_tx(std::uint32_t timeout);
  void set_rx(std::uint32_t timeout);
  void set_cad();
  void calibrate(std::uint8_t what);

  void key();
  void finish_tx();
  Time locks_until() const;
  void expect_lock();
  void timer_ran_out();
  void cad_ended();
  void preamble_found();
  void header_found();
  void tell_edge_late();
  void storm();
  void start_again();

  void latch(std::uint16_t irq);
  void update_dio1();
  void tell_edge();
  void store_packet(Bytes packet);
  void complain(const char* what);
  bool struck(ChipFault fault) const;

  async::Executor& executor_;
  Air& air_;
  const ChipBoard board_;
  const StationId station_;
  radio::sx126x::Dio1Listener* listener_ = nullptr;
  radio::sx126x::AntennaSwitch antenna_ = radio::sx126x::AntennaSwitch::off;

  Mode mode_ = Mode::off;
  Time busy_until_{};
  bool reset_held_ = false;
  bool powered_ = true;
  std::uint8_t command_status_ = 1;
  std::uint16_t errors_ = 0;
  std::uint16_t irq_ = 0;
  std::uint16_t irq_mask_ = 0;
  std::uint16_t dio1_mask_ = 0;
  bool dio1_level_ = false;
  std::array<std::uint8_t, kAddressMask + 1> registers_{};
  std::array<std::uint8_t, 256> buffer_{};

  bool packet_type_set_ = false;
  bool tcxo_set_ = false;
  Duration tcxo_delay_{};
  bool dio2_switch_ = false;
  std::uint32_t frf_ = 0;
  std::array<std::uint8_t, 4> modulation_params_{};
  std::array<std::uint8_t, 6> packet_params_{};
  bool modulation_set_ = false;
  bool packet_params_set_ = false;
  std::array<std::uint8_t, 7> cad_params_{};
  std::array<std::uint8_t, 4> pa_config_{};
  std::int8_t power_ = 0;
  Duration ramp_{};
  std::uint8_t fallback_ = 0x20;
  std::uint8_t tx_base_ = 0;
  std::uint8_t rx_base_ = 0;
  std::uint8_t rx_write_ = 0;  // where the next packet goes
  std::uint8_t rx_start_ = 0;
  std::uint8_t rx_length_ = 0;
  std::array<std::uint8_t, 3> packet_status_{};
  std::uint8_t image_low_ = 0xe1;
  std::uint8_t image_high_ = 0xe9;

  bool rx_continuous_ = false;
  Time rx_since_ = kNever;  // able to receive since then
  Duration rx_total_{};
  Time cad_from_{};
  // The last frame that began and could be received.
  struct Arriving {
    Time from{};
    Time to{};
    Dbm rssi{};
  };
  Arriving arriving_;
  std::uint32_t tx_timeout_ = 0;
  Time image_done_{};

  Alarm<&Sx1262Chip::key> keying_{*this};
  Alarm<&Sx1262Chip::timer_ran_out> timer_{*this};
  Alarm<&Sx1262Chip::cad_ended> cad_{*this};
  Alarm<&Sx1262Chip::preamble_found> preamble_{*this};
  Alarm<&Sx1262Chip::header_found> header_{*this};
  Alarm<&Sx1262Chip::finish_tx> late_done_{*this};
  Alarm<&Sx1262Chip::tell_edge_late> late_edge_{*this};
  Alarm<&Sx1262Chip::storm> storm_{*this};
  Alarm<&Sx1262Chip::start_again> restart_{*this};

  std::vector<FaultPlan> plans_;
  std::array<Time, kChipFaultCount> struck_until_{};
  std::optional<std::uint16_t> flip_;
  Time faults_end_{};
  std::uint64_t strikes_ = 0;
  std::uint64_t transactions_ = 0;
  std::vector<std::string> complaints_;
  bool keeps_trace_ = false;
  std::vector<Transaction> trace_;
};

}  // namespace chappe::sim
