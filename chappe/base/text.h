#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "chappe/base/site.h"

namespace chappe {

/// Builds a short text in a buffer of its own: no heap, no locale, usable in a panic.
/// What does not fit is cut, and the last three characters become "...".
template <std::size_t Capacity>
class Text {
 public:
  constexpr Text& add(std::string_view words) {
    for (const char letter : words) push(letter);
    return *this;
  }
  constexpr Text& add(const char* words) { return add(std::string_view(words)); }
  constexpr Text& add(char letter) {
    push(letter);
    return *this;
  }
  template <std::integral N>
    requires(!std::same_as<N, char> && !std::same_as<N, bool>)
  constexpr Text& add(N number) {
    if constexpr (std::signed_integral<N>) {
      if (number < 0) {
        push('-');
        return add_digits(~static_cast<std::uint64_t>(static_cast<std::int64_t>(number)) + 1, 10);
      }
    }
    return add_digits(static_cast<std::uint64_t>(number), 10);
  }
  constexpr Text& add_hex(std::uint64_t number) { return add_digits(number, 16); }
  constexpr Text& add_hex(std::span<const std::uint8_t> bytes) {
    for (const std::uint8_t byte : bytes) {
      push(kDigits[byte >> 4]);
      push(kDigits[byte & 15]);
    }
    return *this;
  }
  constexpr Text& add(Site site) {
    // The path inside the project is enough; a build directory in front of it says nothing.
    std::string_view file(site.file);
    for (const std::string_view root : {"/chappe/", "/tests/", "/apps/", "/bench/", "/examples/"}) {
      const std::size_t at = file.rfind(root);
      if (at != std::string_view::npos) {
        file.remove_prefix(at + 1);
        break;
      }
    }
    return add(file).add(':').add(site.line);
  }

  constexpr std::string_view view() const { return {letters_.data(), size_}; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr void clear() { size_ = 0; }

  /// The same, ended by a zero byte, for interfaces in C.
  constexpr const char* c_str() {
    letters_[size_] = '\0';
    return letters_.data();
  }

 private:
  static constexpr std::string_view kDigits = "0123456789abcdef";

  constexpr void push(char letter) {
    if (size_ < Capacity) {
      letters_[size_++] = letter;
    } else {
      for (std::size_t i = 1; i <= 3 && i <= Capacity; ++i) letters_[Capacity - i] = '.';
    }
  }
  constexpr Text& add_digits(std::uint64_t number, unsigned base) {
    std::array<char, 20> digits{};
    std::size_t count = 0;
    do {
      digits[count++] = kDigits[number % base];
      number /= base;
    } while (number != 0);
    while (count > 0) push(digits[--count]);
    return *this;
  }

  std::array<char, Capacity + 1> letters_{};
  std::size_t size_ = 0;
};

}  // namespace chappe
