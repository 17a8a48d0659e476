#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "chappe/base/bytes.h"
#include "chappe/base/result.h"
#include "chappe/mesh/packet.h"

namespace chappe::mesh {

using RegionKey = std::array<std::uint8_t, 16>;

inline constexpr std::size_t kRegionsMax = 32;      // named ones; the wildcard comes on top
inline constexpr std::size_t kRegionNameMax = 30;   // bytes
inline constexpr std::uint16_t kNoRegion = 0xffff;  // no region ever has this id

/// SHA-256 of "#name", the '#' added if the name lacks it; exact case.
RegionKey region_key(std::string_view name);

/// What a flood within a region carries: the payload's type and bytes under the region's key. The
/// values 0 and 0xffff are reserved and moved to their neighbours.
std::uint16_t transport_code(const RegionKey& key, PayloadType type, Bytes payload);

enum class Floods : std::uint8_t { allowed, denied };

struct Region {
  std::uint16_t id = 0;
  std::uint16_t parent = 0;
  Floods floods = Floods::allowed;
  ByteBuffer<kRegionNameMax> name_bytes;
  RegionKey key{};  // computed from the name whenever that is set, so it cannot go stale

  std::string_view name() const {
    return {reinterpret_cast<const char*>(name_bytes.data()), name_bytes.size()};
  }
  /// Names beginning with '$' are private; no key store for them exists, so they match nothing.
  bool is_private() const { return name().starts_with('$'); }
  bool is_wildcard() const { return id == 0; }
};

enum class RegionError : std::uint8_t { bad_name, table_full, own_parent };

/// The regions a node knows, in the order they were put. The wildcard `*` (id 0) always exists and
/// stands for floods without a scope.
///
/// Invariant: ids are unique and never 0 among named regions; home and default name an existing
/// region (home may be the wildcard, or kNoRegion once its region was removed; 0 as default means
/// none).
/// Pointers stay valid until the next put() or remove(). Memory: in place.
class RegionTable {
 public:
  RegionTable();

  Region& wildcard() { return wildcard_; }
  const Region& wildcard() const { return wildcard_; }
  std::span<const Region> named() const { return {regions_.data(), size_}; }

  /// By name, a leading '#' ignored on either side; "*" is the wildcard. Null if unknown.
  Region* find(std::string_view name);
  const Region* find(std::string_view name) const;
  /// The exact name first, else the last region whose name begins so.
  Region* find_prefix(std::string_view prefix);
  Region* find_id(std::uint16_t id);
  const Region* find_id(std::uint16_t id) const;

  /// Adds a region, or moves the existing one of that name under `parent`. A new one denies floods
  /// until told otherwise.
  Result<Region*, RegionError> put(std::string_view name, std::uint16_t parent);
  /// The same with an id from a file; the next new id lies above it.
  Result<Region*, RegionError> restore(std::string_view name,
                                       std::uint16_t id,
                                       std::uint16_t parent);
  bool has_children(std::uint16_t id) const;
  /// The wildcard stays. Home and default let go of what is removed.
  void remove(std::uint16_t id);
  void clear();

  std::uint16_t home() const { return home_; }
  void set_home(std::uint16_t id) { home_ = id; }
  /// The scope of the node's own floods; 0 means unscoped.
  std::uint16_t default_scope() const { return default_; }
  void set_default_scope(std::uint16_t id) { default_ = id; }
  std::uint16_t next_id() const { return next_id_; }
  void set_next_id(std::uint16_t id) { next_id_ = id; }

  /// The region that lets this flood pass: for a scoped one the first, in the table's order, that
  /// allows floods and whose code fits; for an unscoped one the wildcard if it allows. Else null.
  const Region* match(const Packet& packet) const;

  /// Gives a flood of our own the code of the region `id`, so that it stays within. A region that
  /// is unknown, 0 or private has no code: the flood stays unscoped.
  void scope_own(Packet& packet, std::uint16_t id) const;

 private:
  Region wildcard_;
  std::array<Region, kRegionsMax> regions_{};
  std::size_t size_ = 0;
  std::uint16_t next_id_ = 1;
  std::uint16_t home_ = 0;
  std::uint16_t default_ = 0;
};

/// '-', '$', '#', digits, and every byte from 'A' up.
bool is_region_name(std::string_view name);

}  // namespace chappe::mesh
