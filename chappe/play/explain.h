#pragma once

#include <optional>
#include <string>
#include <vector>

#include "chappe/base/bytes.h"
#include "chappe/base/result.h"
#include "chappe/mesh/crypto.h"
#include "chappe/mesh/packet.h"
#include "chappe/play/json_value.h"

/// Packets in the words of the vector files.
namespace chappe::play {

/// What may open a payload: the keys of channels, and secrets shared by two nodes.
struct Keyring {
  std::vector<std::vector<std::uint8_t>> channels;  // 16 or 32 bytes each
  std::vector<mesh::SharedSecret> secrets;

  /// "channel:HEX" or "secret:HEX"; false if it is neither.
  bool add(std::string_view key);
};

/// Every field of a packet, named and typed as the vectors' `expect`; with a key that fits also
/// `plain` and `plain_fields`.
Json explain(const mesh::Packet& packet, const Keyring& keys);
/// Appdata as `expect.parsed`; nothing if it is invalid.
std::optional<Json> explain_appdata(Bytes appdata);
/// Cayenne LPP as `expect.items`.
Json explain_lpp(Bytes bytes);

/// explain() as lines for people.
std::string readable(const Json& explained);

}  // namespace chappe::play
