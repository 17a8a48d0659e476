#pragma once

#include <cstddef>
#include <cstdint>

#include "chappe/base/random.h"
#include "chappe/base/units.h"
#include "chappe/mesh/packet.h"
#include "chappe/mesh/rules.h"

namespace chappe::mesh {

// Protocol 10.1: lower goes first.
inline constexpr std::uint8_t kPriorityDirect = 0;
inline constexpr std::uint8_t kPriorityOwnFlood = 1;
inline constexpr std::uint8_t kPriorityOwnDirectPath = 1;
inline constexpr std::uint8_t kPriorityOwnFloodPath = 2;
inline constexpr std::uint8_t kPriorityOwnFloodAdvert = 3;
inline constexpr std::uint8_t kPriorityTrace = 5;

/// Between copies of one acknowledgement.
inline constexpr Duration kMultiAckSpacing = milliseconds(300);

/// A fifth of the longest random delay: the t of protocol 10.3, a delay being
/// drawn from [0, 5t]. `path` and `payload` are bytes as they will be sent; transport codes do not
/// count. The factor is multiplied in single precision and cut, or bounds would be off by one.
inline std::uint32_t delay_unit_ms(const Rules& rules,
                                   float factor,
                                   std::size_t path,
                                   std::size_t payload) {
  const std::uint32_t estimate_ms = rules.estimates_ms[path + payload + 2];
  return static_cast<std::uint32_t>(static_cast<float>(estimate_ms) * factor);
}

inline Duration flood_delay(const Rules& rules,
                            Random& random,
                            std::size_t path,
                            std::size_t payload) {
  const std::uint32_t unit_ms = delay_unit_ms(rules, rules.flood_delay_factor, path, payload);
  return milliseconds(random.up_to(5 * unit_ms));
}

inline Duration direct_delay(const Rules& rules,
                             Random& random,
                             std::size_t path,
                             std::size_t payload) {
  const std::uint32_t unit_ms = delay_unit_ms(rules, rules.direct_delay_factor, path, payload);
  return milliseconds(random.up_to(5 * unit_ms));
}

}  // namespace chappe::mesh
