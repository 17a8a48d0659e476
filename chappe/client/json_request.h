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
  enum class Kind : std::uint8_t {
    hello,
    subscribe,
    submit,
    claim,
    status,
    clients,
    command,
    restart
  };
  Kind kind = Kind::status;
  std::string ref;        // the client's own name for it, returned with every answer; may be empty
  std::string name;       // hello: of the client, for people
  bool was_here = false;  // hello: and knew this generation
  std::uint32_t generation = 0;     // hello
  Filter filter{kAllEvents};        // subscribe
  std::string key;                  // submit, claim; may be empty in submit
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

/// Names of events and of payload types as a filter's fields have them. False: one is not known,
/// and `wrong` says what is.
bool read_events(const std::vector<std::string>& names, EventMask& mask, std::string& wrong);
bool read_types(const std::vector<std::string>& names, TypeMask& mask, std::string& wrong);

}  // namespace chappe::client
