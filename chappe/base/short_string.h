#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace chappe {

/// At most `Capacity` characters in place. What does not fit is cut off, silently: for texts whose
/// length somebody else has bounded (a protocol's names, passwords, replies). Text marks its cuts
/// and is for people.
template <std::size_t Capacity>
class ShortString {
 public:
  constexpr ShortString() = default;
  constexpr ShortString(std::string_view words) { append(words); }
  constexpr ShortString(const char* words) { append(words); }

  constexpr ShortString& append(std::string_view words) {
    const std::size_t count = std::min(words.size(), room());
    std::copy_n(words.begin(), count, letters_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += count;
    return *this;
  }
  constexpr ShortString& append(char letter) { return append(std::string_view(&letter, 1)); }
  constexpr void clear() { size_ = 0; }
  /// Forgets what lies beyond the first `size` characters.
  constexpr void cut(std::size_t size) { size_ = std::min(size_, size); }

  constexpr std::string_view view() const { return {letters_.data(), size_}; }
  constexpr operator std::string_view() const { return view(); }
  constexpr std::size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr std::size_t room() const { return Capacity - size_; }
  static constexpr std::size_t capacity() { return Capacity; }

  friend constexpr bool operator==(const ShortString& a, const ShortString& b) {
    return a.view() == b.view();
  }

 private:
  std::array<char, Capacity> letters_{};
  std::size_t size_ = 0;
};

}  // namespace chappe
