#pragma once

#include <cstdint>

#include "chappe/base/units.h"

namespace chappe::sync {

/// One logical lock: its name in every message, its place in the order, and how long it may be
/// held.
///
/// A lock may be waited for only while all locks held by the same agent have a lower rank. So along
/// every chain of who waits for whom the ranks rise, no chain can bite its tail, and one run of
/// each path proves it. What ranks cannot see, a holder that waits for something only a waiter
/// could do, ends at the limit: locking has no timeout, the limit is the timeout.
struct LockClass {
  const char* name;
  std::uint8_t rank;
  Duration budget = seconds(1);  // held longer: an anomaly, with lock, holder and place
  Duration limit = seconds(60);  // held longer: a panic, with everybody who holds and who waits
};

}  // namespace chappe::sync
