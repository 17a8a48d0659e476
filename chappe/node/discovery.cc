#include "chappe/node/discovery.h"

#include <algorithm>

#include "chappe/mesh/advert.h"
#include "chappe/mesh/delays.h"

namespace chappe::node {
namespace {

constexpr Duration kAnswersCount = seconds(60);
constexpr std::uint8_t kRequest = 0x80;
constexpr std::uint8_t kResponse = 0x90;
constexpr std::uint8_t kRepeaters = 1 << static_cast<int>(mesh::NodeType::repeater);
constexpr std::size_t kPrefix = 8;
constexpr int kFloodDelays = 4;  // many answer at once

}  // namespace

void Discovery::ask(Time now) {
  // A tag of 0 would stand for no question at all.
  tag_ = std::max(world_.random.next(), std::uint32_t{1});
  asked_until_ = now + kAnswersCount;
  ByteBuffer<10> payload;
  payload.append(kRequest);
  payload.append(kRepeaters);
  payload.append_le32(tag_);
  payload.append_le32(0);  // whatever changed since ever
  send(payload, Duration::zero());
}

void Discovery::hear(const mesh::Packet& packet, const mesh::Heard& heard, Time now) {
  if (const auto request = mesh::parse_discover_request(packet.payload)) {
    answer(*request, heard, now);
  } else if (const auto response = mesh::parse_discover_response(packet.payload)) {
    note(*response, heard, now);
  }
}

void Discovery::answer(const mesh::DiscoverRequest& request, const mesh::Heard& heard, Time now) {
  if (world_.rules.forwarding == mesh::Forwarding::off) return;
  if (!answers_.allows(world_.clock.now(now))) return;
  if ((request.filter & kRepeaters) == 0) return;
  if (world_.preferences.modified_at < request.since) return;

  ByteBuffer<6 + 32> payload;
  payload.append(static_cast<std::uint8_t>(kResponse | static_cast<int>(mesh::NodeType::repeater)));
  payload.append(static_cast<std::uint8_t>(mesh::snr_x4(heard.snr)));
  payload.append_le32(request.tag);
  payload.append(Bytes(world_.rules.own).first(request.prefix_only ? kPrefix : 32));
  const Duration delay =
      kFloodDelays * mesh::flood_delay(world_.rules, world_.random, 0, payload.size());
  send(payload, delay);
}

void Discovery::note(const mesh::DiscoverResponse& response, const mesh::Heard& heard, Time now) {
  if (tag_ == 0 || response.tag != tag_ || now >= asked_until_) return;
  if (response.node_type != static_cast<std::uint8_t>(mesh::NodeType::repeater)) return;
  mesh::PublicKey key;
  if (response.key.size() < key.size()) return;
  std::copy_n(response.key.begin(), key.size(), key.begin());
  if (key == world_.rules.own) return;
  const std::uint32_t unix_now = world_.clock.now(now);
  world_.neighbours.put(key, unix_now, heard.snr, unix_now);
}

void Discovery::send(Bytes payload, Duration delay) {
  mesh::Packet packet;
  packet.route = mesh::Route::direct;
  packet.type = mesh::PayloadType::control;
  packet.payload = payload;
  world_.out.send_own(packet, delay, mesh::kPriorityDirect);
}

}  // namespace chappe::node
