#include "chappe/config/regions.h"

#include <array>
#include <cmath>

#include "chappe/base/check.h"

namespace chappe::config {
namespace {

constexpr Hertz khz(std::uint32_t count) {
  return Hertz{count * 1000};
}
constexpr Rule hourly(Duration limit) {
  return Rule{.window = hours(1), .limit = limit};
}

// EU Decision 2019/1345 and EN 300 220-2: the band letters are the standard's. Band Q (5 mW, no
// duty cycle) is left out, because R holds the same channel at a power that a repeater uses.
constexpr std::array kEu868{
    Band{.id = "K",
         .low = khz(863'000),
         .high = khz(865'000),
         .power_max_cdbm = 1400,
         .duty = hourly(milliseconds(3'600))},
    Band{.id = "L",
         .low = khz(865'000),
         .high = khz(868'000),
         .power_max_cdbm = 1400,
         .duty = hourly(seconds(36))},
    Band{.id = "M",
         .low = khz(868'000),
         .high = khz(868'600),
         .power_max_cdbm = 1400,
         .duty = hourly(seconds(36))},
    Band{.id = "N",
         .low = khz(868'700),
         .high = khz(869'200),
         .power_max_cdbm = 1400,
         .duty = hourly(milliseconds(3'600))},
    Band{.id = "P",
         .low = khz(869'400),
         .high = khz(869'650),
         .power_max_cdbm = 2700,
         .duty = hourly(seconds(360))},
    Band{.id = "R",
         .low = khz(869'700),
         .high = khz(870'000),
         .power_max_cdbm = 1400,
         .duty = hourly(seconds(36))},
};

constexpr std::array kEu433{
    Band{.id = "433",
         .low = khz(433'050),
         .high = khz(434'790),
         .power_max_cdbm = 1000,
         .duty = hourly(seconds(360))},
};

// 47 CFR 15.247: the dwell limit belongs to frequency hopping, so it holds only when asked for.
constexpr std::array kUs915{
    Band{.id = "US",
         .low = khz(902'000),
         .high = khz(928'000),
         .power_basis = PowerBasis::conducted,
         .power_max_cdbm = 3000,
         .dwell = {.window = seconds(20), .limit = milliseconds(400)}},
};

constexpr std::array kAnz915{
    Band{.id = "ANZ",
         .low = khz(915'000),
         .high = khz(928'000),
         .power_basis = PowerBasis::eirp,
         .power_max_cdbm = 3000},
};

// ARIB STD-T108: channels 24 to 38, then 37 to 61.
constexpr std::array kJp920{
    Band{.id = "JP-A",
         .low = khz(920'500),
         .high = khz(923'500),
         .power_basis = PowerBasis::eirp,
         .power_max_cdbm = 1300,
         .transmission_max = seconds(4),
         .pause_min = milliseconds(50),
         .listen_min = milliseconds(5),
         .listen_threshold_cdbm = -8000},
    Band{.id = "JP-B",
         .low = khz(922'300),
         .high = khz(928'100),
         .power_basis = PowerBasis::eirp,
         .power_max_cdbm = 1300,
         .duty = hourly(seconds(360)),
         .transmission_max = milliseconds(400),
         .pause_min = milliseconds(2),
         .listen_min = microseconds(128),
         .listen_threshold_cdbm = -8000},
};

constexpr std::array kKr920{
    Band{.id = "KR-lo",
         .low = khz(920'800),
         .high = khz(922'000),
         .power_basis = PowerBasis::eirp,
         .power_max_cdbm = 1000,
         .transmission_max = seconds(4),
         .listen_min = milliseconds(5),
         .listen_threshold_cdbm = -6500},
    Band{.id = "KR-hi",
         .low = khz(922'000),
         .high = khz(923'400),
         .power_basis = PowerBasis::eirp,
         .power_max_cdbm = 1400,
         .transmission_max = seconds(4),
         .listen_min = milliseconds(5),
         .listen_threshold_cdbm = -6500},
};

constexpr std::array kIn865{
    Band{.id = "IN",
         .low = khz(865'000),
         .high = khz(867'000),
         .power_basis = PowerBasis::eirp,
         .power_max_cdbm = 3000},
};

constexpr std::array kCn470{
    Band{.id = "CN",
         .low = khz(470'000),
         .high = khz(510'000),
         .power_basis = PowerBasis::eirp,
         .power_max_cdbm = 1915,
         .transmission_max = seconds(1)},
};

constexpr std::array kRegions{
    Region{"eu868", "Europe, United Kingdom, Switzerland", kEu868},
    Region{"eu433", "Europe, 433 MHz", kEu433},
    Region{"us915", "United States, Canada", kUs915},
    Region{"anz915", "Australia, New Zealand", kAnz915},
    Region{"jp920", "Japan", kJp920},
    Region{"kr920", "Korea", kKr920},
    Region{"in865", "India", kIn865},
    Region{"cn470", "China", kCn470},
};

constexpr double kDipoleGainDb = 2.15;

}  // namespace

std::span<const Region> regions() {
  return kRegions;
}

const Region* find_region(std::string_view id) {
  for (const Region& region : kRegions) {
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
