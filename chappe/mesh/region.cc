#include "chappe/mesh/region.h"

#include <algorithm>

#include "chappe/base/check.h"
#include "chappe/mesh/crypto.h"

namespace chappe::mesh {
namespace {

Bytes as_bytes(std::string_view words) {
  return {reinterpret_cast<const std::uint8_t*>(words.data()), words.size()};
}

std::string_view without_hash(std::string_view name) {
  if (name.starts_with('#')) name.remove_prefix(1);
  return name;
}

}  // namespace

RegionKey region_key(std::string_view name) {
  const Digest digest = crypto::sha256(as_bytes("#"), as_bytes(without_hash(name)));
  RegionKey key;
  std::copy_n(digest.begin(), key.size(), key.begin());
  return key;
}

std::uint16_t transport_code(const RegionKey& key, PayloadType type, Bytes payload) {
  const std::array<std::uint8_t, 1> first = {static_cast<std::uint8_t>(type)};
  const std::uint16_t code = le16(crypto::hmac_sha256(key, first, payload));
  if (code == 0x0000) return 0x0001;
  if (code == 0xffff) return 0xfffe;
  return code;
}

bool is_region_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char letter) {
    const auto byte = static_cast<unsigned char>(letter);
    return letter == '-' || letter == '$' || letter == '#' || (letter >= '0' && letter <= '9') ||
           byte >= 'A';
  });
}

RegionTable::RegionTable() {
  wildcard_.name_bytes.append(as_bytes("*"));
}

const Region* RegionTable::find(std::string_view name) const {
  if (name == "*") return &wildcard_;
  const std::string_view wanted = without_hash(name);
  for (const Region& region : named()) {
    if (without_hash(region.name()) == wanted) return &region;
  }
  return nullptr;
}

Region* RegionTable::find(std::string_view name) {
  return const_cast<Region*>(std::as_const(*this).find(name));
}

Region* RegionTable::find_prefix(std::string_view prefix) {
  if (prefix == "*") return &wildcard_;
  if (Region* const exact = find(prefix)) return exact;
  const std::string_view wanted = without_hash(prefix);
  Region* last = nullptr;
  for (std::size_t i = 0; i < size_; ++i) {
    if (without_hash(regions_[i].name()).starts_with(wanted)) last = &regions_[i];
  }
  return last;
}

const Region* RegionTable::find_id(std::uint16_t id) const {
  if (id == 0) return &wildcard_;
  const auto known = named();
  const auto found = std::ranges::find(known, id, &Region::id);
  return found == known.end() ? nullptr : &*found;
}

Region* RegionTable::find_id(std::uint16_t id) {
  return const_cast<Region*>(std::as_const(*this).find_id(id));
}

Result<Region*, RegionError> RegionTable::put(std::string_view name, std::uint16_t parent) {
  if (!is_region_name(name)) return Unexpected(RegionError::bad_name);
  if (Region* const known = find(name)) {
    if (known->id == parent) return Unexpected(RegionError::own_parent);
    known->parent = parent;
    return known;
  }
  return restore(name, next_id_, parent);
}

Result<Region*, RegionError> RegionTable::restore(std::string_view name,
                                                  std::uint16_t id,
                                                  std::uint16_t parent) {
  // Too long a name is refused, not cut: cut, it would be another region with another key.
  if (!is_region_name(name) || name.size() > kRegionNameMax || id == 0 || id == kNoRegion ||
      find_id(id) != nullptr) {
    return Unexpected(RegionError::bad_name);
  }
  if (id == parent) return Unexpected(RegionError::own_parent);
  if (size_ == regions_.size()) return Unexpected(RegionError::table_full);
  Region& region = regions_[size_++];
  region = Region{};
  region.id = id;
  region.parent = parent;
  region.floods = Floods::denied;
  region.name_bytes.append(as_bytes(name));
  region.key = region_key(name);
  next_id_ = std::max<std::uint16_t>(next_id_, static_cast<std::uint16_t>(id + 1));
  return &region;
}

bool RegionTable::has_children(std::uint16_t id) const {
  return std::ranges::find(named(), id, &Region::parent) != named().end();
}

void RegionTable::remove(std::uint16_t id) {
  const auto known = named();
  const auto found = std::ranges::find(known, id, &Region::id);
  if (found == known.end()) return;
  const auto at = regions_.begin() + (found - known.begin());
  std::move(at + 1, regions_.begin() + static_cast<std::ptrdiff_t>(size_), at);
  --size_;
  if (home_ == id) home_ = kNoRegion;
  if (default_ == id) default_ = 0;
}

void RegionTable::clear() {
  size_ = 0;
  next_id_ = 1;
  home_ = 0;
  default_ = 0;
}

const Region* RegionTable::match(const Packet& packet) const {
  if (packet.route == Route::flood) {
    return wildcard_.floods == Floods::allowed ? &wildcard_ : nullptr;
  }
  if (packet.route != Route::transport_flood) return nullptr;
  for (const Region& region : named()) {
    if (region.floods == Floods::denied || region.is_private()) continue;
    if (transport_code(region.key, packet.type, packet.payload) == packet.codes.scope) {
      return &region;
    }
  }
  return nullptr;
}

void RegionTable::scope_own(Packet& packet, std::uint16_t id) const {
  const Region* const region = find_id(id);
  if (region == nullptr || region->is_wildcard() || region->is_private()) return;
  packet.route = Route::transport_flood;
  packet.codes = {transport_code(region->key, packet.type, packet.payload), 0};
}

}  // namespace chappe::mesh
