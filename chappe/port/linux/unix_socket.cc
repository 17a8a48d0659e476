#include "chappe/port/linux/unix_socket.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "chappe/async/sleep.h"

namespace chappe::port {
namespace {

using async::StreamError;

bool would_block(int error) {
  return error == EAGAIN || error == EWOULDBLOCK;
}

int non_blocking(int fd) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  return fd;
}

UnixListener::Problem problem(const std::string& path, const char* what, const std::string& hint) {
  return {path + ": " + what + ": " + std::strerror(errno) + (hint.empty() ? "" : "; " + hint)};
}

std::string too_long(const std::string& path) {
  return path + ": too long for a socket: at most " +
         std::to_string(sizeof sockaddr_un{}.sun_path - 1) + " bytes";
}

std::string taken(const std::string& path) {
  return path + ": another chappe answers here; stop it, or give this one another state directory";
}

bool address_of(const std::string& path, sockaddr_un& address) {
  if (path.size() >= sizeof address.sun_path) return false;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return true;
}

// True unless surely nobody listens at this address. Whoever is wedged with a full line at its
// door, or belongs to somebody else, lives too.
bool somebody_answers(const sockaddr_un& address) {
  const OwnedFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return true;
  }
  return errno != ECONNREFUSED && errno != ENOENT;
}

}  // namespace

DescriptorStream::DescriptorStream(LinuxPort& port, sync::WakeList& wakes, int fd)
    : fd_(non_blocking(fd)), descriptor_(port, wakes, fd) {}

async::Task<Result<std::size_t, StreamError>> DescriptorStream::read(std::span<std::uint8_t> out) {
  for (;;) {
    const ssize_t count = ::read(fd_.get(), out.data(), out.size());
    if (count > 0) co_return static_cast<std::size_t>(count);
    if (count == 0) co_return Unexpected(StreamError::closed);
    if (errno == EINTR) continue;
    if (errno == ECONNRESET || errno == EIO) co_return Unexpected(StreamError::closed);
    if (!would_block(errno) || !descriptor_.watched()) co_return Unexpected(StreamError::failed);
    co_await descriptor_.reading().wait(Descriptor::kReadable | Descriptor::kHangUp);
  }
}

async::Task<Result<void, StreamError>> DescriptorStream::write(Bytes bytes) {
  while (!bytes.empty()) {
    ssize_t count = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == ENOTSOCK) count = ::write(fd_.get(), bytes.data(), bytes.size());
    if (count >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(count));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EPIPE || errno == ECONNRESET) co_return Unexpected(StreamError::closed);
    if (!would_block(errno) || !descriptor_.watched()) co_return Unexpected(StreamError::failed);
    co_await descriptor_.writing().wait(Descriptor::kWritable | Descriptor::kHangUp |
                                        Descriptor::kError);
  }
  co_return Result<void, StreamError>();
}

Result<int, std::string> connect_unix(const std::string& path) {
  sockaddr_un address{};
  if (!address_of(path, address)) return Unexpected(too_long(path));
  OwnedFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0 ||
      ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return Unexpected(path + ": " + std::strerror(errno));
  }
  return fd.release();
}

Result<std::unique_ptr<UnixListener>, UnixListener::Problem> UnixListener::listen(
    LinuxPort& port, sync::WakeList& wakes, const std::string& path) {
  sockaddr_un address{};
  if (!address_of(path, address)) return Unexpected(Problem{too_long(path)});

  // Between looking at a dead socket and replacing it another starter may do the same, and each
  // would remove the other's. Who has this lock is alone; a process that dies gives it back.
  const std::string lock_path = path + ".lock";
  OwnedFd lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (lock.get() < 0) {
    return Unexpected(problem(lock_path, "cannot lock", "is the directory there and writable?"));
  }
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return Unexpected(Problem{taken(path)});

  struct stat status{};
  if (::lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) {
      return Unexpected(Problem{path + ": there is something that is not a socket; move it away"});
    }
    if (somebody_answers(address)) {
      return Unexpected(Problem{taken(path)});
    }
    ::unlink(path.c_str());
  }

  OwnedFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0) return Unexpected(problem(path, "socket", ""));
  // The mask, not a later chmod: there must be no moment at which others could connect.
  const mode_t mask = ::umask(0177);
  const int bound = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::umask(mask);
  if (bound != 0 || ::listen(fd.get(), 16) != 0) {
    return Unexpected(problem(path, "cannot listen", "is the directory there and writable?"));
  }
  std::unique_ptr<UnixListener> listener(
      new UnixListener(port, wakes, std::move(fd), std::move(lock), path));
  if (!listener->descriptor_.watched()) return Unexpected(problem(path, "cannot be watched", ""));
  return listener;
}

UnixListener::UnixListener(
    LinuxPort& port, sync::WakeList& wakes, OwnedFd fd, OwnedFd lock, std::string path)
    : lock_(std::move(lock)),
      fd_(std::move(fd)),
      path_(std::move(path)),
      descriptor_(port, wakes, fd_.get()) {}

UnixListener::~UnixListener() {
  ::unlink(path_.c_str());
}

async::Task<int> UnixListener::accept() {
  for (;;) {
    const int client = ::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client >= 0) co_return client;
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (would_block(errno)) {
      co_await descriptor_.reading().wait(Descriptor::kReadable);
    } else {
      // Out of descriptors: who waits in line makes no new edge, and nobody tells when one is back.
      co_await async::sleep_for(async::this_executor(), seconds(1));
    }
  }
}

}  // namespace chappe::port
