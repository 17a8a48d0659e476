#pragma once

#include <string>

#include "chappe/node/event.h"

namespace chappe::play {

/// Appends `event` as one line for people; event_json.h is for programs.
void append_text(const node::Event& event, std::string& out);

}  // namespace chappe::play
