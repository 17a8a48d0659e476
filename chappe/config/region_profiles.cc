#include "chappe/config/region_profiles.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <variant>

#include "chappe/config/document.h"
#include "chappe/config/quantity.h"

namespace chappe::config {
namespace {

// What a file name may hold on every system: a band's name is part of one.
bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 16 && std::ranges::all_of(text, [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '-';
  });
}

/// Takes tables apart and remembers the first mistake.
class Reader {
 public:
  void read(const Node::Table& top) {
    for (const Entry& entry : top) {
      if (entry.key != "region") {
        unknown(entry);
        continue;
      }
      for (const Node& node : array(entry.node)) read_region(node);
    }
    if (profiles_.regions.empty()) wrong({}, "there is no region");
  }
  Result<RegionProfiles, Mistake> take() && {
    if (mistake_) return Unexpected(*std::move(mistake_));
    return std::move(profiles_);
  }

 private:
  void read_region(const Node& node) {
    Region region;
    std::vector<Band>& bands = profiles_.bands.emplace_back();
    for (const Entry& entry : table(node)) {
      if (entry.key == "id") {
        region.id = name(entry.node);
      } else if (entry.key == "title") {
        region.title = text(entry.node);
      } else if (entry.key == "band") {
        for (const Node& band : array(entry.node)) read_band(band, bands);
      } else {
        unknown(entry);
      }
    }
    if (region.id.empty()) wrong(node.place, "a region has no id");
    if (region.title.empty()) wrong(node.place, "a region has no title");
    if (bands.empty()) wrong(node.place, "a region has no band");
    for (const Region& other : profiles_.regions) {
      if (other.id == region.id) wrong(node.place, "two regions have one id");
    }
    region.bands = bands;
    profiles_.regions.push_back(region);
  }

  void read_band(const Node& node, std::vector<Band>& bands) {
    Band band;
    int powers = 0;
    const auto power = [&](const Node& value, PowerBasis basis) {
      band.power_basis = basis;
      band.power_max_cdbm = cdbm(value);
      ++powers;
    };
    for (const Entry& entry : table(node)) {
      const Node& value = entry.node;
      if (entry.key == "id") {
        band.id = name(value);
      } else if (entry.key == "low") {
        band.low = quantity(value, parse_frequency);
      } else if (entry.key == "high") {
        band.high = quantity(value, parse_frequency);
      } else if (entry.key == "erp_dbm") {
        power(value, PowerBasis::erp);
      } else if (entry.key == "eirp_dbm") {
        power(value, PowerBasis::eirp);
      } else if (entry.key == "conducted_dbm") {
        power(value, PowerBasis::conducted);
      } else if (entry.key == "airtime") {
        band.duty = rule(value);
      } else if (entry.key == "dwell") {
        band.dwell = rule(value);
      } else if (entry.key == "transmission_max") {
        band.transmission_max = span(value);
      } else if (entry.key == "pause_min") {
        band.pause_min = span(value);
      } else if (entry.key == "listen") {
        read_listen(value, band);
      } else {
        unknown(entry);
      }
    }
    if (band.id.empty()) wrong(node.place, "a band has no id");
    if (band.low >= band.high) wrong(node.place, "a band ends before it begins");
    if (powers != 1) {
      wrong(node.place, "a band has one of erp_dbm, eirp_dbm and conducted_dbm");
    }
    for (const Band& other : bands) {
      if (other.id == band.id) wrong(node.place, "two bands of a region have one id");
    }
    bands.push_back(band);
  }

  void read_listen(const Node& node, Band& band) {
    bool has_level = false;
    for (const Entry& entry : table(node)) {
      if (entry.key == "span") {
        band.listen_min = span(entry.node);
      } else if (entry.key == "below_dbm") {
        band.listen_threshold_cdbm = cdbm(entry.node);
        has_level = true;
      } else {
        unknown(entry);
      }
    }
    if (band.listen_min == Duration::zero() || !has_level) {
      wrong(node.place, "listening takes a span and below_dbm");
    }
  }

  Rule rule(const Node& node) {
    Rule rule;
    for (const Entry& entry : table(node)) {
      if (entry.key == "limit") {
        rule.limit = span(entry.node);
      } else if (entry.key == "window") {
        rule.window = span(entry.node);
      } else {
        unknown(entry);
      }
    }
    const bool fits = rule.limit > Duration::zero() && rule.limit <= rule.window;
    if (!fits) wrong(node.place, "a limit is above zero and no longer than its window");
    return rule;
  }

  // A member that is zero limits nothing, so none is written as zero.
  Duration span(const Node& node) {
    const Duration span = quantity(node, parse_duration);
    if (span == Duration::zero()) wrong(node.place, "a span of nothing limits nothing");
    return span;
  }

  template <class Value>
  Value quantity(const Node& node, Result<Value, std::string> (*parse)(std::string_view)) {
    const Result<Value, std::string> value = parse(text(node));
    if (value) return *value;
    wrong(node.place, value.error());
    return Value{};
  }

  std::int32_t cdbm(const Node& node) {
    double dbm = NAN;
    if (const auto* whole = std::get_if<std::int64_t>(&node.value)) {
      dbm = static_cast<double>(*whole);
    } else if (const auto* number = std::get_if<double>(&node.value)) {
      dbm = *number;
    }
    if (dbm >= -150 && dbm <= 50) return static_cast<std::int32_t>(std::lround(dbm * 100));
    wrong(node.place, "a level is a number from -150 to 50 dBm");
    return 0;
  }

  std::string_view name(const Node& node) {
    const std::string_view id = text(node);
    if (!is_name(id)) wrong(node.place, "an id is up to 16 letters, digits and hyphens");
    return id;
  }

  std::string_view text(const Node& node) {
    const auto* text = std::get_if<std::string>(&node.value);
    if (text != nullptr) return profiles_.texts.emplace_back(*text);
    wrong(node.place, "this is no text");
    return {};
  }

  std::span<const Node> array(const Node& node) {
    if (const auto* array = std::get_if<Node::Array>(&node.value)) return *array;
    wrong(node.place, "this is no array of tables");
    return {};
  }

  std::span<const Entry> table(const Node& node) {
    if (const auto* table = std::get_if<Node::Table>(&node.value)) return *table;
    wrong(node.place, "this is no table");
    return {};
  }

  void unknown(const Entry& entry) { wrong(entry.key_place, "unknown key \"" + entry.key + "\""); }

  void wrong(Place place, std::string what) {
    if (!mistake_) mistake_ = Mistake{place, std::move(what)};
  }

  RegionProfiles profiles_;
  std::optional<Mistake> mistake_;
};

}  // namespace

Result<RegionProfiles, Mistake> read_regions(std::string_view text) {
  const auto document = read_document(text);
  if (!document) return Unexpected(document.error());
  Reader reader;
  reader.read(*document);
  return std::move(reader).take();
}

}  // namespace chappe::config
