// Our cryptography and OpenSSL's agree on thousands of random inputs of every size.

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "chappe/base/random.h"
#include "chappe/mesh/crypto.h"
#include "chappe/mesh/identity.h"

namespace chappe::mesh {
namespace {

constexpr int kRounds = 500;
constexpr std::size_t kMost = 255;  // bytes, as a frame

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;
using Signer = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;
using Exchange = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;

class CryptoOracle : public testing::Test {
 protected:
  template <std::size_t N>
  std::array<std::uint8_t, N> some() {
    std::array<std::uint8_t, N> bytes{};
    random_.fill(bytes);
    return bytes;
  }
  std::vector<std::uint8_t> text(std::size_t size) {
    std::vector<std::uint8_t> bytes(size);
    random_.fill(bytes);
    return bytes;
  }
  std::size_t size() { return random_.next() % (kMost + 1); }

  SeededRandom random_{1};
};

TEST_F(CryptoOracle, Sha256OfAnyParts) {
  for (int round = 0; round < kRounds; ++round) {
    const auto whole = text(size());
    const std::size_t cut = whole.empty() ? 0 : random_.next() % whole.size();
    Digest theirs{};
    SHA256(whole.data(), whole.size(), theirs.data());
    EXPECT_EQ(crypto::sha256(Bytes(whole).first(cut), Bytes(whole).subspan(cut)), theirs);
  }
}

TEST_F(CryptoOracle, HmacSha256OfAnyKey) {
  for (int round = 0; round < kRounds; ++round) {
    const auto key = text(1 + size());
    const auto whole = text(size());
    Digest theirs{};
    unsigned length = 0;
    HMAC(EVP_sha256(),
         key.data(),
         static_cast<int>(key.size()),
         whole.data(),
         whole.size(),
         theirs.data(),
         &length);
    EXPECT_EQ(crypto::hmac_sha256(key, whole), theirs);
  }
}

TEST_F(CryptoOracle, BlocksBothWays) {
  for (int round = 0; round < kRounds; ++round) {
    const auto key = some<16>();
    const auto plain = text(16 * (1 + size() / 16));
    std::vector<std::uint8_t> ours(plain.size());
    std::vector<std::uint8_t> theirs(plain.size());
    crypto::encrypt_blocks(key, plain, ours);
    const Cipher cipher(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
    int length = 0;
    ASSERT_EQ(EVP_EncryptInit_ex(cipher.get(), EVP_aes_128_ecb(), nullptr, key.data(), nullptr), 1);
    EVP_CIPHER_CTX_set_padding(cipher.get(), 0);
    ASSERT_EQ(
        EVP_EncryptUpdate(
            cipher.get(), theirs.data(), &length, plain.data(), static_cast<int>(plain.size())),
        1);
    EXPECT_EQ(ours, theirs);
    crypto::decrypt_blocks(key, ours, ours);
    EXPECT_EQ(ours, plain);
  }
}

Key private_key(int type, Bytes bytes) {
  return {EVP_PKEY_new_raw_private_key(type, nullptr, bytes.data(), bytes.size()), &EVP_PKEY_free};
}
Key public_key(int type, Bytes bytes) {
  return {EVP_PKEY_new_raw_public_key(type, nullptr, bytes.data(), bytes.size()), &EVP_PKEY_free};
}

TEST_F(CryptoOracle, KeysAndSignaturesAreTheSameAndAnyChangeIsSeenByBoth) {
  for (int round = 0; round < kRounds; ++round) {
    const Seed seed = some<32>();
    const PrivateKey expanded = crypto::expand(seed);
    const auto own = crypto::public_key(expanded);
    ASSERT_TRUE(own);
    const Key key = private_key(EVP_PKEY_ED25519, seed);
    PublicKey theirs{};
    std::size_t length = theirs.size();
    ASSERT_EQ(EVP_PKEY_get_raw_public_key(key.get(), theirs.data(), &length), 1);
    EXPECT_EQ(*own, theirs);

    auto message = text(1 + size());
    Signature signature = crypto::sign(expanded, *own, message);
    Signature expected{};
    length = expected.size();
    const Signer signer(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    ASSERT_EQ(EVP_DigestSignInit(signer.get(), nullptr, nullptr, nullptr, key.get()), 1);
    ASSERT_EQ(
        EVP_DigestSign(signer.get(), expected.data(), &length, message.data(), message.size()), 1);
    EXPECT_EQ(signature, expected);

    const auto both_say = [&](bool good) {
      const Key peer = public_key(EVP_PKEY_ED25519, *own);
      const Signer verifier(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
      ASSERT_EQ(EVP_DigestVerifyInit(verifier.get(), nullptr, nullptr, nullptr, peer.get()), 1);
      const int answer = EVP_DigestVerify(
          verifier.get(), signature.data(), signature.size(), message.data(), message.size());
      EXPECT_EQ(answer == 1, good);
      EXPECT_EQ(crypto::verify(*own, signature, message), good);
    };
    both_say(true);
    const std::size_t at = random_.next() % (8 * (signature.size() + message.size()));
    std::uint8_t& changed =
        at / 8 < signature.size() ? signature[at / 8] : message[at / 8 - signature.size()];
    changed = static_cast<std::uint8_t>(changed ^ 1 << at % 8);
    both_say(false);
  }
}

// Ours exchanges with signing keys; their point on the other curve is made by OpenSSL from the
// scalar, and the secret is the same from both ends.
TEST_F(CryptoOracle, SecretsAreX25519sOfTheSameScalars) {
  for (int round = 0; round < kRounds / 5; ++round) {
    const Identity ours = identity_of(some<32>());
    const Identity peer = identity_of(some<32>());
    const auto secret = crypto::shared_secret(ours.prv, peer.pub);
    ASSERT_TRUE(secret);
    EXPECT_EQ(secret, crypto::shared_secret(peer.prv, ours.pub));

    const Key own = private_key(EVP_PKEY_X25519, Bytes(ours.prv).first(32));
    const Key other = private_key(EVP_PKEY_X25519, Bytes(peer.prv).first(32));
    const Exchange exchange(EVP_PKEY_CTX_new(own.get(), nullptr), &EVP_PKEY_CTX_free);
    SharedSecret theirs{};
    std::size_t length = theirs.size();
    ASSERT_EQ(EVP_PKEY_derive_init(exchange.get()), 1);
    ASSERT_EQ(EVP_PKEY_derive_set_peer(exchange.get(), other.get()), 1);
    ASSERT_EQ(EVP_PKEY_derive(exchange.get(), theirs.data(), &length), 1);
    EXPECT_EQ(*secret, theirs);
  }
}

}  // namespace
}  // namespace chappe::mesh
