#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "chappe/base/units.h"

/// Text for people, in columns: what the lines of events and the tables of a program share.
namespace chappe::client {

enum class Colours : std::uint8_t { off, on };

/// Of the time that each line begins with.
inline constexpr std::size_t kTimeWidth = 11;

inline constexpr std::string_view kRed = "\x1b[31m";
inline constexpr std::string_view kGreen = "\x1b[32m";
inline constexpr std::string_view kYellow = "\x1b[33m";
inline constexpr std::string_view kCyan = "\x1b[36m";
inline constexpr std::string_view kPlain = "\x1b[0m";
inline constexpr std::string_view kNone;

/// `count` / 10^decimals, written out; without going through a double, exactly.
inline std::string fixed(std::int64_t count, int decimals) {
  std::string digits = std::to_string(count < 0 ? -count : count);
  const auto point = static_cast<std::size_t>(decimals);
  if (digits.size() <= point) digits.insert(0, point + 1 - digits.size(), '0');
  digits.insert(digits.size() - point, ".");
  return (count < 0 ? "-" : "") + digits;
}

inline std::string milliseconds_of(Duration span) {
  return fixed(in_us(span) / 100, 1) + " ms";
}

inline std::string share(std::uint32_t ppm) {
  return fixed(ppm / 100, 2) + " %";
}

inline void append_left(std::string& out, std::string_view text, std::size_t width) {
  out += text;
  if (text.size() < width) out.append(width - text.size(), ' ');
}

inline void append_right(std::string& out, std::string_view text, std::size_t width) {
  if (text.size() < width) out.append(width - text.size(), ' ');
  out += text;
}

inline void append_coloured(std::string& out,
                            std::string_view text,
                            std::string_view colour,
                            Colours colours) {
  if (colours == Colours::off || colour.empty()) {
    out += text;
    return;
  }
  out += colour;
  out += text;
  out += kPlain;
}

}  // namespace chappe::client
