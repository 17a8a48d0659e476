#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "chappe/base/check.h"

namespace chappe {

using Bytes = std::span<const std::uint8_t>;

/// Up to `Capacity` bytes, stored in place. Appending what does not fit is a broken promise of the
/// caller: ask `room()` first.
template <std::size_t Capacity>
class ByteBuffer {
 public:
  constexpr ByteBuffer() {}  // the bytes stay uninitialised: nobody reads beyond size()
  constexpr explicit ByteBuffer(Bytes bytes) { append(bytes); }
  // Copies what is there, not what could be: most frames are far shorter than the longest.
  constexpr ByteBuffer(const ByteBuffer& other) { append(other.view()); }
  constexpr ByteBuffer& operator=(const ByteBuffer& other) {
    if (this != &other) {
      clear();
      append(other.view());
    }
    return *this;
  }

  constexpr void append(Bytes bytes) {
    CHAPPE_CHECK(bytes.size() <= room());
    std::copy(bytes.begin(), bytes.end(), bytes_.begin() + size_);
    size_ = static_cast<std::uint16_t>(size_ + bytes.size());
  }
  constexpr void append(std::uint8_t byte) {
    CHAPPE_CHECK(room() >= 1);
    bytes_[size_++] = byte;
  }
  constexpr void append_le16(std::uint16_t word) {
    append(static_cast<std::uint8_t>(word));
    append(static_cast<std::uint8_t>(word >> 8));
  }
  constexpr void append_le32(std::uint32_t word) {
    append_le16(static_cast<std::uint16_t>(word));
    append_le16(static_cast<std::uint16_t>(word >> 16));
  }
  constexpr void resize(std::size_t size) {
    CHAPPE_CHECK(size <= Capacity);
    std::fill(bytes_.begin() + std::min<std::size_t>(size_, size), bytes_.begin() + size, 0);
    size_ = static_cast<std::uint16_t>(size);
  }
  constexpr void clear() { size_ = 0; }

  constexpr std::size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr std::size_t room() const { return Capacity - size_; }
  static constexpr std::size_t capacity() { return Capacity; }
  constexpr const std::uint8_t* data() const { return bytes_.data(); }
  constexpr std::uint8_t* data() { return bytes_.data(); }
  constexpr std::uint8_t operator[](std::size_t at) const { return bytes_[at]; }
  constexpr std::uint8_t& operator[](std::size_t at) { return bytes_[at]; }
  constexpr Bytes view() const { return {bytes_.data(), size_}; }
  constexpr operator Bytes() const { return view(); }

  friend constexpr bool operator==(const ByteBuffer& a, const ByteBuffer& b) {
    return std::ranges::equal(a.view(), b.view());
  }

 private:
  static_assert(Capacity <= 0xffff);
  std::array<std::uint8_t, Capacity> bytes_;
  std::uint16_t size_ = 0;
};

// Little-endian words at the start of `bytes`, which must be long enough.
constexpr std::uint16_t le16(Bytes bytes) {
  return static_cast<std::uint16_t>(bytes[0] | bytes[1] << 8);
}
constexpr std::uint32_t le32(Bytes bytes) {
  return static_cast<std::uint32_t>(le16(bytes)) |
         static_cast<std::uint32_t>(le16(bytes.subspan(2))) << 16;
}

}  // namespace chappe
