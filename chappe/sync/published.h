#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "chappe/sync/shared_state.h"

namespace chappe::sync {

/// The newest of something larger than a word, from one writer to any number of readers: each reads
/// a value that was published as a whole, and nobody ever waits for a reader.
///
/// A version counts before and after each writing, so it is odd meanwhile. Why two equal, even
/// versions mean a whole value: a reader that met a word of a newer value has acquired it, and with
/// it that value's odd version, so its second look at the version finds another number.
///
/// Context: one for publish(); any for read() that cannot interrupt the writer. Memory: in place.
template <class T>
class Published {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  explicit Published(const T& first = T{}) { publish(first); }

  void publish(const T& value) noexcept {
    std::array<std::uint32_t, kWords> image{};
    std::memcpy(image.data(), &value, sizeof value);
    version_.fetch_add(1, Order::acq_rel);
    for (std::size_t i = 0; i < kWords; ++i) words_[i].word.store(image[i], Order::release);
    version_.fetch_add(1, Order::release);
  }

  T read() const noexcept {
    for (;;) {
      const std::uint32_t before = version_.load(Order::acquire);
      std::array<std::uint32_t, kWords> image;
      for (std::size_t i = 0; i < kWords; ++i) image[i] = words_[i].word.load(Order::acquire);
      if (before % 2 != 0 || version_.load(Order::acquire) != before) continue;
      T value;
      std::memcpy(static_cast<void*>(&value), image.data(), sizeof value);
      return value;
    }
  }

 private:
  static constexpr std::size_t kWords = (sizeof(T) + 3) / 4;

  static constexpr SharedState kVersionState{
      .name = "Published::version",
      .purpose = "odd while the value is being written",
      .writers = Who::any,
      .readers = Who::any,
      .protection = "one writer; readers look twice",
      .orders = Orders::acq_rel | Orders::release | Orders::acquire};
  static constexpr SharedState kWordsState{
      .name = "Published::words",
      .purpose = "the value, as words",
      .writers = Who::any,
      .readers = Who::any,
      .protection = "whole if the version was even and the same before and after",
      .orders = Orders::release | Orders::acquire};

  struct Cell {
    SharedWord<std::uint32_t, kWordsState> word{0};
  };
  SharedWord<std::uint32_t, kVersionState> version_{0};
  std::array<Cell, kWords> words_;
};

}  // namespace chappe::sync
