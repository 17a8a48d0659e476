#include "chappe/client/event_line.h"

#include <cstddef>
#include <string_view>

namespace chappe::client {
namespace {

// Columns of a line, in letters. The widest kind is "submitted", the widest type "RAW_CUSTOM", the
// widest route "TRANSPORT_DIRECT"; a path hash has at most three bytes.
constexpr std::size_t kIdWidth = 6;
constexpr std::size_t kKindWidth = 9;
constexpr std::size_t kTypeWidth = 10;
constexpr std::size_t kRouteWidth = 16;
constexpr std::size_t kHopsWidth = 8;  // with the space in front
constexpr std::size_t kFromWidth = 11;
constexpr std::size_t kSnrWidth = 9;

std::string decibels(Decibels ratio) {
  return fixed(ratio.quarters * 25, 2) + " dB";
}

/// Names come from the mesh and its operators; a terminal must not obey them.
void append_harmless(std::string& out, std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte >= 0x20 && byte < 0x7f && letter != '\\') {
      out += letter;
    } else {
      out += "\\x";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
}

std::string_view verdict_colour(mesh::Verdict verdict) {
  switch (verdict) {
    case mesh::Verdict::forward:
      return kGreen;
    case mesh::Verdict::deliver:
      return kCyan;
    case mesh::Verdict::drop:
      return kYellow;
  }
  return kNone;
}

std::string_view kind_colour(node::EventKind kind) {
  if (kind == node::EventKind::sent) return kGreen;
  if (kind == node::EventKind::refused) return kRed;
  return kNone;
}

/// Who sent it last, if the packet tells: the last hash of a flood's path.
void append_from(std::string& out, const mesh::Packet* packet) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string from;
  if (packet != nullptr && packet->is_flood() && packet->hop_count > 0) {
    from = "from ";
    for (const std::uint8_t byte : packet->path.last(packet->hash_size)) {
      from += kDigits[byte >> 4];
      from += kDigits[byte & 15];
    }
  }
  append_left(out, from, kFromWidth);
}

void append_packet(std::string& out, const mesh::Packet* packet) {
  if (packet == nullptr) {
    append_left(out, "no packet", kTypeWidth + 1 + kRouteWidth + kHopsWidth);
  } else {
    append_left(out, to_string(packet->type), kTypeWidth);
    out += ' ';
    append_left(out, to_string(packet->route), kRouteWidth);
    const std::string count = std::to_string(packet->hop_count);
    append_right(out, count + (packet->hop_count == 1 ? " hop " : " hops"), kHopsWidth);
  }
  out += "  ";
  append_from(out, packet);
}

void append_judgement(std::string& out, const node::Event& event, Colours colours) {
  if (event.not_received) {
    append_coloured(out, "not_received", kRed, colours);
    out += ": ";
    out += event.why;
    return;
  }
  append_coloured(out, to_string(event.verdict), verdict_colour(event.verdict), colours);
  out += ": ";
  out += event.why;
  if (!event.region.empty()) {
    out += ", region ";
    append_harmless(out, event.region);
  }
  if (event.verdict == mesh::Verdict::forward) {
    out += ", in " + milliseconds_of(event.delay) + ", priority " + std::to_string(event.priority);
  }
}

void append_result(std::string& out, const node::Event& event, Colours colours) {
  switch (event.kind) {
    case node::EventKind::heard:
      out += milliseconds_of(event.airtime) + " on air";
      if (event.delay > Duration::zero()) out += ", held " + milliseconds_of(event.delay);
      break;
    case node::EventKind::judged:
      append_judgement(out, event, colours);
      break;
    case node::EventKind::submitted:
      out += "in " + milliseconds_of(event.delay) + ", priority " + std::to_string(event.priority);
      break;
    case node::EventKind::sent:
      out += milliseconds_of(event.airtime) + " on air";
      if (event.delay > Duration::zero()) out += ", waited " + milliseconds_of(event.delay);
      if (event.attempts > 1) out += ", attempt " + std::to_string(event.attempts);
      if (event.forced) out += ", over a busy channel";
      out += ", budget " + share(event.spent_ppm) + " spent";
      break;
    case node::EventKind::refused:
      out += event.why;
      if (event.delay > Duration::zero()) {
        out += ", could start in " + milliseconds_of(event.delay);
      }
      out += ", budget " + share(event.spent_ppm) + " spent";
      break;
  }
}

}  // namespace

void append_line(const node::Event& event, Time start, Colours colours, std::string& out) {
  append_right(out, fixed(in_ms(event.at - start), 3), kTimeWidth);
  const std::string id = (event.local ? "*" : "#") + std::to_string(event.id);
  append_right(out, event.not_received ? "" : id, kIdWidth + 2);
  out += "  ";
  const std::string_view kind = to_string(event.kind);
  append_coloured(out, kind, kind_colour(event.kind), colours);
  append_left(out, "", kKindWidth - kind.size() + 1);
  append_packet(out, event.packet);
  const bool received =
      event.kind == node::EventKind::heard || event.kind == node::EventKind::judged;
  append_right(out, received ? decibels(event.snr) : "", kSnrWidth);
  out += "  ";
  append_result(out, event, colours);
  out += '\n';
}

}  // namespace chappe::client
