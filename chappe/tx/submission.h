#pragma once

#include <cstdint>

#include "chappe/base/bytes.h"
#include "chappe/base/units.h"
#include "chappe/tx/fair_share.h"

namespace chappe::tx {

enum class Origin : std::uint8_t {
  relay,  // somebody else's frame: one attempt
  local,  // our own: a second attempt one second after a failure
};

/// "Please send." The frame is copied.
struct Submission {
  Bytes frame;                // 1 to 255 bytes
  Duration after{};           // the delay everybody counts in parallel
  std::uint8_t priority = 0;  // 0 goes first
  Origin origin = Origin::relay;
  Neighbour neighbour = kOwnFrames;  // who shares the airtime with others
  Time expiry = kNever;              // must have started by then
  std::uint64_t tag = 0;             // the submitter's own name for it; returned with the result
};

}  // namespace chappe::tx
