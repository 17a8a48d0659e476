#pragma once

#include <string>

#include "chappe/node/event.h"

namespace chappe::client {

/// Appends `event` as one line of JSON. This is the only writer of the schema that `run --json`,
/// `replay --json` and the socket share; docs/formats/events.md describes it.
void append_json(const node::Event& event, std::string& out);

}  // namespace chappe::client
