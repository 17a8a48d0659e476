#include "chappe/play/event_text.h"

#include <array>
#include <cstdio>

#include "chappe/base/text.h"

namespace chappe::play {
namespace {

// The longest line: a whole frame in hex, and 200 letters of words around it.
using Line = Text<2 * 255 + 200>;

void add_milliseconds(Line& line, Duration span) {
  std::array<char, 32> digits{};
  std::snprintf(digits.data(),
                digits.size(),
                "%lld.%03lld ms",
                static_cast<long long>(in_us(span) / 1000),
                static_cast<long long>(in_us(span) % 1000));
  line.add(digits.data());
}

void add_time(Line& line, Time at) {
  std::array<char, 32> digits{};
  std::snprintf(digits.data(),
                digits.size(),
                "%6lld.%06lld  ",
                static_cast<long long>(in_us(at) / 1'000'000),
                static_cast<long long>(in_us(at) % 1'000'000));
  line.add(digits.data());
}

void add_signal(Line& line, const node::Event& event) {
  std::array<char, 48> digits{};
  std::snprintf(digits.data(),
                digits.size(),
                "snr %.2f dB, %.2f dBm",
                event.snr.quarters / 4.0,
                event.rssi.quarters / 4.0);
  line.add(digits.data());
}

void add_packet(Line& line, const node::Event& event) {
  if (event.packet == nullptr) {
    line.add(event.frame.size()).add(" bytes, no packet: ").add_hex(event.frame);
    return;
  }
  const mesh::Packet& packet = *event.packet;
  line.add(to_string(packet.type)).add(' ').add(to_string(packet.route));
  line.add(", hops ").add(packet.hop_count).add(", ").add(event.frame.size()).add(" bytes, ");
  line.add_hex(event.hash.bytes());
}

}  // namespace

void append_text(const node::Event& event, std::string& out) {
  Line line;
  add_time(line, event.at);
  if (event.id != 0) line.add('#').add(event.id).add(' ');
  line.add(event.local ? "own " : "").add(to_string(event.kind)).add("  ");
  add_packet(line, event);
  line.add("  ");
  switch (event.kind) {
    case node::EventKind::heard:
      add_signal(line, event);
      if (event.delay > Duration::zero()) {
        line.add(", held ");
        add_milliseconds(line, event.delay);
      }
      break;
    case node::EventKind::judged:
      line.add(event.not_received ? "not_received" : to_string(event.verdict)).add(": ");
      line.add(event.why);
      if (!event.region.empty()) line.add(" in region ").add(event.region);
      if (event.verdict == mesh::Verdict::forward && !event.not_received) {
        line.add(", in ");
        add_milliseconds(line, event.delay);
        line.add(", priority ").add(event.priority);
      }
      break;
    case node::EventKind::submitted:
      line.add("in ");
      add_milliseconds(line, event.delay);
      line.add(", priority ").add(event.priority);
      break;
    case node::EventKind::sent:
      line.add("waited ");
      add_milliseconds(line, event.delay);
      line.add(", on air ");
      add_milliseconds(line, event.airtime);
      if (event.forced) line.add(", over a busy channel");
      break;
    case node::EventKind::refused:
      line.add(event.why);
      break;
  }
  out.append(line.view()).append("\n");
}

}  // namespace chappe::play
