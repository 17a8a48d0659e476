#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "chappe/base/result.h"
#include "chappe/config/configuration.h"
#include "chappe/config/document.h"

namespace chappe::config {

// What a setting may hold, one type per shape. `at` finds the member that it sets.

struct TextShape {
  std::string& (*at)(Configuration&);
  std::size_t bytes_min = 0;
  std::size_t bytes_max = 0;
  std::string_view forbidden = "";
  bool lines = false;  // may hold line breaks
};
struct RegionShape {
  std::string& (*at)(Configuration&);
};
struct BooleanShape {
  bool& (*at)(Configuration&);
};
struct IntegerShape {
  std::int32_t& (*at)(Configuration&);
  std::int32_t min = 0;
  std::int32_t max = 0;
  std::string_view unit = "";
  std::span<const std::int32_t> allowed = {};  // if not empty, only these
};
/// A whole number or the word "auto".
struct AutoShape {
  std::optional<std::int32_t>& (*at)(Configuration&);
  std::int32_t min = 0;
  std::int32_t max = 0;
  std::string_view unit = "";
};
struct DecimalShape {
  double& (*at)(Configuration&);
  double min = 0;
  double max = 0;
  std::string_view unit = "";
};
/// One of some words, in the order of the enumerators.
struct ChoiceShape {
  std::uint8_t (*read)(const Configuration&);
  void (*write)(Configuration&, std::uint8_t);
  std::span<const std::string_view> words;
};
struct FrequencyShape {
  Hertz& (*at)(Configuration&);
  Hertz min{};
  Hertz max{};
  std::span<const Hertz> allowed = {};  // if not empty, only these
};
struct DurationShape {
  Duration& (*at)(Configuration&);
  Duration min{};
  Duration max{};
  bool off = false;  // the word "off" is allowed and stands for zero
};
struct SourceShape {
  RadioSource& (*at)(Configuration&);
};
struct RulesShape {
  std::vector<Rule>& (*at)(Configuration&);
};

/// One key of the configuration file. The list of these is the only place that knows them: reading,
/// checking, printing and the documentation all follow it.
struct Setting {
  std::string_view section;  // empty: at the top of the file
  std::string_view key;
  std::variant<TextShape,
               RegionShape,
               BooleanShape,
               IntegerShape,
               AutoShape,
               DecimalShape,
               ChoiceShape,
               FrequencyShape,
               DurationShape,
               SourceShape,
               RulesShape>
      shape;
  std::string_view help;
  bool secret = false;
};

struct Section {
  std::string_view name;
  std::string_view help;
};

inline constexpr std::size_t kRulesMax = 8;

/// In the order of the printed file: the top first, then section by section.
std::span<const Setting> schema();
std::span<const Section> sections();

/// What the setting accepts, as a phrase: "a whole number from 0 to 64".
std::string allowed(const Setting& setting);

/// Sets the member, or says what is wrong with the value. A list may hold several mistakes.
std::vector<Mistake> assign(const Setting& setting, const Node& node, Configuration& into);

/// The setting's value as TOML.
std::string print_value(const Setting& setting, const Configuration& configuration);

/// `text` as a TOML string, quotes included.
std::string quoted_toml(std::string_view text);

/// The value of `[radio] kind` and of `--radio`: "sim", "replay:FILE". The error says what there
/// is.
Result<RadioSource, std::string> parse_radio_source(std::string_view written);
std::string print(const RadioSource& source);

}  // namespace chappe::config
