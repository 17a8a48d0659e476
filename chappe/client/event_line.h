#pragma once

#include <string>

#include "chappe/client/columns.h"
#include "chappe/node/event.h"

namespace chappe::client {

/// Appends one line for people: when, what, which packet, from where, and what came of it. Columns
/// line up from event to event. `start` is what the times are counted from.
void append_line(const node::Event& event, Time start, Colours colours, std::string& out);

}  // namespace chappe::client
