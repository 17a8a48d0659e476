#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "chappe/async/executor.h"
#include "chappe/port/linux/linux_port.h"
#include "chappe/port/linux/owned_fd.h"
#include "chappe/radio/sx126x/bus.h"
#include "chappe/sim/air.h"
#include "chappe/sim/sx1262_chip.h"

namespace chappe::test {

/// The chip model behind the kernel's own interfaces, for a process that knows of nothing.
///
/// A FUSE file stands for /dev/spidev and answers its ioctls; a seccomp supervisor answers those of
/// the GPIO character device and hands out sockets as lines. What runs in the guest is the code
/// that runs on a board. Time is real.
///
/// One thread: chip, file and supervisor are tasks of one executor.
class ChipHost : private radio::sx126x::Dio1Listener {
 public:
  // Lines of the one GPIO chip.
  static constexpr std::uint32_t kReset = 18;
  static constexpr std::uint32_t kBusy = 20;
  static constexpr std::uint32_t kDio1 = 16;
  static constexpr std::uint32_t kTaken = 7;  // by "somebody"

  ChipHost();
  ChipHost(const ChipHost&) = delete;
  ChipHost& operator=(const ChipHost&) = delete;
  ~ChipHost();

  /// Why it cannot be had on this machine; empty: it can.
  const std::string& missing() const { return missing_; }
  /// Where the SPI device is.
  const std::string& spi() const { return spi_; }

  /// Runs `guest` in a process of its own until it ends; its exit code, or -1.
  int run(const std::function<int()>& guest);

  sim::Sx1262Chip& chip() { return chip_; }
  sim::Air& air() { return air_; }
  std::uint64_t spi_transfers() const { return transfers_; }
  std::uint64_t gpio_requests() const { return requests_; }

 private:
  void on_dio1(Time at) noexcept override;
  void mount();
  async::Task<> serve_file();
  async::Task<> serve_lines();
  async::Task<> wait_for_end(int pidfd);
  async::Task<> answer_file(std::size_t size);
  void answer_line();
  int new_line(pid_t pid, std::uint64_t id, std::uint64_t argument);

  port::LinuxPort port_;
  async::Executor executor_{port_};
  sim::Air air_{executor_, 2};
  sim::Sx1262Chip chip_{executor_, air_};
  std::string missing_;
  std::string spi_;
  int fuse_ = -1;
  int lines_ = -1;
  pid_t guest_ = -1;
  std::map<int, std::uint32_t> line_of_;  // by the guest's descriptor
  int edges_ = -1;                        // our end of the line of DIO1
  std::uint64_t transfers_ = 0;
  std::uint64_t requests_ = 0;
  alignas(8) std::uint8_t request_[65536 + 4096];
  async::TaskSlot<8192> file_slot_;
  async::TaskSlot<4096> lines_slot_;
  async::TaskSlot<2048> end_slot_;
};

}  // namespace chappe::test
