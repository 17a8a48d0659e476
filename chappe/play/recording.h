#pragma once

#include <string>
#include <vector>

#include "chappe/base/result.h"
#include "chappe/play/scenario.h"

namespace chappe::play {

/// The recordings that `FILE` or `FILE#id` names, of oracle scenarios or of node sessions, in the
/// file's order. An id is a scenario's whole id, or what follows the file's group in it; a number
/// counts the file's recordings from 1. The error is for people, and names the nearest ids if that
/// one is unknown.
Result<std::vector<Scenario>, std::string> read_recording(const std::string& file_and_id);

}  // namespace chappe::play
