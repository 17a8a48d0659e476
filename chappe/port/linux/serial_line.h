#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "chappe/async/line.h"
#include "chappe/port/linux/linux_port.h"
#include "chappe/port/linux/unix_socket.h"

namespace chappe::port {

/// Bits per second that a serial line can have.
std::span<const std::int32_t> serial_speeds();

/// A serial line: raw, eight bits, no parity, one stop bit, no flow control, and nobody else on it.
class SerialLine final : public async::Line {
 public:
  /// Requires that `speed` is one of serial_speeds().
  SerialLine(LinuxPort& port, sync::WakeList& wakes, std::string path, std::int32_t speed);

  async::Task<Result<void, async::StreamError>> open() override;
  void close() override { stream_.reset(); }
  async::Task<Result<std::size_t, async::StreamError>> read(std::span<std::uint8_t> out) override {
    return stream_->read(out);
  }
  async::Task<Result<void, async::StreamError>> write(Bytes bytes) override {
    return stream_->write(bytes);
  }
  std::string_view name() const override { return path_; }
  std::string_view trouble() const override { return trouble_; }

 private:
  bool try_open();

  LinuxPort& port_;
  sync::WakeList& wakes_;
  const std::string path_;
  const std::int32_t speed_;
  std::string trouble_;
  std::optional<DescriptorStream> stream_;
};

}  // namespace chappe::port
