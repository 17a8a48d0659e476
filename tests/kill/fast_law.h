#pragma once

#include "chappe/tx/lease.h"
#include "chappe/tx/ledger.h"

namespace chappe::test {

// An hour in two seconds, and frames of a few milliseconds. More than a tenth of the time: or the
// rest of a lease, lost with each kill, would be all there is to spend.
inline constexpr tx::Rule kFastRule{seconds(2), milliseconds(1'200)};
inline constexpr tx::Lease::Terms kFastTerms{milliseconds(10), milliseconds(5)};

// What the sender's radio tells the moment it keys.
struct Keyed {
  std::int64_t from_us;
  std::int64_t to_us;
};

}  // namespace chappe::test
