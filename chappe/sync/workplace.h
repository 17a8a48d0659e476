#pragma once

#include "chappe/sync/guarded.h"

namespace chappe::sync {

class Mutex;
class Worker;

/// Every worker thread there is, and every Mutex that was ever locked. Who looks at another
/// thread's locks does so in here: nobody in the lists can go away meanwhile.
struct Workplace {
  Worker* workers = nullptr;
  Mutex* mutexes = nullptr;
};
Guarded<Workplace>& workplace();

/// Looks at how long each Mutex has been held: beyond its budget is an anomaly, beyond its limit a
/// panic. A hold counts from the first look that saw it, so locking reads no clock, and a hold is
/// found late by at most the time between two looks. Context: any thread, one at a time; a watchdog
/// calls it. Locks of tasks are watched by their executor.
void look_at_mutexes(Time now);

}  // namespace chappe::sync
