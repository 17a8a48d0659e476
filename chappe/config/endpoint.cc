#include "chappe/config/endpoint.h"

#include <charconv>

namespace chappe::config {

std::optional<HostPort> parse_host_port(std::string_view written) {
  HostPort place{"127.0.0.1", 0};
  std::string_view digits = written;
  if (const std::size_t colon = written.rfind(':'); colon != std::string_view::npos) {
    std::string_view host = written.substr(0, colon);
    digits = written.substr(colon + 1);
    const bool in_brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (in_brackets) host = host.substr(1, host.size() - 2);
    if (host.empty() || host.find_first_of("[] \t/") != std::string_view::npos) return std::nullopt;
    // Which colon is the last of an address without brackets is anybody's guess.
    if (!in_brackets && host.find(':') != std::string_view::npos) return std::nullopt;
    place.host = std::string(host);
  }
  const char* const end = digits.data() + digits.size();
  const auto [rest, error] = std::from_chars(digits.data(), end, place.port);
  if (error != std::errc() || rest != end || place.port == 0) return std::nullopt;
  return place;
}

bool is_loopback(const HostPort& place) {
  return place.host == "localhost" || place.host == "::1" || place.host.starts_with("127.");
}

}  // namespace chappe::config
