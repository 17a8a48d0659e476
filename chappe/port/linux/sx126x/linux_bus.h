#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chappe/async/executor.h"
#include "chappe/base/result.h"
#include "chappe/port/linux/gpio_line.h"
#include "chappe/port/linux/linux_port.h"
#include "chappe/port/linux/spi_device.h"
#include "chappe/radio/sx126x/bus.h"

namespace chappe::port {

/// How a chip is wired to a Linux board.
struct Sx126xWiring {
  std::string spi = "/dev/spidev0.0";
  std::uint32_t spi_hz = 2'000'000;
  GpioPlace reset;
  GpioPlace busy;
  GpioPlace dio1;
  std::optional<GpioPlace> select;    // NSS, where the kernel does not drive it
  std::optional<GpioPlace> transmit;  // TXEN
  std::optional<GpioPlace> receive;   // RXEN
  std::vector<GpioPlace> power;       // high while the module is to have power
};

/// An SX126x behind spidev and the kernel's GPIO character device.
///
/// DIO1 is an edge that the kernel stamps and a descriptor that becomes readable: no thread polls
/// it. Calls block, for microseconds: the executor should be the radio's own. BUSY is asked for a
/// while, as it nearly always falls at once, and then looked at between sleeps.
/// Context: tasks of `executor`; the levels: any.
class LinuxBus final : public radio::sx126x::Bus {
 public:
  /// The error is a sentence that says which wire, and what to do. `port` must be the executor's.
  static Result<std::unique_ptr<LinuxBus>, std::string> open(LinuxPort& port,
                                                             async::Executor& executor,
                                                             const Sx126xWiring& wiring);
  LinuxBus(const LinuxBus&) = delete;
  LinuxBus& operator=(const LinuxBus&) = delete;
  /// Leaves the chip in reset, which cannot send.
  ~LinuxBus();

  async::Task<radio::sx126x::BusStatus> transfer(std::span<std::uint8_t> bytes) override;
  async::Task<bool> wait_ready(Time deadline) override;
  bool busy() noexcept override { return lines_.busy.get(); }
  bool dio1() noexcept override { return lines_.dio1.get(); }
  void set_reset(bool held) noexcept override { lines_.reset.set(!held); }
  void set_antenna(radio::sx126x::AntennaSwitch position) noexcept override;
  bool set_power(bool on) noexcept override;
  void listen(radio::sx126x::Dio1Listener* listener) noexcept override;

 private:
  struct Lines {
    SpiDevice spi;
    GpioLine reset;
    GpioLine busy;
    GpioLine dio1;
    std::optional<GpioLine> select;
    std::optional<GpioLine> transmit;
    std::optional<GpioLine> receive;
    std::vector<GpioLine> power;
  };

  LinuxBus(LinuxPort& port, async::Executor& executor, Lines lines);
  async::Task<> tell_edges();

  async::Executor& executor_;
  const Lines lines_;
  Descriptor edges_;
  radio::sx126x::Dio1Listener* listener_ = nullptr;
  Time transferred_{};
  async::TaskSlot<1024> teller_;
};

}  // namespace chappe::port
