#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "chappe/base/result.h"
#include "chappe/base/units.h"

namespace chappe::config {

// A quantity is written as a number and its unit, "869.618 MHz" or "1h": a bare number leaves the
// reader to guess. The error is half a sentence that says what is wrong and what is allowed.

/// Hz, kHz, MHz or GHz, down to one hertz.
Result<Hertz, std::string> parse_frequency(std::string_view written);

/// us, ms, s, min, h or d, down to one microsecond.
Result<Duration, std::string> parse_duration(std::string_view written);

/// A share of `whole` in percent, "10 %", or a duration. Rounded down: a limit never grows.
Result<Duration, std::string> parse_share(std::string_view written, Duration whole);

// The shortest text that reads back as the same quantity.
std::string print(Hertz frequency);
std::string print(Duration span);

}  // namespace chappe::config
