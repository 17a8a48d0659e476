#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chappe::config {

/// A place on the network, as a person writes it.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;

  bool operator==(const HostPort&) const = default;
};

/// "HOST:PORT", "[::1]:PORT", or "PORT" alone for this machine. Nothing if it is none of these.
std::optional<HostPort> parse_host_port(std::string_view written);

/// Whether only this machine can reach it, as far as that can be told without asking anybody.
bool is_loopback(const HostPort& place);

/// What `[modem] line` means: a device, or a place behind "tcp:".
inline constexpr std::string_view kTcpPrefix = "tcp:";

/// `[kiss] password` if there shall be none.
inline constexpr std::string_view kNoPassword = "off";

}  // namespace chappe::config
