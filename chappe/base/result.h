#pragma once

#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "chappe/base/check.h"

namespace chappe {

/// Wraps an error on its way into a Result: `return Unexpected(Refusal::closed);`
template <class E>
class Unexpected {
 public:
  constexpr explicit Unexpected(E error) : error_(std::move(error)) {}
  constexpr const E& error() const& { return error_; }
  constexpr E&& error() && { return std::move(error_); }

 private:
  E error_;
};

/// A value, or the reason why there is none. The names are std::expected's, so that a `using`
/// replaces this class once every compiler we build with has that header.
///
/// Asking for the wrong side is a broken promise of the caller and panics.
template <class T, class E>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  using error_type = E;

  constexpr Result(T value) : has_value_(true) { std::construct_at(&value_, std::move(value)); }
  constexpr Result(Unexpected<E> error) : has_value_(false) {
    std::construct_at(&error_, std::move(error).error());
  }

  constexpr Result(Result&& other) noexcept(kMovesQuietly) : has_value_(other.has_value_) {
    take(std::move(other));
  }
  constexpr Result(const Result& other) : has_value_(other.has_value_) {
    if (has_value_) {
      std::construct_at(&value_, other.value_);
    } else {
      std::construct_at(&error_, other.error_);
    }
  }
  constexpr Result& operator=(Result other) {
    drop();
    has_value_ = other.has_value_;
    take(std::move(other));
    return *this;
  }
  constexpr ~Result() { drop(); }

  constexpr bool has_value() const { return has_value_; }
  constexpr explicit operator bool() const { return has_value_; }

  constexpr T& value() & {
    CHAPPE_CHECK(has_value_);
    return value_;
  }
  constexpr const T& value() const& {
    CHAPPE_CHECK(has_value_);
    return value_;
  }
  constexpr T&& value() && {
    CHAPPE_CHECK(has_value_);
    return std::move(value_);
  }
  constexpr T& operator*() & { return value(); }
  constexpr const T& operator*() const& { return value(); }
  constexpr T&& operator*() && { return std::move(*this).value(); }
  constexpr T* operator->() { return &value(); }
  constexpr const T* operator->() const { return &value(); }

  constexpr const E& error() const {
    CHAPPE_CHECK(!has_value_);
    return error_;
  }

  template <class U>
  constexpr T value_or(U&& other) const& {
    return has_value_ ? value_ : static_cast<T>(std::forward<U>(other));
  }

 private:
  static constexpr bool kMovesQuietly =
      std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_constructible_v<E>;

  constexpr void take(Result&& other) noexcept(kMovesQuietly) {
    if (has_value_) {
      std::construct_at(&value_, std::move(other.value_));
    } else {
      std::construct_at(&error_, std::move(other.error_));
    }
  }
  constexpr void drop() {
    if (has_value_) {
      std::destroy_at(&value_);
    } else {
      std::destroy_at(&error_);
    }
  }

  bool has_value_;
  union {
    T value_;
    E error_;
  };
};

/// Done, or the reason why not.
template <class E>
class [[nodiscard]] Result<void, E> {
 public:
  using value_type = void;
  using error_type = E;

  constexpr Result() : error_{}, has_value_(true) {}
  constexpr Result(Unexpected<E> error) : error_(std::move(error).error()), has_value_(false) {}

  constexpr bool has_value() const { return has_value_; }
  constexpr explicit operator bool() const { return has_value_; }
  constexpr void value() const { CHAPPE_CHECK(has_value_); }
  constexpr const E& error() const {
    CHAPPE_CHECK(!has_value_);
    return error_;
  }

 private:
  E error_;
  bool has_value_;
};

}  // namespace chappe
