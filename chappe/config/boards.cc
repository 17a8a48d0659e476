#include "chappe/config/boards.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "chappe/config/nearest.h"
#include "chappe/config/schema.h"

namespace chappe::config {
namespace {

#define BOARD(...) BoardPreset{__VA_ARGS__},
constexpr BoardPreset kBoards[] = {
#include "chappe/config/boards.inc"
};
#undef BOARD

constexpr std::uint32_t kLinesMax = 1023;
constexpr std::uint32_t kChipsMax = 63;

// What DIO3 can feed an oscillator with (SX1261/2 datasheet 1.2, table 13-35), in tenths of a volt.
constexpr std::array kTcxoDecivolts = {16, 17, 18, 22, 24, 27, 30, 33};

std::optional<std::uint32_t> parse_number(std::string_view text, std::uint32_t max) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number > max) return std::nullopt;
  return number;
}

std::optional<Pin> parse_pin(std::string_view text) {
  Pin pin;
  if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    pin.chip = parse_number(text.substr(0, colon), kChipsMax);
    if (!pin.chip) return std::nullopt;
    text.remove_prefix(colon + 1);
  }
  const auto line = parse_number(text, kLinesMax);
  if (!line) return std::nullopt;
  pin.line = *line;
  return pin;
}

std::optional<std::int32_t> parse_tcxo(std::string_view volts) {
  for (const std::int32_t tenths : kTcxoDecivolts) {
    if (volts == std::to_string(tenths / 10) + "." + std::to_string(tenths % 10)) return tenths;
  }
  return std::nullopt;
}

// Reads the pins of a board one after the other, and remembers the first thing that is wrong.
class PinReader {
 public:
  std::vector<Pin> any(std::string_view key, std::string_view ours, std::string_view preset) {
    auto pins = parse_pins(ours.empty() ? preset : ours);
    if (pins) return *pins;
    if (wrong_.empty()) wrong_ = "[board] " + std::string(key) + " " + pins.error();
    return {};
  }
  std::optional<Pin> one(std::string_view key, std::string_view ours, std::string_view preset) {
    const std::vector<Pin> pins = any(key, ours, preset);
    if (pins.size() > 1 && wrong_.empty()) {
      wrong_ = "[board] " + std::string(key) + " wants one pin";
    }
    return pins.empty() ? std::nullopt : std::optional(pins.front());
  }
  Pin needed(std::string_view key, std::string_view ours, std::string_view preset) {
    const auto pin = one(key, ours, preset);
    if (!pin && wrong_.empty()) {
      wrong_ =
          "the radio sx126x needs to know its board: [board] name (or --board; 'chappe boards' "
          "lists them), or its own pins, of which " +
          std::string(key) + " is missing";
    }
    return pin.value_or(Pin{});
  }
  const std::string& wrong() const { return wrong_; }

 private:
  std::string wrong_;
};

}  // namespace

std::span<const BoardPreset> boards() {
  return kBoards;
}

const BoardPreset* find_board(std::string_view name) {
  const auto found = std::ranges::find(kBoards, name, &BoardPreset::name);
  return found == std::end(kBoards) ? nullptr : found;
}

Result<std::vector<Pin>, std::string> parse_pins(std::string_view text) {
  std::vector<Pin> pins;
  if (text.empty() || text == "none") return pins;
  for (;;) {
    const std::size_t comma = text.find(',');
    const auto pin = parse_pin(text.substr(0, comma));
    if (!pin) {
      return Unexpected(quoted_toml(text.substr(0, comma)) +
                        " is no pin; write the line of the header's GPIO chip (\"18\"), a chip and "
                        "its line (\"1:25\"), or \"none\"");
    }
    pins.push_back(*pin);
    if (comma == std::string_view::npos) return pins;
    text.remove_prefix(comma + 1);
  }
}

