#pragma once

#include <optional>

#include "chappe/mesh/crypto.h"

namespace chappe::mesh {

/// Who a node is: the two halves belong together.
struct Identity {
  PublicKey pub{};
  PrivateKey prv{};
};

/// First bytes 0x00 and 0xff are reserved.
inline bool is_reserved(const PublicKey& key) {
  return key[0] == 0x00 || key[0] == 0xff;
}

Identity identity_of(const Seed& seed);

/// A private key from outside, with all that is checked on import: the scalar is clamped, belongs
/// to a public key that is not reserved, and agrees with a known key pair on a secret.
std::optional<Identity> import_identity(const PrivateKey& key);

/// What a receiver's acknowledgement proves: the first four bytes of a hash over the beginning of
/// the plaintext (timestamp, flags, text) and a public key (protocol 4.6, 5.5).
std::array<std::uint8_t, 4> ack_checksum(Bytes plain, const PublicKey& key);

}  // namespace chappe::mesh
