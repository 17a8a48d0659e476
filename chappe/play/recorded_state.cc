#include "chappe/play/recorded_state.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "chappe/node/console_regions.h"

namespace chappe::play {
namespace {

// The number that recordings show: 0.3, and not the nearest single-precision number.
double as_written(float number) {
  std::array<char, 32> digits;
  constexpr int kDigits = 6;
  const auto end =
      std::to_chars(
          digits.data(), digits.data() + digits.size(), number, std::chars_format::general, kDigits)
          .ptr;
  double read = 0;
  std::from_chars(digits.data(), end, read);
  return read;
}

Json sorted_by_key(Json::Array items) {
  std::ranges::sort(
      items, {}, [](const Json& item) -> const std::string& { return item["pub"].text(); });
  return Json(std::move(items));
}

Json counters_of(const node::Counters& counters) {
  return Json::object()
      .set("sent_flood", counters.sent_by.flood)
      .set("sent_direct", counters.sent_by.direct)
      .set("recv_flood", counters.heard.flood)
      .set("recv_direct", counters.heard.direct)
      .set("dup_flood", counters.duplicates.flood)
      .set("dup_direct", counters.duplicates.direct);
}

Json neighbours_of(const mesh::Neighbours& neighbours) {
  Json::Array items;
  for (const mesh::Neighbour& neighbour : neighbours.all()) {
    items.push_back(Json::object()
                        .set("pub", hex(neighbour.key))
                        .set("advert_ts", neighbour.advert_timestamp)
                        .set("heard", neighbour.heard_at)
                        .set("snr_q", int{neighbour.snr.quarters}));
  }
  return sorted_by_key(std::move(items));
}

Json clients_of(const node::AccessList& access) {
  Json::Array items;
  for (const node::AccessEntry& entry : access.all()) {
    Json client = Json::object();
    client.set("pub", hex(entry.key)).set("perm", int{entry.permissions});
    client.set("path_len", int{entry.path_len}).set("last_ts", entry.last_timestamp);
    const std::size_t path_size =
        (entry.path_len >> 6) * (entry.path_len & 63U) + (entry.path_len & 63U);
    const bool known = entry.path_len != node::AccessEntry::kPathUnknown;
    client.set("path",
               known ? Json(hex(Bytes(entry.path).first(std::min(path_size, entry.path.size()))))
                     : Json());
    items.push_back(std::move(client));
  }
  return sorted_by_key(std::move(items));
}

Json radio_of(const radio::Modulation& modulation, const RecordedBoard& board) {
  constexpr double kHertzPerMegahertz = 1e6;
  constexpr double kHertzPerKilohertz = 1e3;
  return Json::object()
      .set("freq", modulation.frequency.count / kHertzPerMegahertz)
      .set("bw", modulation.bandwidth.nominal().count / kHertzPerKilohertz)
      .set("sf", int{modulation.spreading})
      .set("cr", int{modulation.coding})
      .set("tx_dbm", board.transmit_dbm());
}

Json preferences_of(node::Repeater& repeater) {
  const mesh::Rules& rules = repeater.rules();
  const node::Preferences& preferences = repeater.preferences();
  return Json::object()
      .set("airtime_factor", as_written(preferences.airtime_factor))
      .set("rx_delay_base", as_written(rules.receive_delay_base))
      .set("tx_delay_factor", as_written(rules.flood_delay_factor))
      .set("direct_tx_delay_factor", as_written(rules.direct_delay_factor))
      .set("disable_fwd", rules.forwarding == mesh::Forwarding::off ? 1 : 0)
      .set("flood_max", int{rules.flood_max})
      .set("flood_max_unscoped", int{rules.flood_max_unscoped})
      .set("flood_max_advert", int{rules.flood_max_advert})
      .set("loop_detect", static_cast<int>(rules.loop_detection))
      .set("multi_acks", int{preferences.multi_acks})
      .set("path_hash_mode", int{preferences.path_hash_mode})
      .set("cad_enabled", preferences.cad ? 1 : 0)
      .set("interference_threshold", int{preferences.interference_threshold})
      .set("advert_interval", preferences.local_advert_minutes / 2)
      .set("flood_advert_interval", int{preferences.flood_advert_hours})
      .set("agc_reset_interval", preferences.agc_reset_seconds / 4);
}

}  // namespace

Json state_of(node::Repeater& repeater,
              const node::AccessList& access,
              const tx::Bucket& law,
              const RecordedBoard& board) {
  const node::Counters& counters = repeater.counters();
  node::Reply regions;
  node::append_tree(regions, repeater.regions());
  Json state = Json::object();
  state.set("counters", counters_of(counters));
  state.set("err_flags", int{counters.errors});
  state.set("tx_air_ms", static_cast<std::int64_t>(counters.transmit_airtime_ms));
  state.set("rx_air_ms", static_cast<std::int64_t>(counters.receive_airtime_ms));
  state.set("tx_budget_ms", law.tx_budget_ms());
  // The reference's clock moves at the end of each turn of its loop, once a millisecond, and its
  // state was read after the last one.
  state.set("rtc", repeater.clock().now(repeater.now() + milliseconds(1)));
  state.set("neighbours", neighbours_of(repeater.neighbours()));
  state.set("clients", clients_of(access));
  state.set("regions", regions.view());
  state.set("radio", radio_of(repeater.radio().modulation(), board));
  state.set("prefs", preferences_of(repeater));
  return state;
}

Json sorted_state(const Json& recorded) {
  Json sorted = Json::object();
  for (const auto& [name, value] : recorded.members()) {
    if (name == "neighbours" || name == "clients") {
      sorted.set(name, sorted_by_key(value.items()));
    } else if (name == "regions") {
      // Recorded as a whole; a reply holds less.
      sorted.set(name, value.text().substr(0, node::Reply::capacity()));
    } else {
      sorted.set(name, value);
    }
  }
  return sorted;
}

}  // namespace chappe::play
