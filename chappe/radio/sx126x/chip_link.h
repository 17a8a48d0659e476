#pragma once

#include <cstdint>
#include <optional>

#include "chappe/async/executor.h"
#include "chappe/radio/frame.h"
#include "chappe/radio/sx126x/bus.h"
#include "chappe/radio/sx126x/commands.h"
#include "chappe/radio/sx126x/report.h"

namespace chappe::radio::sx126x {

/// Commands over a bus: waits until the chip takes one, sends it, and notices if nobody is there.
/// Everything may fail, is counted, and changes nothing here.
/// Context: one task of the radio's executor.
class ChipLink {
 public:
  enum class Fault : std::uint8_t { none, bus, busy, silent };

  ChipLink(async::Executor& executor, Bus& bus, DriverCounters& counters)
      : executor_(executor), bus_(bus), counters_(counters) {}

  /// False: see fault().
  async::Task<bool> send(Command command);
  /// What came in, byte for byte under what went out; nothing: see fault().
  async::Task<std::optional<Command>> ask(Command command);
  async::Task<std::optional<ChipStatus>> status();

  async::Task<bool> write_buffer(Bytes frame);
  /// `out` must outlive the call.
  async::Task<bool> read_buffer(std::uint8_t start, std::size_t count, FrameBytes* out);

  /// True once BUSY is low; `patience` at most.
  async::Task<bool> ready(Duration patience);

  /// Why the last call failed.
  Fault fault() const { return fault_; }

 private:
  // The longest a sound chip keeps BUSY high is a full calibration behind a TCXO's start.
  static constexpr Duration kBusyMax = milliseconds(20);

  async::Task<bool> exchange(std::span<std::uint8_t> bytes);

  async::Executor& executor_;
  Bus& bus_;
  DriverCounters& counters_;
  Fault fault_ = Fault::none;
  // A buffer's worth, with the two or three bytes in front.
  std::array<std::uint8_t, kFrameMax + 3> wide_{};
};

}  // namespace chappe::radio::sx126x
