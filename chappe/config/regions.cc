#include "chappe/config/regions.h"

#include <cmath>
#include <utility>

#include "chappe/base/check.h"
#include "chappe/config/region_profiles.h"

namespace chappe::config {
namespace {

constexpr double kDipoleGainDb = 2.15;

}  // namespace

std::span<const Region> regions() {
  static const RegionProfiles profiles = [] {
    auto read = read_regions(kRegionsText);
    CHAPPE_CHECK(read.has_value());  // a test reads the same text
    return *std::move(read);
  }();
  return profiles.regions;
}

const Region* find_region(std::string_view id) {
  for (const Region& region : regions()) {
    if (region.id == id) return &region;
  }
  return nullptr;
}

const Band* find_band(const Region& region, Hertz frequency, Hertz bandwidth, std::string_view id) {
  // Doubled, so that half of an odd bandwidth stays exact.
  const std::uint64_t centre = 2 * std::uint64_t{frequency.count};
  if (centre < bandwidth.count) return nullptr;
  for (const Band& band : region.bands) {
    const bool above_low = centre - bandwidth.count >= 2 * std::uint64_t{band.low.count};
    const bool below_high = centre + bandwidth.count <= 2 * std::uint64_t{band.high.count};
    if (above_low && below_high && (id.empty() || band.id == id)) return &band;
  }
  return nullptr;
}

Limits limits_of(const Configuration& configuration) {
  const Region* region = find_region(configuration.region);
  CHAPPE_CHECK(region != nullptr);
  const Band* band = find_band(
      *region, configuration.radio.frequency, configuration.radio.bandwidth, configuration.band);
  CHAPPE_CHECK(band != nullptr);

  Limits limits{.band = band,
                .rules = {},
                .transmission_max = band->transmission_max,
                .pause_min = band->pause_min,
                .listen_min = band->listen_min,
                .listen_threshold_cdbm = band->listen_threshold_cdbm};
  if (band->duty != Rule{}) limits.rules.push_back(band->duty);
  if (configuration.law.dwell && band->dwell != Rule{}) limits.rules.push_back(band->dwell);
  limits.rules.insert(
      limits.rules.end(), configuration.law.rules.begin(), configuration.law.rules.end());
  return limits;
}

std::int32_t power_cdbm(const Radio& radio, PowerBasis basis) {
  double power = radio.tx_power_dbm + radio.pa_gain_db;
  if (basis != PowerBasis::conducted) power += radio.antenna_gain_dbi - radio.feeder_loss_db;
  if (basis == PowerBasis::erp) power -= kDipoleGainDb;
  return static_cast<std::int32_t>(std::lround(power * 100));
}

}  // namespace chappe::config
