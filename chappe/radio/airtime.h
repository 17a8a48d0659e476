#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "chappe/base/units.h"
#include "chappe/radio/modulation.h"

namespace chappe::radio {

/// How long `bytes` occupy the air: exact, a whole number of microseconds for every bandwidth.
/// What the law counts. Context: any. Cost: a few integer operations.
Duration time_on_air(const Modulation& modulation, std::size_t bytes);

/// What the reference believes the same to be: its bandwidth is the nominal one and its symbol time
/// is cut to whole microseconds. Random delays are derived from this and nothing else is.
Duration reference_airtime(const Modulation& modulation, std::size_t bytes);

/// reference_airtime() cut to milliseconds for every length of a frame, so that a decision about a
/// packet is a table look-up. 32 bits: SF 12 at 7.8 kHz reaches 202 s.
using EstimateTable = std::array<std::uint32_t, 256>;
EstimateTable reference_estimates_ms(const Modulation& modulation);

}  // namespace chappe::radio
