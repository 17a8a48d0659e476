#include "chappe/config/load.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <tuple>
#include <utility>

#include "chappe/config/document.h"
#include "chappe/config/endpoint.h"
#include "chappe/config/nearest.h"
#include "chappe/config/quantity.h"
#include "chappe/config/regions.h"
#include "chappe/config/schema.h"

namespace chappe::config {
namespace {

/// A contradiction, and the settings it arose from: the likeliest to be changed first.
struct Contradiction {
  std::string what;
  std::vector<std::pair<std::string_view, std::string_view>> settings;
};

std::string print_cdbm(std::int32_t cdbm) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "%.2f dBm", cdbm / 100.0);
  return text.data();
}

std::string_view basis_name(PowerBasis basis) {
  switch (basis) {
    case PowerBasis::erp:
      return "ERP";
    case PowerBasis::eirp:
      return "EIRP";
    case PowerBasis::conducted:
      return "at the antenna connector";
  }
  return "";
}

std::string print_bands(const Region& region) {
  std::string list;
  for (const Band& band : region.bands) {
    if (!list.empty()) list += ", ";
    list += print(band.low) + " to " + print(band.high);
  }
  return list;
}

std::vector<Contradiction> find_contradictions(const Configuration& configuration) {
  std::vector<Contradiction> found;
  const Radio& radio = configuration.radio;
  const Region* region = find_region(configuration.region);
  if (region == nullptr) {
    found.push_back(
        {"the region " + quoted_toml(configuration.region) + " is unknown", {{"", "region"}}});
    return found;
  }
  const Band* band = find_band(*region, radio.frequency, radio.bandwidth, configuration.band);
  if (band == nullptr && find_band(*region, radio.frequency, radio.bandwidth) != nullptr) {
    found.push_back({"the channel " + print(radio.frequency) + ", " + print(radio.bandwidth) +
                         " wide, does not lie in the band " + quoted_toml(configuration.band) +
                         " of the region " + quoted_toml(region->id),
                     {{"", "band"}, {"radio", "frequency"}, {"", "region"}}});
  } else if (band == nullptr) {
    found.push_back({"the channel " + print(radio.frequency) + ", " + print(radio.bandwidth) +
                         " wide, lies in no band of the region " + quoted_toml(region->id) +
                         ", which has " + print_bands(*region),
                     {{"radio", "frequency"}, {"", "region"}, {"radio", "bandwidth"}}});
  } else {
    const std::int32_t power = power_cdbm(radio, band->power_basis);
    if (power > band->power_max_cdbm) {
      const std::string basis(basis_name(band->power_basis));
      found.push_back({"the power of " + print_cdbm(power) + " " + basis +
                           " is more than the band " + std::string(band->id) + " of the region " +
                           quoted_toml(region->id) + " allows, " +
                           print_cdbm(band->power_max_cdbm) + " " + basis,
                       {{"radio", "tx_power_dbm"},
                        {"radio", "pa_gain_db"},
                        {"radio", "antenna_gain_dbi"},
                        {"radio", "frequency"},
                        {"", "region"},
                        {"radio", "feeder_loss_db"},
                        {"radio", "bandwidth"}}});
    }
    if (configuration.law.dwell && band->dwell == Rule{}) {
      found.push_back({"the band " + std::string(band->id) + " of the region " +
                           quoted_toml(region->id) + " has no dwell limit to keep",
                       {{"law", "dwell"}}});
    }
  }
  if (configuration.law.kind == LawKind::bucket && radio.kind.is_on_air()) {
    found.push_back({"the law \"bucket\" overspends the budget, so it may not drive a real radio",
                     {{"law", "kind"}, {"radio", "kind"}}});
  }
  if (radio.kind.kind == RadioSource::Kind::kiss) {
    std::string_view line = configuration.modem.line;
    if (line.starts_with(kTcpPrefix) && !parse_host_port(line.substr(kTcpPrefix.size()))) {
      found.push_back(
          {"the modem's line " + quoted_toml(line) + " is not tcp:HOST:PORT", {{"modem", "line"}}});
    }
  }
  if (const Kiss& kiss = configuration.kiss; !kiss.tcp.empty()) {
    const auto place = parse_host_port(kiss.tcp);
    if (!place) {
      found.push_back({"the place " + quoted_toml(kiss.tcp) + " is neither HOST:PORT nor PORT",
                       {{"kiss", "tcp"}}});
    } else if (kiss.password.empty()) {
      found.push_back({"KISS by TCP needs a password, or the word \"off\" on this machine alone",
                       {{"kiss", "tcp"}}});
    } else if (kiss.password == kNoPassword && !is_loopback(*place)) {
      found.push_back(
          {"KISS by TCP at " + quoted_toml(kiss.tcp) + ", which others can reach, needs a password",
           {{"kiss", "tcp"}, {"kiss", "password"}}});
    }
  }
  return found;
}

const Section* find_section(std::string_view name) {
  for (const Section& section : sections()) {
    if (section.name == name) return &section;
  }
  return nullptr;
}

const Setting* find_setting(std::string_view section, std::string_view key) {
  for (const Setting& setting : schema()) {
    if (setting.section == section && setting.key == key) return &setting;
  }
  return nullptr;
}

