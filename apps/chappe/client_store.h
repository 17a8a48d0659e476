#pragma once

#include <memory>
#include <string>

#include "chappe/base/result.h"
#include "chappe/client/journal.h"
#include "chappe/sync/wake_list.h"

namespace chappe::app {

/// The journal of clients' submissions in the state directory, "submissions", and with it the
/// service's generation. `identity_is_new`: the state is this run's own, so nobody was told of an
/// earlier generation. The error is a sentence; the service then works with a journal in memory.
Result<std::unique_ptr<client::Journal>, std::string> open_journal(sync::WakeList& wakes,
                                                                   const std::string& directory,
                                                                   bool identity_is_new,
                                                                   Time now);

/// A generation that was surely not used before, for when the last one is not known.
std::uint32_t generation_out_of_nothing();

}  // namespace chappe::app
