#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "chappe/base/check.h"
#include "chappe/mesh/packet_hash.h"

namespace chappe::mesh {

inline constexpr std::size_t kSeenMax = 1024;
inline constexpr std::size_t kSeenReference = 160;  // MeshCore SimpleMeshTables.h at d9296435

/// Told of what a table knows, as it changes: for a copy that others may read.
class SeenMirror {
 public:
  virtual void on_seen(PacketHash hash) noexcept = 0;
  virtual void on_forgotten(PacketHash hash) noexcept = 0;

 protected:
  ~SeenMirror() = default;
};

/// Which packets were seen: a ring of hashes in order of arrival. There is no time limit; an entry
/// lives until `capacity` newer ones came, and is then overwritten.
///
/// Invariant: every remembered hash is in exactly one slot of the ring and one place of the index.
/// Cost: a look-up reads about two places of the index, whatever the capacity.
/// Context: one executor writes and reads. Memory: in place.
class SeenTable {
 public:
  explicit SeenTable(std::size_t capacity = kSeenMax) : capacity_(capacity) {
    CHAPPE_CHECK(capacity >= 1 && capacity <= kSeenMax);
    index_.fill(kEmpty);
  }

  bool contains(PacketHash hash) const { return index_[place_of(hash)] != kEmpty; }

  /// False, and nothing changes, if it is there already.
  bool insert(PacketHash hash) {
    if (contains(hash)) return false;
    erase(next_, ring_[next_]);  // the oldest makes room
    ring_[next_] = hash;
    index_[place_of(hash)] = next_;
    next_ = static_cast<std::uint16_t>(next_ + 1U == capacity_ ? 0 : next_ + 1);
    if (mirror_ != nullptr) mirror_->on_seen(hash);
    return true;
  }

  /// As if it had never been seen: a copy heard later gets its chance. Its slot stays empty until
  /// its turn, so the lives of the others do not change.
  void forget(PacketHash hash) {
    const std::size_t place = place_of(hash);
    if (index_[place] != kEmpty) lose(place, hash);
  }

  std::size_t capacity() const { return capacity_; }

  /// From an empty table on; null: nobody.
  void mirror_to(SeenMirror* mirror) { mirror_ = mirror; }

 private:
  static constexpr std::size_t kPlaces = std::bit_ceil(2 * kSeenMax);  // at most half full
  static constexpr std::uint16_t kEmpty = 0xffff;
  static_assert(kSeenMax < kEmpty);

  static std::size_t home_of(PacketHash hash) { return hash.word & (kPlaces - 1); }
  static std::size_t after(std::size_t place) { return (place + 1) & (kPlaces - 1); }

  // Where `hash` is, or the empty place where it would go.
  std::size_t place_of(PacketHash hash) const {
    std::size_t place = home_of(hash);
    while (index_[place] != kEmpty && ring_[index_[place]] != hash) place = after(place);
    return place;
  }

  // Takes `slot` out of the index if it still holds `hash`; it does not if that was forgotten.
  void erase(std::uint16_t slot, PacketHash hash) {
    for (std::size_t place = home_of(hash); index_[place] != kEmpty; place = after(place)) {
      if (index_[place] == slot) return lose(place, hash);
    }
  }

  void lose(std::size_t place, PacketHash hash) {
    close_gap(place);
    if (mirror_ != nullptr) mirror_->on_forgotten(hash);
  }

  // Linear probing without tombstones: whoever was pushed past the gap moves back into it.
  void close_gap(std::size_t gap) {
    index_[gap] = kEmpty;
    for (std::size_t place = after(gap); index_[place] != kEmpty; place = after(place)) {
      const std::size_t home = home_of(ring_[index_[place]]);
      if (((place - home) & (kPlaces - 1)) >= ((place - gap) & (kPlaces - 1))) {
        index_[gap] = index_[place];
        index_[place] = kEmpty;
        gap = place;
      }
    }
  }

  const std::size_t capacity_;
  std::uint16_t next_ = 0;  // the oldest slot, overwritten next
  SeenMirror* mirror_ = nullptr;
  std::array<PacketHash, kSeenMax> ring_{};
  std::array<std::uint16_t, kPlaces> index_;
};

}  // namespace chappe::mesh
