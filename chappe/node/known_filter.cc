#include "chappe/node/known_filter.h"

#include <algorithm>

#include "chappe/mesh/packet.h"
#include "chappe/mesh/packet_hash.h"

namespace chappe::node {
namespace {

// Floods of these types are looked up before anything else about them is decided, and all copies
// of one are of one size; see mesh/judge.cc. A multipart counts down, a trace and a control packet
// have rules of their own.
bool is_looked_up_first(const mesh::Packet& packet, const mesh::PublicKey& own) {
  using mesh::PayloadType;
  if (!packet.is_flood()) return false;
  switch (packet.type) {
    case PayloadType::ack:
    case PayloadType::path_return:
    case PayloadType::request:
    case PayloadType::response:
    case PayloadType::text:
    case PayloadType::anonymous_request:
    case PayloadType::group_text:
    case PayloadType::group_data:
      return true;
    case PayloadType::advert:
      // Our own is dropped for being ours.
      return packet.payload.size() < own.size() ||
             !std::equal(own.begin(), own.end(), packet.payload.begin());
    default:
      return false;
  }
}

}  // namespace

bool KnownFilter::is_new(const radio::Frame& frame) noexcept {
  const auto packet = mesh::parse(frame.bytes);
  if (!packet || !is_looked_up_first(*packet, own_)) return true;
  const mesh::PacketHash hash = mesh::packet_hash(*packet);
  if (hash.word == 0 || known_[place_of(hash)].word.load(sync::Order::relaxed) != hash.word) {
    return true;
  }
  const std::uint32_t ms = estimates_[frame.bytes.size()].ms.load(sync::Order::relaxed);
  airtime_ms_.store(airtime_ms_.load(sync::Order::relaxed) + ms, sync::Order::relaxed);
  frames_.store(frames_.load(sync::Order::relaxed) + 1, sync::Order::relaxed);
  return false;
}

void KnownFilter::on_seen(mesh::PacketHash hash) noexcept {
  known_[place_of(hash)].word.store(hash.word, sync::Order::relaxed);
}

void KnownFilter::on_forgotten(mesh::PacketHash hash) noexcept {
  auto& word = known_[place_of(hash)].word;
  // Another hash may have taken the place.
  if (word.load(sync::Order::relaxed) == hash.word) word.store(0, sync::Order::relaxed);
}

void KnownFilter::set_estimates(const radio::EstimateTable& estimates_ms) {
  for (std::size_t i = 0; i < estimates_.size(); ++i) {
    estimates_[i].ms.store(estimates_ms[i], sync::Order::relaxed);
  }
}

KnownFilter::Dropped KnownFilter::dropped() const {
  return {frames_.load(sync::Order::relaxed), airtime_ms_.load(sync::Order::relaxed)};
}

}  // namespace chappe::node
