#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "chappe/base/result.h"
#include "chappe/base/units.h"
#include "chappe/client/service.h"

namespace chappe::client {

/// What a client asked for in one line.
struct JsonRequest {
  enum class Kind : std::uint8_t { subscribe, submit, status, command, restart };
  Kind kind = Kind::status;
  std::string ref;  // the client's own name for it, returned with every answer; may be empty
  EventMask events = kAllEvents;    // subscribe
  std::vector<std::uint8_t> frame;  // submit
  Duration after{};                 // submit
  std::string line;                 // command
  std::uint8_t priority = 1;        // submit
};

/// What is wrong with a line, for a person, and the reference if it could be read.
struct JsonProblem {
  std::string ref;
  std::string words;
};

/// Reads one line. Any bytes are allowed; whatever is no request is a problem with words.
Result<JsonRequest, JsonProblem> parse_request(std::string_view line);

}  // namespace chappe::client
