#include <nettle/aes.h>
#include <nettle/hmac.h>
#include <nettle/sha2.h>
#include <sodium.h>

#include <algorithm>

#include "chappe/base/check.h"
#include "chappe/mesh/crypto.h"

namespace chappe::mesh::crypto {
namespace {

// Lets libsodium choose its fast code paths. It works without; only once, and safe to race.
void ready() {
  static const int state = sodium_init();
  CHAPPE_CHECK(state >= 0);
}

std::array<std::uint8_t, 32> reduced(const std::array<std::uint8_t, 64>& wide) {
  std::array<std::uint8_t, 32> scalar;
  crypto_core_ed25519_scalar_reduce(scalar.data(), wide.data());
  return scalar;
}

std::array<std::uint8_t, 64> sha512(Bytes a, Bytes b, Bytes c = {}) {
  crypto_hash_sha512_state state;
  crypto_hash_sha512_init(&state);
  crypto_hash_sha512_update(&state, a.data(), a.size());
  crypto_hash_sha512_update(&state, b.data(), b.size());
  crypto_hash_sha512_update(&state, c.data(), c.size());
  std::array<std::uint8_t, 64> digest;
  crypto_hash_sha512_final(&state, digest.data());
  return digest;
}

}  // namespace

Digest sha256(Bytes a, Bytes b, Bytes c, Bytes d) {
  sha256_ctx context;
  sha256_init(&context);
  for (const Bytes part : {a, b, c, d}) {
    if (!part.empty()) sha256_update(&context, part.size(), part.data());
  }
  Digest digest;
  sha256_digest(&context, digest.size(), digest.data());
  return digest;
}

Digest hmac_sha256(Bytes key, Bytes a, Bytes b) {
  hmac_sha256_ctx context;
  hmac_sha256_set_key(&context, key.size(), key.data());
  for (const Bytes part : {a, b}) {
    if (!part.empty()) hmac_sha256_update(&context, part.size(), part.data());
  }
  Digest digest;
  hmac_sha256_digest(&context, digest.size(), digest.data());
  return digest;
}

void encrypt_blocks(std::span<const std::uint8_t, 16> key,
                    Bytes plain,
                    std::span<std::uint8_t> cipher) {
  CHAPPE_CHECK(plain.size() % kBlock == 0);
  CHAPPE_CHECK(plain.size() == cipher.size());
  aes128_ctx context;
  aes128_set_encrypt_key(&context, key.data());
  nettle_aes128_encrypt(&context, plain.size(), cipher.data(), plain.data());
}

void decrypt_blocks(std::span<const std::uint8_t, 16> key,
                    Bytes cipher,
                    std::span<std::uint8_t> plain) {
  CHAPPE_CHECK(cipher.size() % kBlock == 0);
  CHAPPE_CHECK(plain.size() == cipher.size());
  aes128_ctx context;
  aes128_set_decrypt_key(&context, key.data());
  nettle_aes128_decrypt(&context, cipher.size(), plain.data(), cipher.data());
}

PrivateKey expand(const Seed& seed) {
  PrivateKey key = sha512(seed, {});
  key[0] &= 248;
  key[31] &= 63;
  key[31] |= 64;
  return key;
}

std::optional<PublicKey> public_key(const PrivateKey& key) {
  ready();
  PublicKey point;
  if (crypto_scalarmult_ed25519_base_noclamp(point.data(), key.data()) != 0) return std::nullopt;
  return point;
}

Signature sign(const PrivateKey& key, const PublicKey& own, Bytes message) {
  ready();
  const Bytes prefix = Bytes(key).subspan(32);
  // RFC 8032, 5.1.6, from step 2: the first step, hashing the seed, was done when the key was made.
  const auto nonce = reduced(sha512(prefix, message));
  Signature signature;
  // Zero modulo the order has a probability of 2^-252.
  CHAPPE_CHECK(crypto_scalarmult_ed25519_base_noclamp(signature.data(), nonce.data()) == 0);
  const auto challenge = reduced(sha512(Bytes(signature).first(32), own, message));
  std::array<std::uint8_t, 64> wide{};
  std::copy_n(key.begin(), 32, wide.begin());
  const auto scalar = reduced(wide);
  std::array<std::uint8_t, 32> product;
  crypto_core_ed25519_scalar_mul(product.data(), challenge.data(), scalar.data());
  crypto_core_ed25519_scalar_add(signature.data() + 32, product.data(), nonce.data());
  return signature;
}

bool verify(const PublicKey& signer, const Signature& signature, Bytes message) {
  ready();
  return crypto_sign_verify_detached(
             signature.data(), message.data(), message.size(), signer.data()) == 0;
}

std::optional<SharedSecret> shared_secret(const PrivateKey& key, const PublicKey& peer) {
  ready();
  std::array<std::uint8_t, 32> montgomery;
  if (crypto_sign_ed25519_pk_to_curve25519(montgomery.data(), peer.data()) != 0) {
    return std::nullopt;
  }
  SharedSecret secret;
  if (crypto_scalarmult(secret.data(), key.data(), montgomery.data()) != 0) return std::nullopt;
  return secret;
}

bool equal(Bytes a, Bytes b) {
  return a.size() == b.size() && (a.empty() || sodium_memcmp(a.data(), b.data(), a.size()) == 0);
}

}  // namespace chappe::mesh::crypto
