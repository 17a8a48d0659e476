#pragma once

#include <cstddef>
#include <optional>

#include "chappe/base/bytes.h"
#include "chappe/mesh/crypto.h"
#include "chappe/mesh/packet.h"

/// Encrypt, then authenticate: two bytes of MAC in front of the ciphertext (protocol 4.3).
namespace chappe::mesh {

// The payload less its MAC, in whole blocks: 176 bytes.
inline constexpr std::size_t kPlainMax = (kPayloadMax - 2) / crypto::kBlock * crypto::kBlock;

using Sealed = ByteBuffer<2 + kPlainMax>;
using Plain = ByteBuffer<kPlainMax>;

/// MAC and ciphertext of `plain`, padded with zeros to whole blocks. Requires plain.size() <=
/// kPlainMax.
Sealed seal(const SharedSecret& secret, Bytes plain);

/// The plaintext, still with its padding. Nothing if the MAC is wrong, if there is nothing behind
/// it, or if what is behind it are no whole blocks (the firmware reads past the end there).
std::optional<Plain> open(const SharedSecret& secret, Bytes mac_and_ciphertext);

/// Whether the MAC fits, without opening.
bool is_authentic(const SharedSecret& secret, Bytes mac_and_ciphertext);

}  // namespace chappe::mesh
