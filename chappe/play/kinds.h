#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "chappe/play/json_value.h"
#include "chappe/radio/modulation.h"

/// The kinds of vectors that need no node: bytes in, fields out.
namespace chappe::play {

/// Why a vector failed, in words; nothing if it passed.
using Failure = std::optional<std::string>;
using CheckVector = Failure (*)(const Json& vector);

/// How a vector of this kind is checked; null if we cannot.
CheckVector check_for(std::string_view kind);

/// The `sf`, `bw_khz`, `cr` and preamble (by this name) of a vector; nothing if no LoRa radio can.
std::optional<radio::Modulation> modulation_from(const Json& params, const char* preamble);

/// One entry of airtime.json: the exact time on air, and the reference's estimate.
Failure check_exact_airtime(const Json& vector);
/// One length of a line of the oracle's airtime file.
Failure check_oracle_airtime(const Json& line, std::size_t at);

}  // namespace chappe::play
