#pragma once

#include "chappe/node/access_list.h"
#include "chappe/node/repeater.h"
#include "chappe/play/json_value.h"
#include "chappe/play/recorded_board.h"
#include "chappe/tx/bucket.h"

namespace chappe::play {

/// What a node knows and counts, as recordings put it at their end. Their lists of neighbours and
/// clients have no order that means anything; these are sorted, see sorted_state().
Json state_of(node::Repeater& repeater,
              const node::AccessList& access,
              const tx::Bucket& law,
              const RecordedBoard& board);

/// A recorded state in the order of state_of().
Json sorted_state(const Json& recorded);

}  // namespace chappe::play
