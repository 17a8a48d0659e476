#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "chappe/base/bytes.h"
#include "chappe/base/units.h"
#include "chappe/mesh/crypto.h"
#include "chappe/mesh/packet.h"

namespace chappe::node {

/// The low two bits of a client's permissions; the others are free for applications.
enum class Role : std::uint8_t { guest = 0, read_only = 1, read_write = 2, admin = 3 };

constexpr Role role_of(std::uint8_t permissions) {
  return static_cast<Role>(permissions & 3);
}

/// Somebody with whom this node shares a secret (protocol 11.1).
struct AccessEntry {
  static constexpr std::uint8_t kPathUnknown = 0xff;

  mesh::PublicKey key{};
  mesh::SharedSecret secret{};
  std::uint8_t permissions = 0;
  std::uint8_t path_len = kPathUnknown;  // encoded as in a packet
  std::array<std::uint8_t, mesh::kPathMax> path{};
  std::uint32_t last_timestamp = 0;  // of its own clock; what is not newer is a replay
  std::uint32_t last_active = 0;     // Unix seconds of ours

  Role role() const { return role_of(permissions); }
};

/// Who may do what. Bounded: when it is full, a newcomer takes the place of the entry that is no
/// administrator's and was longest inactive; if all are administrators, the last one's.
/// Pointers stay valid until the next put() or remove(). Order: as they came. Memory: in place.
class AccessList {
 public:
  // MeshCore's header gives 20 where its repeater asks for 32.
  static constexpr std::size_t kCapacity = 20;

  std::span<const AccessEntry> all() const { return {entries_.data(), size_}; }
  std::span<AccessEntry> all() { return {entries_.data(), size_}; }

  AccessEntry* find(const mesh::PublicKey& key);
  /// The first whose key begins so.
  AccessEntry* find_prefix(Bytes prefix);
  /// The entry of this key; a new one, with nothing in it but the key, if there was none.
  AccessEntry& put(const mesh::PublicKey& key);
  void remove(const AccessEntry& entry);

 private:
  AccessEntry& place();

  std::array<AccessEntry, kCapacity> entries_{};
  std::size_t size_ = 0;
};

}  // namespace chappe::node
