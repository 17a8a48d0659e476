#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "chappe/base/bytes.h"

namespace chappe::client {

/// Stands before a framing that knows of no passwords: the first line that a client sends must be
/// the password. Pure: bytes in, a decision out. The time of a comparison tells nothing.
class PasswordGate {
 public:
  static constexpr std::size_t kPasswordMax = 64;

  enum class State : std::uint8_t { waits, open, closed };

  /// An empty password: open from the start.
  explicit PasswordGate(std::string_view password)
      : password_(password), state_(password.empty() ? State::open : State::waits) {}

  /// Takes the line off the front of `bytes`, as far as it has come. What is behind it stays.
  State take(Bytes& bytes);
  State state() const { return state_; }

 private:
  void decide();

  const std::string password_;
  std::string said_;
  State state_;
};

}  // namespace chappe::client
