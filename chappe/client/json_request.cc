#include "chappe/client/json_request.h"

#include <algorithm>

#include "chappe/base/hex.h"
#include "chappe/client/json_object.h"

namespace chappe::client {
namespace {

constexpr std::string_view kNotAPacket = "NO_PACKET";

std::string_view type_name(std::size_t type) {
  return type == kNoPacketType ? kNotAPacket : to_string(static_cast<mesh::PayloadType>(type));
}

void read_filter(JsonObject& object, Filter& filter) {
  std::string wrong;
  if (object.has("events") && !read_events(object.texts("events"), filter.kinds, wrong)) {
    object.wrong("events", wrong);
  }
  if (object.has("types") && !read_types(object.texts("types"), filter.types, wrong)) {
    object.wrong("types", wrong);
  }
  if (object.has("local")) {
    filter.whose = object.boolean("local") ? Filter::Whose::ours : Filter::Whose::others;
  }
}

void read_frame(JsonObject& object, JsonRequest& request) {
  const std::string digits = object.text("hex");
  request.frame.resize(digits.size() / 2);
  const auto size = from_hex(digits, request.frame);
  if (!size) object.wrong("hex", "must be an even number of hexadecimal digits");
  if (request.frame.empty()) object.wrong("hex", "must hold a packet");
  if (request.frame.size() > radio::kFrameMax) object.wrong("hex", "holds at most 255 bytes");
}

// Printable, so that it can be shown and written without a second thought.
std::string read_word(JsonObject& object, const char* name, std::size_t size_max) {
  std::string word = object.text(name);
  const auto prints = [](char letter) { return letter > ' ' && letter < 0x7f; };
  if (word.size() > size_max || !std::ranges::all_of(word, prints)) {
    object.wrong(
        name, "must be at most " + std::to_string(size_max) + " printable letters without spaces");
    word.clear();
  }
  return word;
}

}  // namespace

bool read_events(const std::vector<std::string>& names, EventMask& mask, std::string& wrong) {
  mask = kNoEvents;
  for (const std::string& name : names) {
    std::size_t kind = 0;
    while (kind < kEventKinds && to_string(static_cast<node::EventKind>(kind)) != name) ++kind;
    if (kind == kEventKinds) {
      wrong = "knows heard, judged, submitted, sent and refused";
      return false;
    }
    mask |= 1u << kind;
  }
  return true;
}

bool read_types(const std::vector<std::string>& names, TypeMask& mask, std::string& wrong) {
  mask = 0;
  for (const std::string& name : names) {
    std::size_t type = 0;
    while (type < kEventTypes && type_name(type) != name) ++type;
    if (type == kEventTypes) {
      wrong = "knows";
      for (std::size_t i = 0; i < kEventTypes; ++i) {
        wrong += (i == 0 ? " " : ", ") + std::string(type_name(i));
      }
      return false;
    }
    mask |= 1u << type;
  }
  return true;
}

Result<JsonRequest, JsonProblem> parse_request(std::string_view line) {
  auto parsed = JsonObject::parse(line);
  if (!parsed) return Unexpected(JsonProblem{"", parsed.error()});
  JsonObject& object = *parsed;

  JsonRequest request;
  request.ref = object.text("ref");
  const std::string what = object.text("do");
  if (what == "hello") {
    request.kind = JsonRequest::Kind::hello;
    request.name = read_word(object, "name", 32);
    request.was_here = object.has("generation");
    request.generation = static_cast<std::uint32_t>(object.number("generation", 0, 0xffffffff, 0));
  } else if (what == "subscribe") {
    request.kind = JsonRequest::Kind::subscribe;
    read_filter(object, request.filter);
  } else if (what == "submit") {
    request.kind = JsonRequest::Kind::submit;
    request.key = read_word(object, "key", SubmissionKey::capacity());
    read_frame(object, request);
    request.after = milliseconds(object.number("delay_ms", 0, 3'600'000, 0));
    request.priority = static_cast<std::uint8_t>(object.number("priority", 0, 255, 1));
  } else if (what == "claim") {
    request.kind = JsonRequest::Kind::claim;
    request.key = read_word(object, "key", SubmissionKey::capacity());
    if (request.key.empty()) object.wrong("key", "must name a submission");
  } else if (what == "status") {
    request.kind = JsonRequest::Kind::status;
  } else if (what == "clients") {
    request.kind = JsonRequest::Kind::clients;
  } else if (what == "command") {
    request.kind = JsonRequest::Kind::command;
    request.line = object.text("line");
    if (request.line.empty()) object.wrong("line", "must hold a command");
  } else if (what == "restart-clients") {
    request.kind = JsonRequest::Kind::restart;
  } else {
    object.wrong(
        "do",
        "must be hello, subscribe, submit, claim, status, clients, command or restart-clients");
  }
  if (!object.problem().empty()) return Unexpected(JsonProblem{request.ref, object.problem()});
  return request;
}

}  // namespace chappe::client
