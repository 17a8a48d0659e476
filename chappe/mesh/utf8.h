#pragma once

#include <cstddef>
#include <string_view>

#include "chappe/base/bytes.h"

namespace chappe::mesh {

/// The whole UTF-8 characters at the front of `words` that fit into `room` bytes. A zero byte, and
/// whatever is no character or cut off, ends the text.
Bytes cut_to_characters(std::string_view words, std::size_t room);

}  // namespace chappe::mesh
