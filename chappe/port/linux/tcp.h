#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chappe/async/line.h"
#include "chappe/base/result.h"
#include "chappe/port/linux/linux_port.h"
#include "chappe/port/linux/owned_fd.h"
#include "chappe/port/linux/unix_socket.h"

namespace chappe::port {

/// A place on the network, resolved.
struct TcpAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  /// Nobody but this machine can reach it.
  bool is_loopback() const;
  /// "127.0.0.1:8001", "[::1]:8001".
  std::string print() const;
};

/// Asks the system's resolver, which may take a while: before the node runs. The error is a
/// sentence for people.
Result<std::vector<TcpAddress>, std::string> resolve(const std::string& host, std::uint16_t port);

/// A connection to one place, which can be made again. Its addresses are tried in turn, one at each
/// open().
class TcpLine final : public async::Line {
 public:
  /// Requires at least one address.
  TcpLine(LinuxPort& port,
          sync::WakeList& wakes,
          std::string name,
          std::vector<TcpAddress> addresses);

  async::Task<Result<void, async::StreamError>> open() override;
  void close() override { stream_.reset(); }
  async::Task<Result<std::size_t, async::StreamError>> read(std::span<std::uint8_t> out) override {
    return stream_->read(out);
  }
  async::Task<Result<void, async::StreamError>> write(Bytes bytes) override {
    return stream_->write(bytes);
  }
  std::string_view name() const override { return name_; }
  std::string_view trouble() const override { return trouble_; }

 private:
  void set_trouble(int error);

  LinuxPort& port_;
  sync::WakeList& wakes_;
  const std::string name_;
  const std::vector<TcpAddress> addresses_;
  std::size_t next_ = 0;
  std::string trouble_;
  std::optional<DescriptorStream> stream_;
};

/// Listens on one address.
class TcpListener {
 public:
  /// The error is a sentence for people.
  static Result<std::unique_ptr<TcpListener>, std::string> listen(LinuxPort& port,
                                                                  sync::WakeList& wakes,
                                                                  const TcpAddress& address);
  TcpListener(const TcpListener&) = delete;
  TcpListener& operator=(const TcpListener&) = delete;

  /// As bound: if port 0 was asked for, with the one that the system chose.
  const TcpAddress& address() const { return address_; }

  /// Waits for a client. Its connection ends by itself when the other side is gone without a word.
  async::Task<int> accept();

 private:
  TcpListener(LinuxPort& port, sync::WakeList& wakes, OwnedFd fd, const TcpAddress& address);

  const OwnedFd fd_;
  const TcpAddress address_;
  Descriptor descriptor_;
};

}  // namespace chappe::port
