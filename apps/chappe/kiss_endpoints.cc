#include "apps/chappe/kiss_endpoints.h"

#include <ostream>

#include "chappe/config/endpoint.h"
#include "chappe/port/linux/unix_socket.h"

namespace chappe::app {
namespace {

std::string password_of(const config::Kiss& settings) {
  return settings.password == config::kNoPassword ? std::string() : settings.password;
}

}  // namespace

KissEndpoints::KissEndpoints(const config::Kiss& settings,
                             port::LinuxPort& port,
                             async::Executor& executor,
                             client::Service& service)
    : settings_(settings),
      port_(port),
      executor_(executor),
      server_(service, random_, password_of(settings)) {}

std::string KissEndpoints::open(const std::string& state_directory) {
  if (settings_.pty) {
    const std::string path =
        settings_.pty_path.empty() ? state_directory + "/kiss" : settings_.pty_path;
    auto listener = port::PtyListener::listen(port_, executor_.wakes(), path);
    if (!listener) return listener.error();
    pty_ = std::move(*listener);
    executor_.spawn(pty_slot_, "kiss pty", &KissEndpoints::accept_lines, this);
  }
  if (!settings_.tcp.empty()) {
    if (std::string why = open_tcp(); !why.empty()) return why;
    executor_.spawn(tcp_slot_, "kiss tcp", &KissEndpoints::accept_connections, this);
  }
  server_.start();
  return {};
}

std::string KissEndpoints::open_tcp() {
  const auto place = *config::parse_host_port(settings_.tcp);
  const auto addresses = port::resolve(place.host, place.port);
  if (!addresses) return "[kiss] tcp: " + addresses.error();
  const port::TcpAddress& address = addresses->front();
  // A name may lead elsewhere than it says.
  if (password_of(settings_).empty() && !address.is_loopback()) {
    return "[kiss] tcp: " + address.print() + " can be reached by others, so it needs a password";
  }
  auto listener = port::TcpListener::listen(port_, executor_.wakes(), address);
  if (!listener) return "[kiss] tcp: " + listener.error();
  tcp_ = std::move(*listener);
  return {};
}

void KissEndpoints::stop() {
  pty_slot_.cancel();
  tcp_slot_.cancel();
  server_.stop();
}

void KissEndpoints::describe(std::ostream& out) const {
  if (pty_ != nullptr) out << "  kiss     " << pty_->path() << "\n";
  if (tcp_ != nullptr) {
    out << "  kiss     " << tcp_->address().print()
        << (password_of(settings_).empty() ? ", no password\n" : ", with a password\n");
  }
}

async::Task<> KissEndpoints::accept_connections() {
  for (;;) {
    const int fd = co_await tcp_->accept();
    server_.adopt_remote(std::make_unique<port::DescriptorStream>(port_, executor_.wakes(), fd));
  }
}

async::Task<> KissEndpoints::accept_lines() {
  for (;;) {
    const int fd = co_await pty_->accept();
    server_.adopt_local(std::make_unique<port::DescriptorStream>(port_, executor_.wakes(), fd));
  }
}

}  // namespace chappe::app
