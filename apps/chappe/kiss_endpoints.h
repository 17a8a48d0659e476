#pragma once

#include <iosfwd>
#include <memory>
#include <string>

#include "chappe/async/executor.h"
#include "chappe/client/kiss_connection.h"
#include "chappe/config/configuration.h"
#include "chappe/port/linux/linux_port.h"
#include "chappe/port/linux/os_random.h"
#include "chappe/port/linux/pty.h"
#include "chappe/port/linux/tcp.h"

namespace chappe::app {

/// The places where programs find this node as a KISS modem.
class KissEndpoints {
 public:
  KissEndpoints(const config::Kiss& settings,
                port::LinuxPort& port,
                async::Executor& executor,
                client::Service& service);

  /// Nothing, or why a place cannot be had, as a sentence.
  std::string open(const std::string& state_directory);
  void stop();
  /// A line for each place.
  void describe(std::ostream& out) const;

 private:
  std::string open_tcp();
  async::Task<> accept_connections();
  async::Task<> accept_lines();

  const config::Kiss& settings_;
  port::LinuxPort& port_;
  async::Executor& executor_;
  port::OsRandom random_;
  client::KissServer server_;
  std::unique_ptr<port::PtyListener> pty_;
  std::unique_ptr<port::TcpListener> tcp_;
  async::TaskSlot<2048> pty_slot_;
  async::TaskSlot<2048> tcp_slot_;
};

}  // namespace chappe::app
