#include "chappe/client/json_request.h"

#include <nlohmann/json.hpp>

#include "chappe/base/hex.h"

namespace chappe::client {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kEventNames[] = {"heard", "judged", "submitted", "sent", "refused"};

/// Picks fields out of one object, and remembers the first thing that is wrong with it.
class Fields {
 public:
  explicit Fields(const Json& object) : object_(object) {}

  std::string text(const char* name) {
    const auto field = object_.find(name);
    if (field == object_.end()) return {};
    if (field->is_string()) return field->get<std::string>();
    wrong(name, "must be a string");
    return {};
  }
  std::int64_t number(const char* name, std::int64_t least, std::int64_t most, std::int64_t other) {
    const auto field = object_.find(name);
    if (field == object_.end()) return other;
    if (field->is_number_integer() && *field >= least && *field <= most) {
      return field->get<std::int64_t>();
    }
    wrong(name,
          "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return other;
  }
  EventMask events(const char* name) {
    const auto field = object_.find(name);
    if (field == object_.end()) return kAllEvents;
    EventMask mask = kNoEvents;
    if (!field->is_array()) {
      wrong(name, "must be a list of event names");
      return mask;
    }
    for (const Json& item : *field) {
      const auto* const name_found = item.is_string()
                                         ? std::ranges::find(kEventNames, item.get<std::string>())
                                         : std::end(kEventNames);
      if (name_found == std::end(kEventNames)) {
        wrong(name, "knows heard, judged, submitted, sent and refused");
        return mask;
      }
      mask |= 1u << (name_found - std::begin(kEventNames));
    }
    return mask;
  }

  void wrong(std::string_view name, std::string_view what) {
    if (problem_.empty()) problem_ = "\"" + std::string(name) + "\" " + std::string(what);
  }
  const std::string& problem() const { return problem_; }

 private:
  const Json& object_;
  std::string problem_;
};

void read_frame(Fields& fields, JsonRequest& request) {
  const std::string digits = fields.text("hex");
  request.frame.resize(digits.size() / 2);
  const auto size = from_hex(digits, request.frame);
  if (!size) fields.wrong("hex", "must be an even number of hexadecimal digits");
  if (request.frame.empty()) fields.wrong("hex", "must hold a packet");
  if (request.frame.size() > radio::kFrameMax) fields.wrong("hex", "holds at most 255 bytes");
}

}  // namespace

Result<JsonRequest, JsonProblem> parse_request(std::string_view line) {
  const Json object = Json::parse(line, nullptr, false);
  if (object.is_discarded()) return Unexpected(JsonProblem{"", "this line is not JSON"});
  if (!object.is_object()) return Unexpected(JsonProblem{"", "a request is a JSON object"});

  Fields fields(object);
  JsonRequest request;
  request.ref = fields.text("ref");
  const std::string what = fields.text("do");
  if (what == "subscribe") {
    request.kind = JsonRequest::Kind::subscribe;
    request.events = fields.events("events");
  } else if (what == "submit") {
    request.kind = JsonRequest::Kind::submit;
    read_frame(fields, request);
    request.after = milliseconds(fields.number("delay_ms", 0, 3'600'000, 0));
    request.priority = static_cast<std::uint8_t>(fields.number("priority", 0, 255, 1));
  } else if (what == "status") {
    request.kind = JsonRequest::Kind::status;
  } else if (what == "command") {
    request.kind = JsonRequest::Kind::command;
    request.line = fields.text("line");
    if (request.line.empty()) fields.wrong("line", "must hold a command");
  } else if (what == "restart-clients") {
    request.kind = JsonRequest::Kind::restart;
  } else {
    fields.wrong("do", "must be subscribe, submit, status, command or restart-clients");
  }
  if (!fields.problem().empty()) return Unexpected(JsonProblem{request.ref, fields.problem()});
  return request;
}

}  // namespace chappe::client
