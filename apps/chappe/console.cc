#include "apps/chappe/console.h"

#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <ostream>
#include <string_view>

#include "chappe/client/event_json.h"
#include "chappe/client/event_line.h"
#include "chappe/radio/airtime.h"

namespace chappe::app {
namespace {

using client::append_coloured;
using client::append_left;
using client::append_right;
using client::fixed;
using client::kGreen;
using client::kRed;

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

std::string in_s(Duration span) {
  return fixed(in_ms(span), 3) + " s";
}

void append_hour(std::string& out, const Hour& hour) {
  const tx::Usage& usage = hour.usage;
  if (usage.limit == Duration::zero()) {
    out += "no limit on airtime\n";
  } else {
    out += "budget " + in_s(usage.spent) + " of " + in_s(usage.limit) + " spent in the last " +
           in_s(usage.window) + "\n";
  }
  if (!hour.free) {
    out += "the longest frame never fits\n";
  } else if (*hour.free > Duration::zero()) {
    out += "the longest frame may go in " + in_s(*hour.free) + "\n";
  }
  if (hour.next) out += "next in line: a frame of " + in_s(*hour.next) + "\n";
  if (hour.undebited && *hour.undebited != Duration::zero()) {
    out += "THE RADIO HAS RADIATED " + in_s(*hour.undebited) + " MORE THAN WAS DEBITED\n";
  }
}

}  // namespace

Hour hour_of(const node::Repeater& repeater) {
  Hour hour;
  const Time now = repeater.now();
  hour.usage = repeater.law().usage(now);
  const Duration longest = radio::time_on_air(repeater.radio().modulation(), radio::kFrameMax);
  const Time free = repeater.law().earliest(longest, now);
  if (free != kNever) hour.free = free - now;
  if (const tx::Waiting* const next = repeater.transmitter().next_in_line()) {
    hour.next = next->airtime();
  }
  hour.undebited = repeater.statistics().undebited(repeater.radio());
  return hour;
}

Colours colours_for(int descriptor, const char* no_color) {
  const bool refused = no_color != nullptr && no_color[0] != '\0';
  return !refused && ::isatty(descriptor) == 1 ? Colours::on : Colours::off;
}

std::string print_summary(const Summary& summary, Colours colours) {
  std::string out;
  append_heard(out, summary.books, colours);
  out += '\n';
  append_submitted(out, summary.statistics, colours);
  out += "\nran " + fixed(in_ms(summary.ran), 3) + " s, on air " +
         fixed(in_ms(summary.statistics.airtime), 3) + " s\n";
  append_hour(out, summary.hour);
  return out;
}

std::string not_shown(std::uint64_t count, Form form, Duration since_start) {
  if (form == Form::json) return R"({"event":"lost","count":)" + std::to_string(count) + "}\n";
  return fixed(in_ms(since_start), 3) + "  " + std::to_string(count) +
         " events were not shown: nobody read them\n";
}

Console::Console(std::ostream& out, Form form, Colours colours, Time start)
    : out_(out), form_(form), colours_(colours), start_(start) {}

void Console::on_event(const node::Event& event) noexcept {
  line_.clear();
  if (form_ == Form::json) {
    client::append_json(event, line_);
  } else {
    client::append_line(event, start_, colours_, line_);
  }
  // At once: whoever reads a pipe wants each event when it happens, and there are few a second.
  out_ << line_ << std::flush;
}

}  // namespace chappe::app
