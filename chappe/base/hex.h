#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "chappe/base/bytes.h"

namespace chappe {

/// The value of one hexadecimal digit, either case.
constexpr std::optional<std::uint8_t> hex_digit(char letter) {
  if (letter >= '0' && letter <= '9') return static_cast<std::uint8_t>(letter - '0');
  if (letter >= 'a' && letter <= 'f') return static_cast<std::uint8_t>(letter - 'a' + 10);
  if (letter >= 'A' && letter <= 'F') return static_cast<std::uint8_t>(letter - 'A' + 10);
  return std::nullopt;
}

/// Reads pairs of digits into `out` and returns how many bytes that were. Nothing if there is an
/// odd digit, any other letter, or more than `out` holds.
constexpr std::optional<std::size_t> from_hex(std::string_view digits,
                                              std::span<std::uint8_t> out) {
  if (digits.size() % 2 != 0 || digits.size() / 2 > out.size()) return std::nullopt;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const auto high = hex_digit(digits[i]);
    const auto low = hex_digit(digits[i + 1]);
    if (!high || !low) return std::nullopt;
    out[i / 2] = static_cast<std::uint8_t>(*high << 4 | *low);
  }
  return digits.size() / 2;
}

}  // namespace chappe
