#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "chappe/base/bytes.h"

/// What MeshCore needs of cryptography. One back end per program, chosen by the linker:
/// crypto_host.cc on hosts. Context: any. Memory: the stack.
namespace chappe::mesh {

using PublicKey = std::array<std::uint8_t, 32>;
/// The expanded form that nodes store and exchange: clamped scalar, then nonce prefix. The seed is
/// thrown away by the firmware, so everything here works from these 64 bytes alone.
using PrivateKey = std::array<std::uint8_t, 64>;
using Seed = std::array<std::uint8_t, 32>;
using Signature = std::array<std::uint8_t, 64>;
using SharedSecret = std::array<std::uint8_t, 32>;
using Digest = std::array<std::uint8_t, 32>;

namespace crypto {

inline constexpr std::size_t kBlock = 16;

/// SHA-256 of the parts, one behind the other.
Digest sha256(Bytes a, Bytes b = {}, Bytes c = {}, Bytes d = {});
Digest hmac_sha256(Bytes key, Bytes a, Bytes b = {});

/// AES-128-ECB, block by block. Sizes are equal and a multiple of kBlock; in place is allowed.
void encrypt_blocks(std::span<const std::uint8_t, 16> key,
                    Bytes plain,
                    std::span<std::uint8_t> cipher);
void decrypt_blocks(std::span<const std::uint8_t, 16> key,
                    Bytes cipher,
                    std::span<std::uint8_t> plain);

PrivateKey expand(const Seed& seed);
/// Nothing for a scalar that is zero modulo the group order: no key belongs to it.
std::optional<PublicKey> public_key(const PrivateKey& key);
Signature sign(const PrivateKey& key, const PublicKey& own, Bytes message);
/// RFC 8032 with S below the group order. Stricter than the firmware's software check, which takes
/// S + L too: with two valid forms of one signature a stranger could make a second copy of an
/// advert that no duplicate table recognises.
bool verify(const PublicKey& signer, const Signature& signature, Bytes message);
/// X25519 of the clamped scalar and the peer's point, unhashed. Nothing if the peer's key is no
/// point of the large subgroup, which no honest key is.
std::optional<SharedSecret> shared_secret(const PrivateKey& key, const PublicKey& peer);

/// Equal, in a time that does not depend on where the first difference is.
bool equal(Bytes a, Bytes b);

}  // namespace crypto
}  // namespace chappe::mesh
