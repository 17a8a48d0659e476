#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "chappe/base/bytes.h"

namespace chappe::play {

/// A JSON value that keeps the order of its members. Here so that the heavy parser behind it is
/// compiled in one file only.
///
/// Reading is lenient: a missing member or a wrong type reads as null, zero or empty, and `has()`
/// tells the difference. Vector files are input, and one bad vector must not stop the others.
class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;

  Json() = default;
  Json(bool truth) : value_(truth) {}
  Json(std::int64_t number) : value_(number) {}
  Json(int number) : value_(std::int64_t{number}) {}
  Json(unsigned number) : value_(std::int64_t{number}) {}
  Json(double number) : value_(number) {}
  Json(std::string words) : value_(std::move(words)) {}
  Json(std::string_view words) : value_(std::string(words)) {}
  Json(const char* words) : value_(std::string(words)) {}
  Json(Array items) : value_(std::move(items)) {}
  Json(Object members) : value_(std::move(members)) {}
  static Json array() { return Json(Array{}); }
  static Json object() { return Json(Object{}); }

  /// Nothing if `text` is no JSON.
  static std::optional<Json> parse(std::string_view text);
  /// On one line. Bytes that are no UTF-8 become replacement characters.
  std::string dump() const;

  bool is_null() const { return std::holds_alternative<std::nullptr_t>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_number() const {
    return std::holds_alternative<std::int64_t>(value_) || std::holds_alternative<double>(value_);
  }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }

  bool boolean() const;
  std::int64_t integer() const;  // a fraction is cut
  double number() const;
  const std::string& text() const;
  /// The bytes that a string of hexadecimal digits stands for; empty if it is none.
  std::vector<std::uint8_t> bytes() const;
  const Array& items() const;
  const Object& members() const;

  bool has(std::string_view name) const;
  const Json& operator[](std::string_view name) const;
  const Json& operator[](std::size_t at) const;

  /// Sets a member, which makes this an object. Chains.
  Json& set(std::string_view name, Json value);
  /// Appends an item, which makes this an array.
  Json& push(Json value);

  /// The order of members does not matter; 2 and 2.0 are equal.
  friend bool operator==(const Json& a, const Json& b);

 private:
  std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, Array, Object> value_ =
      nullptr;
};

/// Lower-case hexadecimal digits, as all files have them.
std::string hex(Bytes bytes);

/// Where `actual` does not have what `expected` asks for, as a path and both values; nothing if
/// all is there. Members that only `actual` has do not matter.
std::optional<std::string> first_difference(const Json& expected, const Json& actual);

}  // namespace chappe::play
