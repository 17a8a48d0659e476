#pragma once

#include <cstdint>
#include <span>

#include "chappe/async/task.h"
#include "chappe/base/units.h"

namespace chappe::radio::sx126x {

enum class BusStatus : std::uint8_t {
  ok,
  failed,  // the host's own SPI controller says so; what the chip heard of it is unknown
};

/// What the host's lines to the antenna switch do: TXEN and RXEN, where a board has them. Boards
/// whose switch hangs on the chip's DIO2 have none, and this does nothing.
enum class AntennaSwitch : std::uint8_t { off, receive, transmit };

/// Told when DIO1 rises.
class Dio1Listener {
 public:
  /// `at`: when it rose, as exactly as the host knows. Context: any, interrupts included.
  virtual void on_dio1(Time at) noexcept = 0;

 protected:
  ~Dio1Listener() = default;
};

/// The wires between a host and one SX126x: SPI, BUSY, DIO1, NRST and what a board adds.
///
/// A driver awaits what takes time, so that each host does it in its own way: Linux blocks the
/// radio's own thread and returns at once, a microcontroller sleeps until its interrupt, a model
/// lets virtual time pass. Context: tasks of the radio's executor, one at a time.
class Bus {
 public:
  /// One transaction: NSS low, `bytes` out and replaced by what came in, NSS high. At most 258
  /// bytes: two of header and a whole buffer. Mode 0, most significant bit first. It does not look
  /// at BUSY. `bytes` must outlive the call.
  virtual async::Task<BusStatus> transfer(std::span<std::uint8_t> bytes) = 0;

  /// Returns true as soon as BUSY is low, at least 600 ns after the last transaction; false if it
  /// is still high at `deadline`. Nearly always some microseconds: spinning is right at first.
  virtual async::Task<bool> wait_ready(Time deadline) = 0;

  /// Levels, now.
  virtual bool busy() noexcept = 0;
  virtual bool dio1() noexcept = 0;

  /// NRST: true pulls it low, and the chip is in reset; false lets it go.
  virtual void set_reset(bool held) noexcept = 0;

  virtual void set_antenna(AntennaSwitch position) noexcept = 0;

  /// The line that feeds the radio module, where the host has one. False: there is none.
  virtual bool set_power(bool on) noexcept = 0;

  /// Who is told of rising edges of DIO1 from now on; null: nobody. A level that is high already is
  /// no edge: look at dio1() afterwards.
  virtual void listen(Dio1Listener* listener) noexcept = 0;

 protected:
  ~Bus() = default;
};

}  // namespace chappe::radio::sx126x
