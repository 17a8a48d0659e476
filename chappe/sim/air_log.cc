#include "chappe/sim/air_log.h"

#include <algorithm>

namespace chappe::sim {

std::string AirLog::text() const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const Entry& entry : entries_) {
    text += std::to_string(in_us(entry.from)) + ' ' + std::to_string(in_us(entry.to)) + ' ' +
            std::to_string(static_cast<int>(entry.station)) + ' ';
    for (const std::uint8_t byte : entry.frame) {
      text += kDigits[byte >> 4];
      text += kDigits[byte & 0xf];
    }
    for (const auto& [at, fate] : entry.fates) {
      text += ' ' + std::to_string(static_cast<int>(at)) + ':';
      text += to_string(fate);
    }
    text += '\n';
  }
  return text;
}

void AirLog::on_keyed(const Radiation& radiation) noexcept {
  entries_.push_back({radiation.station,
                      radiation.from,
                      radiation.to,
                      {radiation.frame.begin(), radiation.frame.end()},
                      {}});
}

void AirLog::on_fate(const Radiation& radiation, StationId at, Fate fate) noexcept {
  // A station sends one frame after the other, so its last one is the one that ends.
  const auto entry = std::find_if(entries_.rbegin(), entries_.rend(), [&](const Entry& each) {
    return each.station == radiation.station;
  });
  entry->fates.emplace_back(at, fate);
}

}  // namespace chappe::sim
