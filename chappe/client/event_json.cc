#include "chappe/client/event_json.h"

#include "chappe/client/json_writer.h"

namespace chappe::client {
namespace {

void add_packet(const node::Event& event, JsonLine& line) {
  if (event.packet == nullptr) return;
  const mesh::Packet& packet = *event.packet;
  line.hex("hash", event.hash.bytes());
  line.text("route", to_string(packet.route)).text("type", to_string(packet.type));
  line.number("hops", packet.hop_count);
  // The last hash of a flood's path is who we heard it from; without one it is the originator.
  if (packet.is_flood() && packet.hop_count > 0) {
    line.hex("from", packet.path.last(packet.hash_size));
  }
}

}  // namespace

void append_json(const node::Event& event, std::string& out) {
  JsonLine line(out);
  line.number("t_us", in_us(event.at));
  line.text("event", to_string(event.kind));
  line.number("id", static_cast<std::int64_t>(event.id));
  if (event.local) line.boolean("local", true);
  add_packet(event, line);
  line.hex("hex", event.frame);
  switch (event.kind) {
    case node::EventKind::heard:
      line.quarters("snr", event.snr.quarters).quarters("rssi", event.rssi.quarters);
      line.number("delay_us", in_us(event.delay)).number("airtime_us", in_us(event.airtime));
      break;
    case node::EventKind::judged:
      line.quarters("snr", event.snr.quarters).quarters("rssi", event.rssi.quarters);
      line.text("verdict", event.not_received ? "not_received" : to_string(event.verdict));
      line.text("why", event.why);
      if (!event.region.empty()) line.text("region", event.region);
      if (event.verdict == mesh::Verdict::forward && !event.not_received) {
        line.number("delay_us", in_us(event.delay)).number("priority", event.priority);
      }
      break;
    case node::EventKind::submitted:
      line.number("delay_us", in_us(event.delay)).number("priority", event.priority);
      break;
    case node::EventKind::sent:
      line.number("keyed_us", in_us(event.keyed));
      line.number("delay_us", in_us(event.delay)).number("airtime_us", in_us(event.airtime));
      line.number("attempts", event.attempts);
      if (event.forced) line.boolean("forced", true);
      line.number("spent_ppm", event.spent_ppm);
      break;
    case node::EventKind::refused:
      line.text("why", event.why).number("delay_us", in_us(event.delay));
      line.number("spent_ppm", event.spent_ppm);
      break;
  }
}

}  // namespace chappe::client
