#pragma once

#include <array>
#include <cstdint>

#include "chappe/mesh/crypto.h"

namespace chappe::mesh {

enum class Forwarding : std::uint8_t { on, off };
/// How soon a flood that passed us before is taken for a loop.
enum class LoopDetection : std::uint8_t { off = 0, minimal = 1, moderate = 2, strict = 3 };

/// Estimated time on air in milliseconds by frame length: of whole frames, and computed with the
/// reference's rounding. Made where the radio is known; nothing here knows a modulation.
using EstimateTable = std::array<std::uint32_t, 256>;

// More copies of an acknowledgement than this help nobody. MeshCore documents 0 to 1 and stores
// anything (a fault); the bound makes room for the frames of a Judgement.
inline constexpr std::uint8_t kMultiAcksMax = 1;

/// The settings that judging needs. The defaults are the firmware's (protocol 14.1).
struct Rules {
  PublicKey own{};
  Forwarding forwarding = Forwarding::on;
  LoopDetection loop_detection = LoopDetection::off;
  std::uint8_t flood_max = 64;           // hops
  std::uint8_t flood_max_unscoped = 64;  // hops, route FLOOD only
  std::uint8_t flood_max_advert = 8;     // hops
  std::uint8_t multi_acks = 0;           // extra copies, at most kMultiAcksMax
  std::uint8_t spreading = 8;            // SF, for the link score
  float receive_delay_base = 0;          // 0 is off
  float flood_delay_factor = 0.5F;
  float direct_delay_factor = 0.3F;
  EstimateTable estimates_ms{};
};

}  // namespace chappe::mesh
