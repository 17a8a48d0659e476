#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "chappe/base/bytes.h"

namespace chappe::client {

/// Writes one JSON object on one line, field by field, into a string that is used again and again:
/// no tree, and after the first few lines no allocation.
class JsonLine {
 public:
  explicit JsonLine(std::string& out) : out_(out) { out_ += '{'; }
  JsonLine(const JsonLine&) = delete;
  JsonLine& operator=(const JsonLine&) = delete;
  ~JsonLine() { out_ += "}\n"; }

  JsonLine& text(std::string_view key, std::string_view value) {
    begin(key);
    quote(value);
    return *this;
  }
  JsonLine& number(std::string_view key, std::int64_t value) {
    begin(key);
    out_ += std::to_string(value);
    return *this;
  }
  /// `quarters` / 4, exactly: 0, 0.25, 0.5 or 0.75 after the point.
  JsonLine& quarters(std::string_view key, std::int64_t quarters) {
    begin(key);
    if (quarters < 0) out_ += '-';
    const std::int64_t size = quarters < 0 ? -quarters : quarters;
    out_ += std::to_string(size / 4);
    constexpr std::string_view kPart[] = {"", ".25", ".5", ".75"};
    out_ += kPart[size % 4];
    return *this;
  }
  JsonLine& boolean(std::string_view key, bool value) {
    begin(key);
    out_ += value ? "true" : "false";
    return *this;
  }
  JsonLine& hex(std::string_view key, Bytes bytes) {
    begin(key);
    out_ += '"';
    append_hex(bytes);
    out_ += '"';
    return *this;
  }

 private:
  static constexpr std::string_view kDigits = "0123456789abcdef";

  void begin(std::string_view key) {
    if (out_.back() != '{') out_ += ',';
    quote(key);
    out_ += ':';
  }
  void append_hex(Bytes bytes) {
    for (const std::uint8_t byte : bytes) {
      out_ += kDigits[byte >> 4];
      out_ += kDigits[byte & 15];
    }
  }
  void quote(std::string_view value) {
    out_ += '"';
    for (const char letter : value) {
      const auto byte = static_cast<std::uint8_t>(letter);
      if (letter == '"' || letter == '\\') {
        out_ += '\\';
        out_ += letter;
      } else if (byte < 0x20 || byte == 0x7f) {
        out_ += "\\u00";
        out_ += kDigits[byte >> 4];
        out_ += kDigits[byte & 15];
      } else {
        out_ += letter;
      }
    }
    out_ += '"';
  }

  std::string& out_;
};

}  // namespace chappe::client
