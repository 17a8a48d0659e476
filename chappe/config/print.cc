#include "chappe/config/print.h"

#include <string_view>

#include "chappe/config/quantity.h"
#include "chappe/config/regions.h"
#include "chappe/config/schema.h"

namespace chappe::config {
namespace {

/// Text in one line of a Markdown table.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char letter : text) {
    if (letter == '|' || letter == '\\' || letter == '*' || letter == '[') escaped += '\\';
    escaped += letter;
  }
  return escaped;
}

std::string code(std::string_view text) {
  return "`" + std::string(text) + "`";
}

std::string decibels(std::int32_t cdbm) {
  std::string text = std::to_string(cdbm / 100);
  if (cdbm % 100 != 0) text += "." + std::to_string(cdbm % 100);
  return text;
}

std::string_view basis_name(PowerBasis basis) {
  switch (basis) {
    case PowerBasis::erp:
      return "ERP";
    case PowerBasis::eirp:
      return "EIRP";
    case PowerBasis::conducted:
      return "conducted";
  }
  return "";
}

std::string time_rules(const Band& band) {
  std::string rules;
  const auto add = [&rules](const std::string& rule) {
    if (!rules.empty()) rules += "; ";
    rules += rule;
  };
  if (band.duty != Rule{}) add(print(band.duty.limit) + " in any " + print(band.duty.window));
  if (band.dwell != Rule{}) {
    add("with `law.dwell`: " + print(band.dwell.limit) + " in any " + print(band.dwell.window));
  }
  if (band.transmission_max != Duration{}) {
    add("at most " + print(band.transmission_max) + " at a time");
  }
  if (band.pause_min != Duration{}) add("then " + print(band.pause_min) + " of silence");
  if (band.listen_min != Duration{}) {
    add("listen for " + print(band.listen_min) + " below " +
        std::to_string(band.listen_threshold_cdbm / 100) + " dBm first");
  }
  return rules.empty() ? "none" : rules;
}

void add_keys(std::string& page, std::string_view section) {
  page += "| key | accepts | default | meaning |\n|---|---|---|---|\n";
  const Configuration defaults;
  for (const Setting& setting : schema()) {
    if (setting.section != section) continue;
    page += "| " + code(setting.key) + " | " + cell(allowed(setting)) + " | " +
            code(print_value(setting, defaults)) + " | " + cell(setting.help) + " |\n";
  }
}

void add_section(std::string& text,
                 const Configuration& configuration,
                 std::string_view section,
                 Secrets secrets) {
  for (const Setting& setting : schema()) {
    if (setting.section != section) continue;
    text += "# " + std::string(setting.help) + "\n";
    const std::string value = print_value(setting, configuration);
    if (setting.secret && secrets == Secrets::hidden && value != quoted_toml("")) {
      text += "# " + std::string(setting.key) + " is set, and not shown.\n";
    } else {
      text += std::string(setting.key) + " = " + value + "\n";
    }
  }
}

}  // namespace

std::string to_toml(const Configuration& configuration, Secrets secrets) {
  std::string text;
  add_section(text, configuration, "", secrets);
  for (const Section& section : sections()) {
    text += "\n# " + std::string(section.help) + "\n[" + std::string(section.name) + "]\n";
    add_section(text, configuration, section.name, secrets);
  }
  return text;
}

std::string reference_page() {
  std::string page =
      "# Configuration\n"
      "\n"
      "`chappe run --config FILE` reads one TOML file. Every key may be left out; the defaults "
      "below make a\nworking node. `chappe run --print-config` prints the whole configuration in "
      "use, which is also a good\nfile to start from.\n"
      "\n"
      "Nothing starts half-configured: an unknown key, a wrong type, unit or range, or values that "
      "contradict\neach other are all reported with line and column, and the program ends with "
      "exit code 2.\n"
      "\n"
      "Frequencies and durations are texts with a unit: `\"869.618 MHz\"`, `\"62.5 kHz\"`, "
      "`\"250ms\"`, `\"1h\"`.\nUnits are GHz, MHz, kHz, Hz and d, h, min, s, ms, us. A bare number "
      "carries its unit in the key's\nname, or has none.\n"
      "\n"
      "This page is generated from the table that the program itself reads by "
      "(`chappe/config/schema.cc`);\na test compares the two.\n"
      "\n"
      "## At the top of the file\n\n";
  add_keys(page, "");
  for (const Section& section : sections()) {
    page += "\n## [" + std::string(section.name) + "]\n\n" + std::string(section.help) + "\n\n";
    add_keys(page, section.name);
  }
  page +=
      "\n## Regions\n"
      "\n"
      "The whole occupied bandwidth, frequency ± bandwidth / 2, has to lie inside one band. Where "
      "two bands\noverlap, the one that `band` names counts, or the one listed first. `law.rules` "
      "add to a band's rules and "
      "never replace them. These\nare the figures the program enforces, not legal advice; they "
      "are data, in [regions.toml](../chappe/config/regions.toml),\nwhich is built in and refused "
      "with "
      "a mistake in it.\n"
      "\n"
      "| region | where | band | from | to | power at most | time rules |\n"
      "|---|---|---|---|---|---|---|\n";
  for (const Region& region : regions()) {
    for (const Band& band : region.bands) {
      page += "| " + code(region.id) + " | " + cell(region.title) + " | " + cell(band.id) + " | " +
              print(band.low) + " | " + print(band.high) + " | " + decibels(band.power_max_cdbm) +
              " dBm " + std::string(basis_name(band.power_basis)) + " | " + time_rules(band) +
              " |\n";
    }
  }
  page +=
      "\n## The default configuration\n"
      "\n"
      "```toml\n" +
      to_toml(Configuration{}, Secrets::shown) + "```\n";
  return page;
}

}  // namespace chappe::config
