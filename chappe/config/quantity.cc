#include "chappe/config/quantity.h"

#include <array>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "chappe/config/nearest.h"

namespace chappe::config {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t scale;  // how many of the smallest unit
};

constexpr std::array kFrequencyUnits{
    Unit{"GHz", 1'000'000'000}, Unit{"MHz", 1'000'000}, Unit{"kHz", 1'000}, Unit{"Hz", 1}};
constexpr std::array kDurationUnits{Unit{"d", 86'400'000'000},
                                    Unit{"h", 3'600'000'000},
                                    Unit{"min", 60'000'000},
                                    Unit{"s", 1'000'000},
                                    Unit{"ms", 1'000},
                                    Unit{"us", 1}};

// Six decimals times the largest scale still fit 64 bits.
constexpr std::size_t kDecimalsMax = 6;
constexpr std::int64_t kMillion = 1'000'000;
static_assert(kDurationUnits[0].scale <= std::numeric_limits<std::int64_t>::max() / kMillion);

/// A number as it was written: `whole` + `millionths` / 1'000'000, and the word behind it.
struct Written {
  std::int64_t whole = 0;
  std::int64_t millionths = 0;
  std::string_view unit;
};

bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

std::optional<Written> split(std::string_view text) {
  Written written;
  std::size_t at = 0;
  for (; at < text.size() && is_digit(text[at]); ++at) {
    if (written.whole > 999'999'999) return std::nullopt;
    written.whole = written.whole * 10 + (text[at] - '0');
  }
  if (at == 0) return std::nullopt;
  if (at < text.size() && text[at] == '.') {
    ++at;
    std::int64_t place = kMillion;
    std::size_t decimals = 0;
    for (; at < text.size() && is_digit(text[at]); ++at) {
      place /= 10;
      written.millionths += place * (text[at] - '0');
      if (++decimals > kDecimalsMax) return std::nullopt;
    }
    if (decimals == 0) return std::nullopt;
  }
  while (at < text.size() && text[at] == ' ') ++at;
  written.unit = text.substr(at);
  return written;
}

std::string quoted(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

std::string listed(std::span<const Unit> units) {
  std::string list;
  for (const Unit& unit : units) {
    if (!list.empty()) list += ", ";
    list += unit.name;
  }
  return list;
}

Result<std::int64_t, std::string> parse(std::string_view text,
                                        std::span<const Unit> units,
                                        std::string_view example) {
  const auto written = split(text);
  if (!written) {
    return Unexpected("wants a number (at most six decimals) and a unit, like " + quoted(example) +
                      ", found " + quoted(text));
  }
  const Unit* found = nullptr;
  for (const Unit& unit : units) {
    if (unit.name == written->unit) found = &unit;
  }
  if (found == nullptr) {
    std::string what = written->unit.empty() ? "has no unit" : "has the unknown unit ";
    if (!written->unit.empty()) what += quoted(written->unit);
    what += ": one of " + listed(units);
    std::vector<std::string_view> names;
    for (const Unit& unit : units) names.push_back(unit.name);
    const auto meant = nearest(written->unit, names);
    if (meant) what += "; did you mean " + quoted(*meant) + "?";
    return Unexpected(what);
  }
  if (written->whole > std::numeric_limits<std::int64_t>::max() / found->scale - 1) {
    return Unexpected("is far too large: " + quoted(text));
  }
  const std::int64_t rest = written->millionths * found->scale;
  if (rest % kMillion != 0) {
    return Unexpected("is finer than one " + std::string(units.back().name) + ": " + quoted(text));
  }
  return written->whole * found->scale + rest / kMillion;
}

std::string print(std::int64_t count, std::span<const Unit> units, std::string_view space) {
  for (const Unit& unit : units) {
    if (count % unit.scale == 0 && count != 0) {
      return std::to_string(count / unit.scale) + std::string(space) + std::string(unit.name);
    }
  }
  return "0" + std::string(space) + std::string(units.back().name);
}

}  // namespace

Result<Hertz, std::string> parse_frequency(std::string_view written) {
  const auto count = parse(written, kFrequencyUnits, "869.618 MHz");
  if (!count) return Unexpected(count.error());
  if (*count > std::numeric_limits<std::uint32_t>::max()) {
    return Unexpected("is far too large: " + quoted(written));
  }
  return Hertz{static_cast<std::uint32_t>(*count)};
}

Result<Duration, std::string> parse_duration(std::string_view written) {
  const auto count = parse(written, kDurationUnits, "60s");
  if (!count) return Unexpected(count.error());
  return Duration(*count);
}

Result<Duration, std::string> parse_share(std::string_view written, Duration whole) {
  const auto percent = split(written);
  if (!percent || percent->unit != "%") {
    const auto span = parse_duration(written);
    if (span) return *span;
    return Unexpected(span.error() + ", or a share like \"10 %\"");
  }
  const std::int64_t millionths = percent->whole * kMillion + percent->millionths;
  constexpr std::int64_t kAll = 100 * kMillion;
  if (percent->whole > 100 || millionths > kAll) {
    return Unexpected("is more than 100 %: " + quoted(written));
  }
  const std::int64_t count = in_us(whole);
  return Duration(count / kAll * millionths + count % kAll * millionths / kAll);
}

std::string print(Hertz frequency) {
  // In the unit people say, with its decimals: 869.618 MHz, 62.5 kHz.
  const Unit unit = frequency.count >= 1'000'000 ? kFrequencyUnits[1]
                    : frequency.count >= 1'000   ? kFrequencyUnits[2]
                                                 : kFrequencyUnits[3];
  std::string text = std::to_string(frequency.count / unit.scale);
  std::int64_t rest = frequency.count % unit.scale;
  if (rest != 0) {
    text += '.';
    for (std::int64_t place = unit.scale / 10; rest != 0; place /= 10) {
      text += static_cast<char>('0' + rest / place);
      rest %= place;
    }
  }
  return text + " " + std::string(unit.name);
}

std::string print(Duration span) {
  return print(in_us(span), kDurationUnits, "");
}

}  // namespace chappe::config
