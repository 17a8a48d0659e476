#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chappe/base/result.h"
#include "chappe/config/configuration.h"

namespace chappe::config {

/// A board with an SX1262 on SPI, as its users wire it. Pins as texts, see parse_pins(); empty: not
/// there.
struct BoardPreset {
  std::string_view name;
  std::string_view title;
  std::string_view spi;
  std::int32_t spi_hz = 0;
  std::string_view reset;
  std::string_view busy;
  std::string_view irq;
  std::string_view cs;
  std::string_view txen;
  std::string_view rxen;
  std::string_view enable;
  std::string_view tcxo;  // volts; empty: a crystal
  bool dio2_switch = false;
  std::int32_t power_max_dbm = 22;  // of the chip; less before an amplifier
};

std::span<const BoardPreset> boards();
const BoardPreset* find_board(std::string_view name);

/// A pin, as a line of a GPIO chip; without a number of that: the header's.
struct Pin {
  std::optional<std::uint32_t> chip{};
  std::uint32_t line = 0;

  bool operator==(const Pin&) const = default;
};

/// "18", "1:25", "12,13"; nothing for "" and "none". The error says what is wrong.
Result<std::vector<Pin>, std::string> parse_pins(std::string_view text);

/// What [board] says, with what the named board has for all it leaves out.
struct WiredBoard {
  std::string spi;
  std::int32_t spi_hz = 0;
  std::string gpiochip;  // empty: the header's
  Pin reset;
  Pin busy;
  Pin irq;
  std::optional<Pin> cs;
  std::optional<Pin> txen;
  std::optional<Pin> rxen;
  std::vector<Pin> enable;
  std::optional<std::int32_t> tcxo_decivolts;
  bool dio2_switch = true;
  std::int32_t power_max_dbm = 22;
};

/// The error is a sentence: an unknown board, a pin that is none, a wire that is missing.
Result<WiredBoard, std::string> wired_board(const Board& board);

/// docs/boards.md.
std::string boards_page();

}  // namespace chappe::config