Result<WiredBoard, std::string> wired_board(const Board& board) {
  BoardPreset preset{};
  preset.spi = "/dev/spidev0.0";
  preset.spi_hz = 2'000'000;
  preset.dio2_switch = true;
  if (!board.name.empty()) {
    const BoardPreset* const found = find_board(board.name);
    if (found == nullptr) {
      std::vector<std::string_view> names;
      for (const BoardPreset& known : kBoards) names.push_back(known.name);
      const auto meant = nearest(board.name, names);
      return Unexpected("the board " + quoted_toml(board.name) + " is unknown" +
                        (meant ? "; did you mean " + quoted_toml(*meant) + "?" : std::string()) +
                        " ('chappe boards' lists all)");
    }
    preset = *found;
  }
  PinReader pins;
  WiredBoard wired;
  wired.spi = board.spi.empty() ? std::string(preset.spi) : board.spi;
  wired.spi_hz = board.spi_hz.value_or(preset.spi_hz);
  wired.gpiochip = board.gpiochip;
  wired.reset = pins.needed("reset", board.reset, preset.reset);
  wired.busy = pins.needed("busy", board.busy, preset.busy);
  wired.irq = pins.needed("irq", board.irq, preset.irq);
  wired.cs = pins.one("cs", board.cs, preset.cs);
  wired.txen = pins.one("txen", board.txen, preset.txen);
  wired.rxen = pins.one("rxen", board.rxen, preset.rxen);
  wired.enable = pins.any("enable", board.enable, preset.enable);
  if (!pins.wrong().empty()) return Unexpected(pins.wrong());
  const std::string_view tcxo = board.tcxo.empty() ? preset.tcxo : std::string_view(board.tcxo);
  if (!tcxo.empty() && tcxo != "none") {
    wired.tcxo_decivolts = parse_tcxo(tcxo);
    if (!wired.tcxo_decivolts) {
      return Unexpected(
          std::string("[board] tcxo wants \"none\" or volts: \"1.6\", \"1.7\", \"1.8\", \"2.2\", "
                      "\"2.4\", \"2.7\", \"3.0\" or \"3.3\""));
    }
  }
  wired.dio2_switch = board.dio2 == Dio2::board ? preset.dio2_switch : board.dio2 == Dio2::on;
  wired.power_max_dbm = preset.power_max_dbm;
  return wired;
}

std::string boards_page() {
  std::string page =
      "# Boards with an SX1262\n"
      "\n"
      "`chappe run --radio sx126x --board NAME` drives an SX1262 on SPI. `chappe doctor --radio "
      "sx126x\n--board NAME` looks first whether it is wired, answers and hears; it transmits "
      "nothing.\n"
      "\n"
      "1. Switch SPI on. On a Raspberry Pi: `sudo raspi-config nonint do_spi 0`, and restart.\n"
      "2. Be in the groups of the devices: `sudo usermod -aG spi,gpio $USER`, and log in anew.\n"
      "3. Find your board below, or name its pins in `[board]` ([configuration.md]"
      "(configuration.md)).\n"
      "4. Screw the antenna on before anything transmits.\n"
      "\n"
      "The table is what the users of each board publish (openhop_repeater; meshtastic, names that "
      "begin\nwith mt-; meshcore-linux-spi; meshcore-pi), not what we have measured. Where one "
      "board stands here\ntwice with different numbers, one of them is wrong or there are two "
      "revisions: the doctor tells.\nPins are lines of the header's GPIO chip, or chip:line. A "
      "number below 22 in the last column is what an\namplifier behind the chip stands; more is "
      "refused. Not here, because nothing drives them: boards\nbehind a CH341 (USB), and those "
      "with an SX127x or LR11xx.\n"
      "\n"
      "A board of your own:\n"
      "\n"
      "    [radio]\n"
      "    kind = \"sx126x\"\n"
      "    [board]\n"
      "    spi = \"/dev/spidev0.0\"\n"
      "    reset = \"18\"\n"
      "    busy = \"20\"\n"
      "    irq = \"16\"\n"
      "    tcxo = \"1.8\"   # or none: a crystal\n"
      "\n"
      "A wire of `[board]` wins over that of the named board. The kernel must drive chip select, "
      "or `cs`\nnames the pin that does.\n"
      "\n"
      "This page is generated from `chappe/config/boards.inc`; a test compares the two.\n"
      "\n"
      "| board | what it is | SPI | reset | busy | irq | cs | txen | rxen | enable | TCXO | DIO2 "
      "switches | dBm at most |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|\n";
  for (const BoardPreset& board : kBoards) {
    const auto cell = [&page](std::string_view text) { (page += text) += " | "; };
    page += "| ";
    cell("`" + std::string(board.name) + "`");
    for (const std::string_view text : {board.title,
                                        board.spi,
                                        board.reset,
                                        board.busy,
                                        board.irq,
                                        board.cs,
                                        board.txen,
                                        board.rxen,
                                        board.enable,
                                        board.tcxo}) {
      cell(text);
    }
    cell(board.dio2_switch ? "yes" : "no");
    page += std::to_string(board.power_max_dbm) + " |\n";
  }
  return page;
}

}  // namespace chappe::config
