#include "chappe/play/recording.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <numeric>
#include <string_view>

#include "chappe/play/session.h"
#include "chappe/play/vector_file.h"

namespace chappe::play {
namespace {

struct Place {
  std::string file;
  std::string id;  // empty: all
};

bool exists(const std::string& path) {
  return std::ifstream(path).good();
}

// A file whose own name has a '#' is found too.
Place place_of(const std::string& file_and_id) {
  const std::size_t mark = file_and_id.rfind('#');
  if (mark == std::string::npos || exists(file_and_id)) return {file_and_id, {}};
  return {file_and_id.substr(0, mark), file_and_id.substr(mark + 1)};
}

bool is_named(const Scenario& scenario, std::size_t number, std::string_view id) {
  const std::string_view whole = scenario.id;
  if (whole == id || id == std::to_string(number)) return true;
  return whole.size() > id.size() && whole.starts_with(scenario.group + "/") &&
         whole.substr(scenario.group.size() + 1) == id;
}

std::size_t slips_between(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

std::string unknown(const std::string& id, const std::vector<Scenario>& scenarios) {
  constexpr std::size_t kShown = 3;
  std::vector<std::pair<std::size_t, std::size_t>> nearest;  // how far, and which
  for (std::size_t i = 0; i < scenarios.size(); ++i) {
    nearest.emplace_back(slips_between(id, scenarios[i].id), i);
  }
  std::ranges::sort(nearest);
  std::string words = "no recording `" + id + "`; nearest:";
  for (std::size_t i = 0; i < std::min(kShown, nearest.size()); ++i) {
    words += (i == 0 ? " " : ", ") + scenarios[nearest[i].second].id;
  }
  return words;
}

}  // namespace

Result<std::vector<Scenario>, std::string> read_recording(const std::string& file_and_id) {
  const Place place = place_of(file_and_id);
  std::vector<Scenario> scenarios;
  std::string broken;
  const auto trouble = read_vectors(place.file, [&](const VectorItem& item) {
    if (item.schema == VectorItem::Schema::scenario) {
      auto scenario = scenario_from(item.value);
      if (scenario) {
        scenarios.push_back(*std::move(scenario));
      } else if (broken.empty()) {
        broken = "`" + item.name + "` cannot be read";
      }
    } else if (item.value["params"]["steps"].is_array() && item.value["params"].has("node_prv")) {
      const auto session = session_from(item.value);
      if (session) scenarios.push_back(timeline_of(*session));
    }
  });
  if (trouble) return Unexpected(*trouble);
  if (!broken.empty()) return Unexpected(broken);
  if (scenarios.empty()) return Unexpected(std::string("has no recording of a node"));
  if (place.id.empty()) return scenarios;
  for (std::size_t i = 0; i < scenarios.size(); ++i) {
    if (!is_named(scenarios[i], i + 1, place.id)) continue;
    return std::vector<Scenario>{std::move(scenarios[i])};
  }
  return Unexpected(unknown(place.id, scenarios));
}

}  // namespace chappe::play
