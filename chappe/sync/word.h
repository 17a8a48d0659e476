#pragma once

#include <atomic>
#include <type_traits>

namespace chappe::sync {

/// The memory orders we use. Sequential consistency is missing on purpose: with one protocol in
/// one word nothing needs it, and nothing may come to rely on it.
enum class Order {
  relaxed = static_cast<int>(std::memory_order_relaxed),
  acquire = static_cast<int>(std::memory_order_acquire),
  release = static_cast<int>(std::memory_order_release),
  acq_rel = static_cast<int>(std::memory_order_acq_rel),
};

/// One protocol, one word: everything that several contexts must agree on in one step.
///
/// Context: any, interrupts included. Memory: none. This header is the only door to std::atomic
/// for the rooms above; the schedule explorer replaces it by one whose every access is a choice.
template <class T>
class Word {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8);

 public:
  constexpr explicit Word(T initial) : value_(initial) {}
  Word(const Word&) = delete;
  Word& operator=(const Word&) = delete;

  T load(Order order) const { return value_.load(std(order)); }
  void store(T value, Order order) { value_.store(value, std(order)); }
  T exchange(T value, Order order) { return value_.exchange(value, std(order)); }
  T fetch_add(T amount, Order order) { return value_.fetch_add(amount, std(order)); }
  T fetch_or(T bits, Order order) { return value_.fetch_or(bits, std(order)); }

  /// On failure `expected` holds what was there, read with `failure`.
  bool compare_exchange(T& expected, T desired, Order success, Order failure) {
    return value_.compare_exchange_strong(expected, desired, std(success), std(failure));
  }

  struct Step {
    T before;
    T after;
  };

  /// Replaces the value by `next(value)` in one step. `next` must be pure: it may run several
  /// times. Returning its argument writes nothing; that is a load with acquire.
  template <class Next>
  Step update(Next next, Order order) {
    T before = value_.load(std::memory_order_acquire);
    for (;;) {
      const T after = next(before);
      if (after == before) return {before, after};
      if (value_.compare_exchange_weak(before, after, std(order), std::memory_order_acquire)) {
        return {before, after};
      }
    }
  }

 private:
  static constexpr std::memory_order std(Order order) {
    return static_cast<std::memory_order>(order);
  }
  std::atomic<T> value_;
};

/// A field that other contexts see, whose accesses a proof claims to be ordered by some Word. In
/// the product it is the plain thing; the explorer checks the claim at every access.
template <class T>
class Plain {
 public:
  constexpr Plain() = default;
  constexpr explicit Plain(T value) : value_(value) {}
  T read() const { return value_; }
  void write(T value) { value_ = value; }

 private:
  T value_{};
};

/// What a SharedHint is made of. The explorer has one of its own, whose accesses are no steps.
template <class T>
using HintWord = Word<T>;

}  // namespace chappe::sync
