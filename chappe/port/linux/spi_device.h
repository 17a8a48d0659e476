#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "chappe/base/result.h"
#include "chappe/port/linux/owned_fd.h"

namespace chappe::port {

/// One chip on an SPI bus, over the kernel's spidev: mode 0, most significant bit first.
class SpiDevice {
 public:
  /// `path`: "/dev/spidev0.0". The error is a sentence that says what to do.
  static Result<SpiDevice, std::string> open(const std::string& path, std::uint32_t hertz);

  /// Sends `bytes` and replaces them by what came in, in one transaction. False: the system failed.
  /// Blocks until it is done.
  bool transfer(std::span<std::uint8_t> bytes) const noexcept;

 private:
  SpiDevice(int fd, std::uint32_t hertz) : fd_(fd), hertz_(hertz) {}
  OwnedFd fd_;
  std::uint32_t hertz_;
};

}  // namespace chappe::port
