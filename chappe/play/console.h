#pragma once

#include <string>
#include <string_view>

namespace chappe::play {

/// The console of a node that is played, as recorded sessions type on it.
class Console {
 public:
  virtual ~Console() = default;
  /// The reply to one line, without prompt or line feed.
  virtual std::string command(std::string_view line) = 0;
};

/// Answers nothing and changes nothing: what needs more than that fails, and says at which line.
class MuteConsole final : public Console {
 public:
  std::string command(std::string_view) override { return {}; }
};

}  // namespace chappe::play
