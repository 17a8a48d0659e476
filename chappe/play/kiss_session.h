#pragma once

#include "chappe/play/json_value.h"
#include "chappe/play/kinds.h"

namespace chappe::play {

/// Plays a recorded session of a program with MeshCore's KISS modem on our modem, in virtual time:
/// every answer and every transmission, byte by byte and in its time.
Failure check_kiss_session(const Json& vector);

}  // namespace chappe::play
