#include "chappe/radio/sx126x/chip_link.h"

#include <algorithm>

namespace chappe::radio::sx126x {

async::Task<bool> ChipLink::ready(Duration patience) {
  const bool ready = co_await bus_.wait_ready(executor_.now() + patience);
  if (!ready) {
    fault_ = Fault::busy;
    ++counters_.busy_timeouts;
  }
  co_return ready;
}

async::Task<bool> ChipLink::exchange(std::span<std::uint8_t> bytes) {
  const bool takes = co_await ready(kBusyMax);
  if (!takes) co_return false;
  ++counters_.transactions;
  const BusStatus done = co_await bus_.transfer(bytes);
  if (done != BusStatus::ok) {
    fault_ = Fault::bus;
    ++counters_.bus_failures;
    co_return false;
  }
  // The byte after the opcode is the chip's status, whatever was asked.
  if (bytes.size() > 1 && ChipStatus{bytes[1]}.silent()) {
    fault_ = Fault::silent;
    ++counters_.silences;
    co_return false;
  }
  co_return true;
}

async::Task<bool> ChipLink::send(Command command) {
  const std::span<std::uint8_t> wire(command.data(), command.size());
  const bool sent = co_await exchange(wire);
  co_return sent;
}

async::Task<std::optional<Command>> ChipLink::ask(Command command) {
  const std::span<std::uint8_t> wire(command.data(), command.size());
  const bool answered = co_await exchange(wire);
  if (!answered) co_return std::nullopt;
  co_return command;
}

async::Task<std::optional<ChipStatus>> ChipLink::status() {
  const std::optional<Command> answer = co_await ask(get_status());
  if (!answer) co_return std::nullopt;
  co_return ChipStatus{(*answer)[1]};
}

async::Task<bool> ChipLink::write_buffer(Bytes frame) {
  wide_[0] = 0x0e;
  wide_[1] = 0;
  std::ranges::copy(frame, wide_.begin() + 2);
  const std::span<std::uint8_t> wire(wide_.data(), frame.size() + 2);
  const bool written = co_await exchange(wire);
  co_return written;
}

async::Task<bool> ChipLink::read_buffer(std::uint8_t start, std::size_t count, FrameBytes* out) {
  std::ranges::fill(wide_, std::uint8_t{0});
  wide_[0] = 0x1e;
  wide_[1] = start;
  const std::span<std::uint8_t> wire(wide_.data(), count + 3);
  const bool read = co_await exchange(wire);
  if (read) *out = FrameBytes(Bytes(wide_).subspan(3, count));
  co_return read;
}

}  // namespace chappe::radio::sx126x
