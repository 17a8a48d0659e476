#include "chappe/mesh/identity.h"

#include <algorithm>

#include "chappe/base/check.h"

namespace chappe::mesh {

Identity identity_of(const Seed& seed) {
  Identity identity;
  identity.prv = crypto::expand(seed);
  const auto pub = crypto::public_key(identity.prv);
  CHAPPE_CHECK(pub.has_value());  // a clamped scalar is never zero modulo the order
  identity.pub = *pub;
  return identity;
}

std::optional<Identity> import_identity(const PrivateKey& key) {
  const bool clamped = (key[0] & 7) == 0 && (key[31] & 0xc0) == 0x40;
  if (!clamped) return std::nullopt;
  const auto pub = crypto::public_key(key);
  if (!pub || is_reserved(*pub)) return std::nullopt;

  Seed known_seed;
  known_seed.fill(0x42);  // any fixed pair will do
  const Identity known = identity_of(known_seed);
  const auto ours = crypto::shared_secret(key, known.pub);
  const auto theirs = crypto::shared_secret(known.prv, *pub);
  if (!ours || !theirs || *ours != *theirs) return std::nullopt;
  return Identity{*pub, key};
}

std::array<std::uint8_t, 4> ack_checksum(Bytes plain, const PublicKey& key) {
  const Digest digest = crypto::sha256(plain, key);
  std::array<std::uint8_t, 4> checksum;
  std::copy_n(digest.begin(), checksum.size(), checksum.begin());
  return checksum;
}

}  // namespace chappe::mesh
