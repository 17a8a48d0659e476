#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chappe::play {

/// The console of a node that is played, as recorded sessions type on it.
class Console {
 public:
  virtual ~Console() = default;
  /// The reply to one line, without prompt or line feed. With a timestamp it counts as sent from
  /// afar at that time.
  virtual std::string command(std::string_view line,
                              std::optional<std::uint32_t> sender_timestamp) = 0;
  /// Some command, typed here or sent by radio, has rebooted the node or switched it off.
  virtual bool is_halted() const = 0;
};

/// Answers nothing and changes nothing: what needs more than that fails, and says at which line.
class MuteConsole final : public Console {
 public:
  std::string command(std::string_view, std::optional<std::uint32_t>) override { return {}; }
  bool is_halted() const override { return false; }
};

}  // namespace chappe::play
