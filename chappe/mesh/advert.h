#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "chappe/base/bytes.h"
#include "chappe/base/result.h"
#include "chappe/mesh/crypto.h"
#include "chappe/mesh/packet.h"

namespace chappe::mesh {

inline constexpr std::size_t kAppdataMax = 32;
inline constexpr std::size_t kAdvertHeader = 32 + 4 + 64;  // key, timestamp, signature

enum class NodeType : std::uint8_t { none = 0, chat = 1, repeater = 2, room = 3, sensor = 4 };

/// Degrees times a million.
struct Position {
  std::int32_t latitude_e6 = 0;
  std::int32_t longitude_e6 = 0;
  friend constexpr bool operator==(Position, Position) = default;
};

/// What a node tells about itself. 5 to 15 as a type are for the future and kept.
struct Appdata {
  std::uint8_t flags = 0;  // as received; ignored when built
  NodeType type = NodeType::none;
  std::optional<Position> position;
  std::optional<std::uint16_t> feature1;
  std::optional<std::uint16_t> feature2;
  std::optional<std::string_view> name;  // UTF-8, looks into what was parsed
};

/// Nothing if empty, or shorter than the fields its flags promise.
std::optional<Appdata> parse_appdata(Bytes appdata);
/// Features of value 0 are left out; the name is cut to what is left, between two characters.
ByteBuffer<kAppdataMax> build_appdata(const Appdata& fields);
/// Degrees to millionths, cut towards zero, as the firmware converts.
std::int32_t to_e6(double degrees);

/// The parts of an ADVERT's payload. The signature is not checked by taking it apart.
struct Advert {
  PublicKey key{};
  std::uint32_t timestamp = 0;  // Unix seconds of its sender's clock
  Signature signature{};
  Bytes appdata;  // the 32 bytes at most that count

  bool is_genuine() const;
};

/// Nothing if shorter than its fixed part.
std::optional<Advert> parse_advert(Bytes payload);
/// The payload of an own advert, signed.
ByteBuffer<kAdvertHeader + kAppdataMax> build_advert(const PrivateKey& key,
                                                     const PublicKey& own,
                                                     std::uint32_t timestamp,
                                                     Bytes appdata);

}  // namespace chappe::mesh
