#include "chappe/play/json_value.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "chappe/base/hex.h"

namespace chappe::play {
namespace {

Json from(const nlohmann::ordered_json& node) {
  if (node.is_boolean()) return node.get<bool>();
  if (node.is_number_integer()) return node.get<std::int64_t>();
  if (node.is_number_float()) return node.get<double>();
  if (node.is_string()) return node.get<std::string>();
  if (node.is_array()) {
    Json::Array items;
    items.reserve(node.size());
    for (const auto& item : node) items.push_back(from(item));
    return items;
  }
  if (node.is_object()) {
    Json::Object members;
    members.reserve(node.size());
    for (const auto& [name, value] : node.items()) members.emplace_back(name, from(value));
    return members;
  }
  return {};
}

nlohmann::ordered_json to(const Json& value) {
  if (value.is_bool()) return value.boolean();
  if (value.is_string()) return value.text();
  if (value.is_number()) {
    const double number = value.number();
    if (number == static_cast<double>(value.integer()) && value == Json(value.integer())) {
      return value.integer();
    }
    return number;
  }
  if (value.is_array()) {
    auto node = nlohmann::ordered_json::array();
    for (const Json& item : value.items()) node.push_back(to(item));
    return node;
  }
  if (value.is_object()) {
    auto node = nlohmann::ordered_json::object();
    for (const auto& [name, member] : value.members()) node[name] = to(member);
    return node;
  }
  return nullptr;
}

const Json kNull;

}  // namespace

std::optional<Json> Json::parse(std::string_view text) {
  const auto node = nlohmann::ordered_json::parse(text, nullptr, false);
  if (node.is_discarded()) return std::nullopt;
  return from(node);
}

std::string Json::dump() const {
  return to(*this).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

bool Json::boolean() const {
  const bool* const truth = std::get_if<bool>(&value_);
  return truth != nullptr && *truth;
}

std::int64_t Json::integer() const {
  if (const auto* const whole = std::get_if<std::int64_t>(&value_)) return *whole;
  const auto* const number = std::get_if<double>(&value_);
  // Beyond this a double no longer fits into 64 bits.
  if (number == nullptr || !(*number > -9e18 && *number < 9e18)) return 0;
  return static_cast<std::int64_t>(*number);
}

double Json::number() const {
  if (const auto* const whole = std::get_if<std::int64_t>(&value_)) {
    return static_cast<double>(*whole);
  }
  const auto* const number = std::get_if<double>(&value_);
  return number == nullptr ? 0 : *number;
}

const std::string& Json::text() const {
  static const std::string kEmpty;
  const auto* const words = std::get_if<std::string>(&value_);
  return words == nullptr ? kEmpty : *words;
}

std::vector<std::uint8_t> Json::bytes() const {
  std::vector<std::uint8_t> out(text().size() / 2);
  if (!from_hex(text(), out)) out.clear();
  return out;
}

const Json::Array& Json::items() const {
  static const Array kEmpty;
  const auto* const items = std::get_if<Array>(&value_);
  return items == nullptr ? kEmpty : *items;
}

const Json::Object& Json::members() const {
  static const Object kEmpty;
  const auto* const members = std::get_if<Object>(&value_);
  return members == nullptr ? kEmpty : *members;
}

bool Json::has(std::string_view name) const {
  return std::ranges::any_of(members(), [&](const auto& member) { return member.first == name; });
}

const Json& Json::operator[](std::string_view name) const {
  for (const auto& [known, value] : members()) {
    if (known == name) return value;
  }
  return kNull;
}

const Json& Json::operator[](std::size_t at) const {
  return at < items().size() ? items()[at] : kNull;
}

Json& Json::set(std::string_view name, Json value) {
  if (!is_object()) value_ = Object{};
  auto& members = std::get<Object>(value_);
  for (auto& [known, old] : members) {
    if (known == name) {
      old = std::move(value);
      return *this;
    }
  }
  members.emplace_back(std::string(name), std::move(value));
  return *this;
}

Json& Json::push(Json value) {
  if (!is_array()) value_ = Array{};
  std::get<Array>(value_).push_back(std::move(value));
  return *this;
}

bool operator==(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) {
    const auto* const whole_a = std::get_if<std::int64_t>(&a.value_);
    const auto* const whole_b = std::get_if<std::int64_t>(&b.value_);
    if (whole_a != nullptr && whole_b != nullptr) return *whole_a == *whole_b;
    return a.number() == b.number();
  }
  if (a.is_object() && b.is_object()) {
    if (a.members().size() != b.members().size()) return false;
    return std::ranges::all_of(a.members(), [&](const auto& member) {
      return b.has(member.first) && b[member.first] == member.second;
    });
  }
  return a.value_ == b.value_;
}

std::string hex(Bytes bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(2 * bytes.size());
  for (const std::uint8_t byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::optional<std::string> first_difference(const Json& expected, const Json& actual) {
  if (expected.is_object() && actual.is_object()) {
    for (const auto& [name, value] : expected.members()) {
      if (!actual.has(name)) return name + ": missing";
      if (const auto inner = first_difference(value, actual[name])) {
        return name + (inner->starts_with(':') ? "" : ".") + *inner;
      }
    }
    return std::nullopt;
  }
  if (expected == actual) return std::nullopt;
  return ": expected " + expected.dump() + ", got " + actual.dump();
}

}  // namespace chappe::play
