#include "chappe/mesh/neighbours.h"

#include <algorithm>

#include "chappe/base/check.h"

namespace chappe::mesh {

Neighbours::Neighbours(std::size_t capacity) : capacity_(capacity) {
  CHAPPE_CHECK(capacity >= 1 && capacity <= kNeighboursMax);
}

void Neighbours::hear(const Packet& packet,
                      const Advert& advert,
                      Decibels snr,
                      std::uint32_t unix_now) {
  if (packet.hop_count != 0) return;
  if (packet.has_codes() && packet.codes == TransportCodes{}) return;
  const auto appdata = parse_appdata(advert.appdata);
  if (!appdata || appdata->type != NodeType::repeater) return;
  put(advert.key, advert.timestamp, snr, unix_now);
}

void Neighbours::put(const PublicKey& key,
                     std::uint32_t advert_timestamp,
                     Decibels snr,
                     std::uint32_t unix_now) {
  const auto end = slots_.begin() + static_cast<std::ptrdiff_t>(size_);
  auto slot = std::find_if(slots_.begin(), end, [&](const Neighbour& n) { return n.key == key; });
  if (slot == end) {
    if (size_ < capacity_) {
      ++size_;
    } else {
      slot = std::min_element(slots_.begin(), end, [](const Neighbour& a, const Neighbour& b) {
        return a.heard_at < b.heard_at;
      });
    }
  }
  *slot = {key, advert_timestamp, unix_now, snr};
}

std::size_t Neighbours::remove(Bytes prefix) {
  const auto end = slots_.begin() + static_cast<std::ptrdiff_t>(size_);
  const auto kept = std::remove_if(slots_.begin(), end, [&](const Neighbour& neighbour) {
    return prefix.size() <= neighbour.key.size() &&
           std::equal(prefix.begin(), prefix.end(), neighbour.key.begin());
  });
  const auto removed = static_cast<std::size_t>(end - kept);
  size_ -= removed;
  return removed;
}

}  // namespace chappe::mesh
