#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include "chappe/base/check.h"

namespace chappe {

/// A queue of at most `Capacity` items in place, oldest first.
template <class T, std::size_t Capacity>
class Ring {
 public:
  bool empty() const { return size_ == 0; }
  bool full() const { return size_ == Capacity; }
  std::size_t size() const { return size_; }
  static constexpr std::size_t capacity() { return Capacity; }

  /// False if there is no room; nothing changes then.
  [[nodiscard]] bool try_push(T item) {
    if (full()) return false;
    items_[index(size_)] = std::move(item);
    ++size_;
    return true;
  }
  T pop() {
    CHAPPE_CHECK(!empty());
    T item = std::move(items_[head_]);
    head_ = index(1);
    --size_;
    return item;
  }

  /// Counted from the oldest.
  T& operator[](std::size_t at) { return items_[index(at)]; }
  const T& operator[](std::size_t at) const { return items_[index(at)]; }
  T& back() { return items_[index(size_ - 1)]; }
  const T& back() const { return items_[index(size_ - 1)]; }
  void drop_back() {
    CHAPPE_CHECK(!empty());
    --size_;
  }
  void clear() { head_ = size_ = 0; }

 private:
  std::size_t index(std::size_t at) const {
    const std::size_t sum = head_ + at;
    return sum < Capacity ? sum : sum - Capacity;
  }

  std::array<T, Capacity> items_{};
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace chappe