std::string in_section(std::string_view section) {
  return section.empty() ? " at the top" : " in [" + std::string(section) + "]";
}

/// The best advice for an unknown key: the same key elsewhere, or a similar one here.
std::string key_hint(std::string_view section, std::string_view key) {
  for (const Setting& setting : schema()) {
    if (setting.key == key) {
      return "; \"" + std::string(key) + "\" belongs" + in_section(setting.section);
    }
  }
  std::vector<std::string_view> here;
  std::vector<std::string_view> anywhere;
  for (const Setting& setting : schema()) {
    anywhere.push_back(setting.key);
    if (setting.section == section) here.push_back(setting.key);
  }
  if (section.empty()) {
    for (const Section& candidate : sections()) here.push_back(candidate.name);
  }
  if (const auto meant = nearest(key, here)) {
    const bool is_section = section.empty() && find_section(*meant) != nullptr;
    return is_section ? "; did you mean [" + std::string(*meant) + "]?"
                      : "; did you mean " + quoted_toml(*meant) + "?";
  }
  if (const auto meant = nearest(key, anywhere)) {
    for (const Setting& setting : schema()) {
      if (setting.key == *meant) {
        return "; did you mean " + quoted_toml(*meant) + in_section(setting.section) + "?";
      }
    }
  }
  return "";
}

/// Walks the document along the schema and collects values, places and mistakes.
class Reader {
 public:
  void read_top(const Node::Table& top) {
    for (const Entry& entry : top) {
      if (find_section(entry.key) != nullptr) {
        read_section(entry);
      } else if (std::holds_alternative<Node::Table>(entry.node.value) &&
                 find_setting("", entry.key) == nullptr) {
        std::vector<std::string_view> names;
        for (const Section& section : sections()) names.push_back(section.name);
        const auto meant = nearest(entry.key, names);
        wrong(entry.key_place,
              "unknown section [" + entry.key + "]" +
                  (meant ? "; did you mean [" + std::string(*meant) + "]?" : ""));
      } else {
        read_setting("", entry);
      }
    }
  }

  Loaded take() && {
    // Values that could not be read would only be blamed again for not fitting together.
    if (mistakes_.empty()) {
      for (const Contradiction& contradiction : find_contradictions(configuration_)) {
        wrong(place_of(contradiction), contradiction.what);
      }
    }
    if (mistakes_.empty()) return std::move(configuration_);
    std::sort(mistakes_.begin(), mistakes_.end(), [](const Mistake& a, const Mistake& b) {
      return std::tie(a.place, a.what) < std::tie(b.place, b.what);
    });
    return Unexpected(std::move(mistakes_));
  }

 private:
  struct Known {
    const Setting* setting;
    Place place;
  };

  void wrong(Place place, std::string what) {
    mistakes_.push_back(Mistake{place, std::move(what)});
  }

  void read_section(const Entry& entry) {
    const auto* entries = std::get_if<Node::Table>(&entry.node.value);
    if (entries == nullptr) {
      wrong(entry.key_place,
            "\"" + entry.key + "\" is a section: write [" + entry.key +
                "] on a line of its own and its keys below");
      return;
    }
    for (const Entry& inner : *entries) read_setting(entry.key, inner);
  }

  void read_setting(std::string_view section, const Entry& entry) {
    const Setting* setting = find_setting(section, entry.key);
    if (setting == nullptr) {
      wrong(entry.key_place,
            "unknown key " + quoted_toml(entry.key) + in_section(section) +
                key_hint(section, entry.key));
      return;
    }
    known_.push_back(Known{setting, entry.node.place});
    for (Mistake& mistake : assign(*setting, entry.node, configuration_)) {
      mistakes_.push_back(std::move(mistake));
    }
  }

  /// The first setting involved that the file has; a default alone contradicts nothing.
  Place place_of(const Contradiction& contradiction) const {
    for (const auto& [section, key] : contradiction.settings) {
      for (const Known& known : known_) {
        if (known.setting->section == section && known.setting->key == key) return known.place;
      }
    }
    return Place{};
  }

  Configuration configuration_;
  std::vector<Known> known_;
  std::vector<Mistake> mistakes_;
};

Loaded unreadable(std::string_view why) {
  return Unexpected(std::vector{Mistake{Place{}, "cannot be read: " + std::string(why)}});
}

}  // namespace

Loaded parse(std::string_view text) {
  const auto document = read_document(text);
  if (!document) return Unexpected(std::vector{document.error()});
  Reader reader;
  reader.read_top(*document);
  return std::move(reader).take();
}

Loaded load(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "rbe");
  if (file == nullptr) return unreadable(std::strerror(errno));
  // One byte more than allowed, so that a file that is too long is seen to be.
  std::string text(kDocumentBytesMax + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  const int failure = std::ferror(file) != 0 ? errno : 0;
  std::fclose(file);
  if (failure != 0) return unreadable(std::strerror(failure));
  return parse(text);
}

std::vector<std::string> contradictions(const Configuration& configuration) {
  std::vector<std::string> found;
  for (Contradiction& contradiction : find_contradictions(configuration)) {
    found.push_back(std::move(contradiction.what));
  }
  return found;
}

}  // namespace chappe::config
