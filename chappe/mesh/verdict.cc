#include <array>

#include "chappe/mesh/judge.h"

namespace chappe::mesh {

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::forward:
      return "forward";
    case Verdict::deliver:
      return "consume";
    case Verdict::drop:
      return "drop";
  }
  return "?";
}

std::string_view to_string(Why why) {
  static constexpr std::array<std::string_view, kWhyCount> kNames = {
      "flood",
      "direct_next_hop",
      "direct_ack",
      "trace_hop",
      "addressed_here_anonymous",
      "addressed_here_known_client",
      "path_return_stored",
      "zero_hop",
      "control_zero_hop",
      "trace_end_of_path",
      "multipart_flood_not_forwarded",
      "command_halts_node",
      "parse:truncated",
      "parse:unsupported_version",
      "parse:reserved_path_mode",
      "parse:path_too_long",
      "parse:payload_too_big",
      "incomplete",
      "duplicate",
      "bad_signature",
      "own_advert",
      "hop_limit",
      "path_full",
      "loop_detected",
      "region_not_allowed",
      "forwarding_disabled",
      "not_next_hop",
      "control_not_zero_hop",
      "trace_path_full",
      "multipart_not_an_ack",
      "multipart_ignored",
      "raw_flood_not_forwarded",
      "unhandled_type",
      "packet_pool_empty",
  };
  return kNames[static_cast<std::size_t>(why)];
}

Why why_of(ParseError error) {
  switch (error) {
    case ParseError::truncated:
      return Why::parse_truncated;
    case ParseError::unsupported_version:
      return Why::parse_unsupported_version;
    case ParseError::reserved_path_mode:
      return Why::parse_reserved_path_mode;
    case ParseError::path_too_long:
      return Why::parse_path_too_long;
    case ParseError::payload_too_big:
      return Why::parse_payload_too_big;
  }
  return Why::parse_truncated;
}

}  // namespace chappe::mesh
