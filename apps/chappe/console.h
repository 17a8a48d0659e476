#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>

#include "chappe/base/units.h"
#include "chappe/client/columns.h"
#include "chappe/node/books.h"
#include "chappe/node/event.h"
#include "chappe/node/repeater.h"
#include "chappe/tx/transmitter.h"

namespace chappe::app {

using client::Colours;
enum class Form : std::uint8_t { lines, json };

/// On only for a terminal, and only if nobody asked for none: `no_color` is the environment's
/// NO_COLOR, which counts if it is set and not empty.
Colours colours_for(int descriptor, const char* no_color);

/// The airtime budget at one moment.
struct Hour {
  tx::Usage usage;               // of the limit that is nearest to being spent
  std::optional<Duration> free;  // until the longest frame may go; nothing: never
  std::optional<Duration> next;  // airtime of the frame that goes next
  std::optional<Duration> undebited;
};
Hour hour_of(const node::Repeater& repeater);

/// What a run came to.
struct Summary {
  const node::Books& books;
  const tx::Statistics& statistics;
  Duration ran{};
  Hour hour{};
};

/// A table in which both books can be added up: heard = forwarded + delivered + dropped + waiting,
/// submitted = sent + refused + waiting. Says so loudly if one does not balance.
std::string print_summary(const Summary& summary, Colours colours);

/// Said in place of events that nobody took in time: a line that looks like those around it.
std::string not_shown(std::uint64_t count, Form form, Duration since_start);

/// Prints every event of a node as it happens.
class Console final : public node::EventListener {
 public:
  Console(std::ostream& out, Form form, Colours colours, Time start);

  void on_event(const node::Event& event) noexcept override;
  Time start() const { return start_; }

 private:
  std::ostream& out_;
  const Form form_;
  const Colours colours_;
  const Time start_;
  std::string line_;  // kept, so that no line after the first few allocates
};

}  // namespace chappe::app
