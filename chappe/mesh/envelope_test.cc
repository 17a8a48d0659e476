#include "chappe/mesh/envelope.h"

#include <gtest/gtest.h>

#include <vector>

#include "chappe/mesh/channel.h"
#include "chappe/mesh/identity.h"

namespace chappe::mesh {
namespace {

SharedSecret secret_of(std::uint8_t byte) {
  SharedSecret secret;
  secret.fill(byte);
  return secret;
}

TEST(Envelope, OpensToThePlaintextWithItsPadding) {
  const std::vector<std::uint8_t> words = {'h', 'e', 'l', 'l', 'o'};
  const Sealed sealed = seal(secret_of(1), words);
  EXPECT_EQ(sealed.size(), 2u + 16u);
  const auto plain = open(secret_of(1), sealed);
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(plain->size(), 16u);
  EXPECT_EQ((*plain)[0], 'h');
  EXPECT_EQ((*plain)[5], 0);
}

TEST(Envelope, AWholeBlockIsNotPadded) {
  EXPECT_EQ(seal(secret_of(1), std::vector<std::uint8_t>(32)).size(), 2u + 32u);
}

TEST(Envelope, TheWrongSecretOpensNothing) {
  const Sealed sealed = seal(secret_of(1), std::vector<std::uint8_t>(20, 7));
  EXPECT_FALSE(open(secret_of(2), sealed).has_value());
}

TEST(Envelope, AnyChangedBitIsNoticed) {
  const Sealed sealed = seal(secret_of(1), std::vector<std::uint8_t>(20, 7));
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    Sealed changed = sealed;
    changed[at] ^= 0x10;
    EXPECT_FALSE(open(secret_of(1), changed).has_value()) << at;
  }
}

// With a right MAC, the firmware would read past the end here.
TEST(Envelope, ABrokenBlockIsRefusedEvenIfAuthentic) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{15}, std::size_t{31}}) {
    const std::vector<std::uint8_t> cipher(size, 9);
    const Digest mac = crypto::hmac_sha256(secret_of(1), cipher);
    ByteBuffer<64> message;
    message.append(Bytes(mac).first(2));
    message.append(cipher);
    EXPECT_TRUE(is_authentic(secret_of(1), message));
    EXPECT_FALSE(open(secret_of(1), message).has_value());
  }
}

TEST(Envelope, TooLittleToHoldAnythingIsRefused) {
  EXPECT_FALSE(open(secret_of(1), {}).has_value());
  EXPECT_FALSE(open(secret_of(1), std::vector<std::uint8_t>(1)).has_value());
  EXPECT_FALSE(open(secret_of(1), std::vector<std::uint8_t>(2)).has_value());
}

TEST(Channel, TakesKeysOf16Or32Bytes) {
  EXPECT_TRUE(channel_of(std::vector<std::uint8_t>(16)).has_value());
  EXPECT_TRUE(channel_of(std::vector<std::uint8_t>(32)).has_value());
  EXPECT_FALSE(channel_of(std::vector<std::uint8_t>(24)).has_value());
  EXPECT_FALSE(channel_of({}).has_value());
}

TEST(Identity, TwoNodesAgreeOnASecret) {
  Seed a;
  Seed b;
  a.fill(1);
  b.fill(2);
  const Identity alice = identity_of(a);
  const Identity bob = identity_of(b);
  const auto secret = crypto::shared_secret(alice.prv, bob.pub);
  ASSERT_TRUE(secret.has_value());
  EXPECT_EQ(secret, crypto::shared_secret(bob.prv, alice.pub));
}

TEST(Identity, APointOfSmallOrderGivesNoSecret) {
  Seed a;
  a.fill(1);
  const Identity alice = identity_of(a);
  PublicKey neutral{};
  neutral[0] = 1;
  EXPECT_FALSE(crypto::shared_secret(alice.prv, neutral).has_value());
}

TEST(Identity, AnUnclampedScalarIsNotImported) {
  Seed seed;
  seed.fill(3);
  PrivateKey key = identity_of(seed).prv;
  EXPECT_TRUE(import_identity(key).has_value());
  key[0] |= 1;
  EXPECT_FALSE(import_identity(key).has_value());
}

}  // namespace
}  // namespace chappe::mesh
