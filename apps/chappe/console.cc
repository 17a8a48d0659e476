#include "apps/chappe/console.h"

#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <ostream>
#include <string_view>

#include "chappe/client/event_json.h"

namespace chappe::app {
namespace {

// Columns of a line, in letters. The widest kind is "submitted", the widest type "RAW_CUSTOM", the
// widest route "TRANSPORT_DIRECT"; a path hash has at most three bytes.
constexpr std::size_t kTimeWidth = 11;
constexpr std::size_t kIdWidth = 6;
constexpr std::size_t kKindWidth = 9;
constexpr std::size_t kTypeWidth = 10;
constexpr std::size_t kRouteWidth = 16;
constexpr std::size_t kHopsWidth = 8;  // with the space in front
constexpr std::size_t kFromWidth = 11;
constexpr std::size_t kSnrWidth = 9;

constexpr std::string_view kRed = "\x1b[31m";
constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kCyan = "\x1b[36m";
constexpr std::string_view kPlain = "\x1b[0m";
constexpr std::string_view kNone;

/// `count` / 10^decimals, written out; without going through a double, exactly.
std::string fixed(std::int64_t count, int decimals) {
  std::string digits = std::to_string(count < 0 ? -count : count);
  const auto point = static_cast<std::size_t>(decimals);
  if (digits.size() <= point) digits.insert(0, point + 1 - digits.size(), '0');
  digits.insert(digits.size() - point, ".");
  return (count < 0 ? "-" : "") + digits;
}

std::string milliseconds_of(Duration span) {
  return fixed(in_us(span) / 100, 1) + " ms";
}

std::string share(std::uint32_t ppm) {
  return fixed(ppm / 100, 2) + " %";
}

std::string decibels(Decibels ratio) {
  return fixed(ratio.quarters * 25, 2) + " dB";
}

void append_left(std::string& out, std::string_view text, std::size_t width) {
  out += text;
  if (text.size() < width) out.append(width - text.size(), ' ');
}

void append_right(std::string& out, std::string_view text, std::size_t width) {
  if (text.size() < width) out.append(width - text.size(), ' ');
  out += text;
}

void append_coloured(std::string& out,
                     std::string_view text,
                     std::string_view colour,
                     Colours colours) {
  if (colours == Colours::off || colour.empty()) {
    out += text;
    return;
  }
  out += colour;
  out += text;
  out += kPlain;
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

constexpr std::size_t kLabelWidth = 34;
constexpr std::size_t kCountWidth = 10;

void append_row(std::string& out, std::string_view label, std::uint64_t count) {
  append_left(out, label, kLabelWidth);
  append_right(out, std::to_string(count), kCountWidth);
  out += '\n';
}

void append_reason(std::string& out, std::string_view why, std::uint64_t count) {
  if (count != 0) append_row(out, "      " + std::string(why), count);
}

/// The last row: what the rows above add up to, and whether that is what the book began with.
void append_sum(std::string& out, std::uint64_t sum, std::uint64_t expected, Colours colours) {
  append_left(out, "  sum", kLabelWidth);
  append_right(out, std::to_string(sum), kCountWidth);
  out += "  ";
  const bool balances = sum == expected;
  append_coloured(
      out, balances ? "balances" : "DOES NOT BALANCE", balances ? kGreen : kRed, colours);
  out += '\n';
}

void append_heard(std::string& out, const node::Books& books, Colours colours) {
  append_row(out, "frames heard", books.heard);
  append_row(out, "  forwarded", books.forwarded);
  append_row(out, "  delivered", books.delivered);
  append_row(out, "  dropped", books.dropped());
  for (std::size_t i = 0; i < mesh::kWhyCount; ++i) {
    append_reason(out, to_string(static_cast<mesh::Why>(i)), books.dropped_by_judge[i]);
  }
  for (std::size_t i = 0; i < tx::kWhyCount; ++i) {
    append_reason(out,
                  "not sent: " + std::string(to_string(static_cast<tx::Why>(i))),
                  books.dropped_by_transmitter[i]);
  }
  append_row(out, "  waiting", books.waiting);
  append_sum(out,
             books.forwarded + books.delivered + books.dropped() + books.waiting,
             books.heard,
             colours);
}

void append_submitted(std::string& out, const tx::Statistics& statistics, Colours colours) {
  append_row(out, "transmissions submitted", statistics.submitted);
  append_row(out, "  sent", statistics.sent);
  append_reason(out, "of them over a busy channel", statistics.forced);
  append_row(out, "  refused", statistics.refused());
  for (std::size_t i = 0; i < tx::kWhyCount; ++i) {
    append_reason(out,
                  to_string(static_cast<tx::Why>(i)),
                  statistics.refused_early[i] + statistics.refused_at_gate[i]);
  }
  append_row(out, "  waiting", statistics.waiting);
  append_sum(out,
             statistics.sent + statistics.refused() + statistics.waiting,
             statistics.submitted,
             colours);
}

}  // namespace

Colours colours_for(int descriptor, const char* no_color) {
  const bool refused = no_color != nullptr && no_color[0] != '\0';
  return !refused && ::isatty(descriptor) == 1 ? Colours::on : Colours::off;
}

void append_line(const node::Event& event, Time start, Colours colours, std::string& out) {
  append_right(out, fixed(in_ms(event.at - start), 3), kTimeWidth);
  append_right(out, (event.local ? "*" : "#") + std::to_string(event.id), kIdWidth + 2);
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

std::string print_summary(const Summary& summary, Colours colours) {
  std::string out;
  append_heard(out, summary.books, colours);
  out += '\n';
  append_submitted(out, summary.statistics, colours);
  out += "\nran " + fixed(in_ms(summary.ran), 3) + " s, on air " +
         fixed(in_ms(summary.statistics.airtime), 3) + " s, budget " + share(summary.spent_ppm) +
         " spent\n";
  return out;
}

Console::Console(std::ostream& out, Form form, Colours colours, Time start)
    : out_(out), form_(form), colours_(colours), start_(start) {}

void Console::on_event(const node::Event& event) noexcept {
  line_.clear();
  if (form_ == Form::json) {
    client::append_json(event, line_);
  } else {
    append_line(event, start_, colours_, line_);
  }
  // At once: whoever reads a pipe wants each event when it happens, and there are few a second.
  out_ << line_ << std::flush;
}

}  // namespace chappe::app
