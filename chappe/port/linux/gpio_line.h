#pragma once

#include <cstdint>
#include <string>

#include "chappe/base/result.h"
#include "chappe/port/linux/owned_fd.h"

namespace chappe::port {

/// Where a pin is: a line of one of the kernel's GPIO chips.
struct GpioPlace {
  std::string chip;  // "/dev/gpiochip0"
  std::uint32_t line = 0;
};

/// The chip that holds the pins of a Raspberry Pi's header, which is not the same one on every
/// model and kernel; "/dev/gpiochip0" on other boards.
std::string header_gpio_chip();

/// One line of a GPIO chip, ours alone while it lives, over the kernel's character device (version
/// 2). Levels are the wire's. Memory: none after open().
class GpioLine {
 public:
  enum class Use : std::uint8_t {
    input,
    rising_edges,  // an input whose edges can be read
    output_low,    // low from the instant it is ours
    output_high,
  };

  /// The error is a sentence that says what to do.
  static Result<GpioLine, std::string> open(const GpioPlace& place, Use use);

  /// The level now; low if the kernel does not tell. Context: any.
  bool get() const noexcept;
  /// Context: any. Requires an output.
  void set(bool high) const noexcept;

  /// Readable when there is an edge; see Edge.
  int fd() const { return fd_.get(); }

  struct Edge {
    std::uint64_t monotonic_ns = 0;  // when it happened, by CLOCK_MONOTONIC
  };
  /// Takes the oldest edge; false if there is none. Requires rising_edges.
  bool take_edge(Edge& edge) const noexcept;

 private:
  explicit GpioLine(int fd) : fd_(fd) {}
  OwnedFd fd_;
};

}  // namespace chappe::port
