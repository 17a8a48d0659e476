#include "chappe/node/console_replies.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace chappe::node {
namespace {

/// One flat JSON object.
class Fields {
 public:
  explicit Fields(Reply& out) : out_(out) { out_.append('{'); }
  ~Fields() { out_.append('}'); }

  template <std::integral N>
  Fields& add(std::string_view name, N number) {
    begin(name);
    append_number(out_, number);
    return *this;
  }
  Fields& add(std::string_view name, Decibels ratio) {
    begin(name);
    if (ratio.quarters < 0) out_.append('-');
    const int quarters = std::abs(ratio.quarters);
    append_number(out_, quarters / 4);
    constexpr std::array<std::string_view, 4> kDecimals = {".00", ".25", ".50", ".75"};
    out_.append(kDecimals[static_cast<std::size_t>(quarters % 4)]);
    return *this;
  }

 private:
  void begin(std::string_view name) {
    if (!first_) out_.append(',');
    first_ = false;
    out_.append('"').append(name).append("\":");
  }

  Reply& out_;
  bool first_ = true;
};

}  // namespace

void append_neighbours(Reply& out, const mesh::Neighbours& neighbours, std::uint32_t unix_now) {
  constexpr std::size_t kEnough = 134;  // no line is begun behind it
  constexpr std::size_t kKeyBytes = 4;
  const auto all = neighbours.all();
  if (all.empty()) {
    out.append("-none-");
    return;
  }
  std::array<const mesh::Neighbour*, mesh::kNeighboursMax> order{};
  std::ranges::transform(all, order.begin(), [](const mesh::Neighbour& one) { return &one; });
  const std::span newest_first(order.data(), all.size());
  std::ranges::sort(newest_first, [](const mesh::Neighbour* a, const mesh::Neighbour* b) {
    return a->heard_at != b->heard_at ? a->heard_at > b->heard_at : a < b;
  });
  for (const mesh::Neighbour* const neighbour : newest_first) {
    if (out.size() >= kEnough) return;
    if (!out.empty()) out.append('\n');
    append_hex(out, Bytes(neighbour->key).first(kKeyBytes));
    out.append(':');
    append_number(out, unix_now - neighbour->heard_at);
    out.append(':');
    append_number(out, neighbour->snr.quarters);
  }
}

void append_core_statistics(Reply& out, Repeater& repeater, const Board& board) {
  Fields(out)
      .add("battery_mv", board.battery_mv())
      .add("uptime_secs", in_us(repeater.uptime()) / 1'000'000)
      .add("errors", repeater.counters().errors)
      .add("queue_len", repeater.transmitter().waiting_count());
}

void append_radio_statistics(Reply& out, Repeater& repeater, const Board& board) {
  const Counters& counters = repeater.counters();
  Fields(out)
      .add("noise_floor", board.noise_floor_dbm())
      .add("last_rssi", counters.last_rssi.quarters / 4)
      .add("last_snr", counters.last_snr)
      .add("tx_air_secs", counters.transmit_airtime_ms / 1000)
      .add("rx_air_secs", counters.receive_airtime_ms / 1000);
}

void append_packet_statistics(Reply& out, Repeater& repeater, const Board& board) {
  const Counters& counters = repeater.counters();
  Fields(out)
      .add("recv", counters.received)
      .add("sent", counters.sent)
      .add("flood_tx", counters.sent_by.flood)
      .add("direct_tx", counters.sent_by.direct)
      .add("flood_rx", counters.heard.flood)
      .add("direct_rx", counters.heard.direct)
      .add("recv_errors", board.receive_errors());
}

}  // namespace chappe::node
