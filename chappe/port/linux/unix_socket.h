#pragma once

#include <memory>
#include <string>

#include "chappe/async/executor.h"
#include "chappe/async/stream.h"
#include "chappe/base/result.h"
#include "chappe/port/linux/linux_port.h"
#include "chappe/port/linux/owned_fd.h"

namespace chappe::port {

/// A connected socket, pty or pipe end as a Stream. Owns the descriptor, which becomes
/// non-blocking.
class DescriptorStream final : public async::Stream {
 public:
  DescriptorStream(LinuxPort& port, sync::WakeList& wakes, int fd);
  async::Task<Result<std::size_t, async::StreamError>> read(std::span<std::uint8_t> out) override;
  async::Task<Result<void, async::StreamError>> write(Bytes bytes) override;

 private:
  const OwnedFd fd_;
  Descriptor descriptor_;
};

/// A connection to whoever listens at `path`: its descriptor, close-on-exec and non-blocking. The
/// error is a sentence that begins with the path.
Result<int, std::string> connect_unix(const std::string& path);

/// A Unix socket that listens at a path. Only the owner of the process may connect (mode 0600).
class UnixListener {
 public:
  /// Why there is no listener, in words for a person: the path, what failed, what to do.
  struct Problem {
    std::string words;
  };

  /// Binds to `path`. A socket file that a dead process left behind is replaced; one that somebody
  /// answers on is not. Of several starters at once exactly one succeeds.
  static Result<std::unique_ptr<UnixListener>, Problem> listen(LinuxPort& port,
                                                               sync::WakeList& wakes,
                                                               const std::string& path);
  UnixListener(const UnixListener&) = delete;
  UnixListener& operator=(const UnixListener&) = delete;
  /// Removes the file.
  ~UnixListener();

  const std::string& path() const { return path_; }

  /// Waits for a client. Returns its descriptor, close-on-exec.
  async::Task<int> accept();

 private:
  UnixListener(LinuxPort& port, sync::WakeList& wakes, OwnedFd fd, OwnedFd lock, std::string path);

  const OwnedFd lock_;  // of path + ".lock", for as long as the socket is ours
  const OwnedFd fd_;
  const std::string path_;
  Descriptor descriptor_;
};

}  // namespace chappe::port
