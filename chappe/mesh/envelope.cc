#include "chappe/mesh/envelope.h"

#include <span>

#include "chappe/base/check.h"

namespace chappe::mesh {
namespace {

std::span<const std::uint8_t, 16> cipher_key(const SharedSecret& secret) {
  return std::span<const std::uint8_t, 32>(secret).first<16>();
}

}  // namespace

Sealed seal(const SharedSecret& secret, Bytes plain) {
  CHAPPE_CHECK(plain.size() <= kPlainMax);
  Plain padded(plain);
  padded.resize((plain.size() + crypto::kBlock - 1) / crypto::kBlock * crypto::kBlock);
  crypto::encrypt_blocks(cipher_key(secret), padded, {padded.data(), padded.size()});
  const Digest mac = crypto::hmac_sha256(secret, padded);
  Sealed sealed;
  sealed.append(Bytes(mac).first(2));
  sealed.append(padded);
  return sealed;
}

bool is_authentic(const SharedSecret& secret, Bytes mac_and_ciphertext) {
  if (mac_and_ciphertext.size() <= 2) return false;
  const Digest mac = crypto::hmac_sha256(secret, mac_and_ciphertext.subspan(2));
  return crypto::equal(Bytes(mac).first(2), mac_and_ciphertext.first(2));
}

std::optional<Plain> open(const SharedSecret& secret, Bytes mac_and_ciphertext) {
  if (!is_authentic(secret, mac_and_ciphertext)) return std::nullopt;
  const Bytes cipher = mac_and_ciphertext.subspan(2);
  if (cipher.size() % crypto::kBlock != 0 || cipher.size() > kPlainMax) return std::nullopt;
  Plain plain;
  plain.resize(cipher.size());
  crypto::decrypt_blocks(cipher_key(secret), cipher, {plain.data(), plain.size()});
  return plain;
}

}  // namespace chappe::mesh
