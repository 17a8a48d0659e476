#include "chappe/node/adverts.h"

#include <algorithm>

#include "chappe/mesh/advert.h"
#include "chappe/mesh/delays.h"

namespace chappe::node {
namespace {

Time due_in(async::Executor& executor, Duration interval) {
  return interval == Duration::zero() ? kNever : executor.now() + interval;
}

mesh::Appdata appdata_of(const Preferences& preferences) {
  mesh::Appdata appdata;
  appdata.type = mesh::NodeType::repeater;
  appdata.name = preferences.name.view();
  switch (preferences.position) {
    case PositionPolicy::none:
      break;
    case PositionPolicy::share:
      appdata.position = mesh::Position{};
      break;
    case PositionPolicy::configured:
      appdata.position =
          mesh::Position{mesh::to_e6(preferences.latitude), mesh::to_e6(preferences.longitude)};
      break;
  }
  return appdata;
}

}  // namespace

void Adverts::start() {
  restart_local();
  restart_flood();
}

void Adverts::stop() {
  local_due_ = flood_due_ = kNever;
  timer_.cancel();
}

void Adverts::restart_local() {
  local_due_ = due_in(world_.executor, minutes(world_.preferences.local_advert_minutes));
  arm();
}

void Adverts::restart_flood() {
  flood_due_ = due_in(world_.executor, hours(world_.preferences.flood_advert_hours));
  arm();
}

void Adverts::arm() {
  const Time next = std::min(local_due_, flood_due_);
  if (next == kNever) {
    timer_.cancel();
  } else {
    timer_.arm(next);
  }
}

void Adverts::Next::fired(Timer& timer, const async::TimerContext& context) {
  static_cast<Next&>(timer).adverts.on_time(context.now());
}

void Adverts::on_time(Time now) {
  if (flood_due_ <= now) {
    send(Reach::flood, Duration::zero());
    restart_flood();
  } else {
    send(Reach::zero_hop, Duration::zero());
  }
  restart_local();
}

void Adverts::send(Reach reach, Duration delay) {
  const auto appdata = mesh::build_appdata(appdata_of(world_.preferences));
  const std::uint32_t timestamp = world_.clock.now(world_.executor.now());
  const auto payload =
      mesh::build_advert(world_.identity.prv, world_.identity.pub, timestamp, appdata);

  mesh::Packet packet;
  packet.type = mesh::PayloadType::advert;
  packet.payload = payload;
  if (reach == Reach::zero_hop) {
    packet.route = mesh::Route::direct;
    return world_.out.send_own(packet, delay, mesh::kPriorityDirect);
  }
  packet.route = mesh::Route::flood;
  packet.hash_size = static_cast<std::uint8_t>(world_.preferences.path_hash_mode + 1);
  world_.regions.scope_own(packet, world_.regions.default_scope());
  world_.out.send_own(packet, delay, mesh::kPriorityOwnFloodAdvert);
}

}  // namespace chappe::node
