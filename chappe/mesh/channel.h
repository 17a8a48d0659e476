#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "chappe/base/bytes.h"
#include "chappe/mesh/crypto.h"

namespace chappe::mesh {

/// A group channel: whoever has the key reads along. A repeater needs none to forward.
struct Channel {
  std::uint8_t hash = 0;  // goes on the air
  SharedSecret secret{};  // for the envelope: the key, extended with zeros
};

/// From a key of 16 or 32 bytes; nothing for another length.
std::optional<Channel> channel_of(Bytes key);
/// The 16-byte key of a hashtag channel: SHA-256 of its name with the '#', exact case.
std::array<std::uint8_t, 16> channel_key(std::string_view name);

}  // namespace chappe::mesh
