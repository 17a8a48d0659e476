#pragma once

#include <cstddef>
#include <cstdint>

#include "chappe/base/units.h"
#include "chappe/mesh/rules.h"

namespace chappe::mesh {

/// How well a frame came through, 0 to 1: the margin over what the spreading factor needs, less for
/// long frames. `length` is the whole frame.
float link_score(std::uint8_t spreading, float snr_db, std::size_t length);

/// How long a flood waits before it is processed, so that copies over better links win.
/// Whole milliseconds and uncut: what is below 50 or above 32000 is the caller's to interpret.
std::int64_t raw_receive_delay_ms(float base, float score, std::uint32_t airtime_ms);

/// The same with its floor and its cap; zero means at once.
Duration applied_receive_delay(std::int64_t raw_ms);

}  // namespace chappe::mesh
