#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "chappe/base/units.h"
#include "chappe/config/configuration.h"

namespace chappe::config {

/// Where a band's power limit is measured.
enum class PowerBasis : std::uint8_t {
  erp,        // radiated, against a dipole: EIRP - 2.15 dB
  eirp,       // radiated, against an isotropic antenna
  conducted,  // at the transmitter's output, whatever the antenna
};

/// One row of a regulation. A member that is zero limits nothing.
struct Band {
  std::string_view id;
  Hertz low;
  Hertz high;
  PowerBasis power_basis = PowerBasis::erp;
  std::int32_t power_max_cdbm = 0;  // hundredths of a dBm
  Rule duty{};                      // airtime in any window
  Rule dwell{};                     // the same, held only if `law.dwell` asks for it
  Duration transmission_max{};
  Duration pause_min{};   // silence after each transmission
  Duration listen_min{};  // carrier sense before each transmission
  std::int32_t listen_threshold_cdbm = 0;
};

struct Region {
  std::string_view id;
  std::string_view title;
  std::span<const Band> bands;
};

/// Every region known. A frequency outside all of its region's bands may not be transmitted on.
std::span<const Region> regions();

/// Nothing if there is no such region.
const Region* find_region(std::string_view id);

/// The band that contains the whole occupied bandwidth, centre +- bandwidth / 2. Where two overlap,
/// the one named `id`, or the one listed first if `id` is empty.
const Band* find_band(const Region& region,
                      Hertz frequency,
                      Hertz bandwidth,
                      std::string_view id = {});

/// What a transmission has to respect: the band's limits and the operator's own rules on top.
struct Limits {
  const Band* band = nullptr;
  std::vector<Rule> rules;
  Duration transmission_max{};
  Duration pause_min{};
  Duration listen_min{};
  std::int32_t listen_threshold_cdbm = 0;
};

/// Requires a configuration without contradictions (load.h), so that it has a band.
Limits limits_of(const Configuration& configuration);

/// The power at the point where the band measures it, in hundredths of a dBm.
std::int32_t power_cdbm(const Radio& radio, PowerBasis basis);

}  // namespace chappe::config
