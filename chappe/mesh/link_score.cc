#include "chappe/mesh/link_score.h"

#include <algorithm>
#include <cmath>

namespace chappe::mesh {

float link_score(std::uint8_t spreading, float snr_db, std::size_t length) {
  if (spreading < 7) return 0;  // as the reference: it knows no threshold there
  const float threshold_db = -7.5F - 2.5F * static_cast<float>(spreading - 7);
  if (snr_db < threshold_db) return 0;
  const float margin = (snr_db - threshold_db) / 10.0F;
  const float fit = 1.0F - static_cast<float>(length) / 256.0F;
  return std::clamp(margin * fit, 0.0F, 1.0F);
}

std::int64_t raw_receive_delay_ms(float base, float score, std::uint32_t airtime_ms) {
  if (!(base > 0)) return 0;
  // The exponent in single, the power in double precision, as the firmware's compiler does it.
  const double exponent = static_cast<double>(0.85F - score);
  const double factor = std::pow(static_cast<double>(base), exponent) - 1.0;
  return static_cast<std::int64_t>(factor * airtime_ms);
}

Duration applied_receive_delay(std::int64_t raw_ms) {
  if (raw_ms < 50) return Duration::zero();
  return milliseconds(std::min<std::int64_t>(raw_ms, 32'000));
}

}  // namespace chappe::mesh
