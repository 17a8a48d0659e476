#include "chappe/port/linux/tcp.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "chappe/async/sleep.h"
#include "chappe/base/check.h"

namespace chappe::port {
namespace {

// How long a connection may be idle before the other side is asked whether it is there.
constexpr int kIdle_s = 30;
constexpr int kConnectAttempts = 3;  // of the first packet: about 15 s

void set(int fd, int level, int option, int value) {
  static_cast<void>(::setsockopt(fd, level, option, &value, sizeof value));
}

const sockaddr* raw(const TcpAddress& address) {
  return reinterpret_cast<const sockaddr*>(&address.storage);
}

}  // namespace

bool TcpAddress::is_loopback() const {
  if (storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    return ntohl(v4.sin_addr.s_addr) >> 24 == 127;
  }
  if (storage.ss_family == AF_INET6) {
    return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr) != 0;
  }
  return false;
}

std::string TcpAddress::print() const {
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> service{};
  if (::getnameinfo(raw(*this),
                    size,
                    host.data(),
                    host.size(),
                    service.data(),
                    service.size(),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "?";
  }
  const std::string name(host.data());
  return (storage.ss_family == AF_INET6 ? "[" + name + "]" : name) + ":" + service.data();
}

Result<std::vector<TcpAddress>, std::string> resolve(const std::string& host, std::uint16_t port) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found);
  if (error != 0) return Unexpected(host + ": " + ::gai_strerror(error));
  std::vector<TcpAddress> addresses;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    TcpAddress& address = addresses.emplace_back();
    std::memcpy(&address.storage, each->ai_addr, each->ai_addrlen);
    address.size = each->ai_addrlen;
  }
  ::freeaddrinfo(found);
  if (addresses.empty()) return Unexpected(host + ": has no address");
  return addresses;
}

// --- Connecting ----------------------------------------------------------------------------------

TcpLine::TcpLine(LinuxPort& port,
                 sync::WakeList& wakes,
                 std::string name,
                 std::vector<TcpAddress> addresses)
    : port_(port), wakes_(wakes), name_(std::move(name)), addresses_(std::move(addresses)) {
  CHAPPE_CHECK(!addresses_.empty());
}

void TcpLine::set_trouble(int error) {
  trouble_ = std::string("cannot be reached: ") + std::strerror(error);
}

async::Task<Result<void, async::StreamError>> TcpLine::open() {
  CHAPPE_CHECK(!stream_);
  const TcpAddress& address = addresses_[next_];
  next_ = (next_ + 1) % addresses_.size();
  OwnedFd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  int error = fd.get() < 0 ? errno : 0;
  if (error == 0) {
    set(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
    set(fd.get(), IPPROTO_TCP, TCP_SYNCNT, kConnectAttempts);
    if (::connect(fd.get(), raw(address), address.size) != 0) error = errno;
  }
  if (error == EINPROGRESS) {
    Descriptor connecting(port_, wakes_, fd.get());
    co_await connecting.writing().wait(Descriptor::kWritable | Descriptor::kHangUp |
                                       Descriptor::kError);
    socklen_t size = sizeof error;
    error = 0;
    if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  }
  if (error != 0) {
    set_trouble(error);
    co_return Unexpected(async::StreamError::failed);
  }
  trouble_.clear();
  stream_.emplace(port_, wakes_, fd.release());
  co_return Result<void, async::StreamError>();
}

// --- Listening -----------------------------------------------------------------------------------

Result<std::unique_ptr<TcpListener>, std::string> TcpListener::listen(LinuxPort& port,
                                                                      sync::WakeList& wakes,
                                                                      const TcpAddress& address) {
  const auto failed = [&](const char* what) {
    return Unexpected(address.print() + ": " + what + ": " + std::strerror(errno));
  };
  OwnedFd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0) return failed("no socket");
  // Connections of a run before, still fading away, must not keep the next one from listening.
  set(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (::bind(fd.get(), raw(address), address.size) != 0) return failed("cannot be had");
  if (::listen(fd.get(), 16) != 0) return failed("cannot listen");
  TcpAddress bound;
  bound.size = sizeof bound.storage;
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound.storage), &bound.size) != 0) {
    return failed("has no name");
  }
  return std::unique_ptr<TcpListener>(new TcpListener(port, wakes, std::move(fd), bound));
}

TcpListener::TcpListener(LinuxPort& port,
                         sync::WakeList& wakes,
                         OwnedFd fd,
                         const TcpAddress& address)
    : fd_(std::move(fd)), address_(address), descriptor_(port, wakes, fd_.get()) {}

async::Task<int> TcpListener::accept() {
  for (;;) {
    const int client = ::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client >= 0) {
      set(client, IPPROTO_TCP, TCP_NODELAY, 1);
      set(client, SOL_SOCKET, SO_KEEPALIVE, 1);
      set(client, IPPROTO_TCP, TCP_KEEPIDLE, kIdle_s);
      set(client, IPPROTO_TCP, TCP_KEEPINTVL, kIdle_s / 3);
      set(client, IPPROTO_TCP, TCP_KEEPCNT, 3);
      co_return client;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      co_await descriptor_.reading().wait(Descriptor::kReadable);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      // Who waits in line makes no new edge, and nobody tells when there is room again.
      co_await async::sleep_for(async::this_executor(), seconds(1));
    }
    // Anything else is the trouble of a client that is gone already.
  }
}

}  // namespace chappe::port
