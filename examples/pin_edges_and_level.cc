// A pin: its edges are counted and stamped by the interrupt, its level is asked of the pin.
//
// A button that bounces makes many edges and ends up on one level. Who wants to know how often asks
// for edges; who wants to know how it is waits for a level, and needs no edge if it is there.
#include <cstdio>

#include "chappe/async/executor.h"
#include "chappe/async/sleep.h"
#include "chappe/async/when_any.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/sync/irq_edge.h"

using namespace chappe;
using Edge = sync::IrqEdge::Edge;

// The hardware: seven edges, one each millisecond, and then the pin stays high.
class Button : port::VirtualPort::Interrupt {
 public:
  Button(port::VirtualPort& port, sync::WakeList& wakes)
      : Interrupt(&raised), line(wakes, port, &read, this), port_(port) {
    port.raise_at(*this, at_ms(10));
  }
  sync::IrqEdge line;

 private:
  static bool read(void* self) { return static_cast<Button*>(self)->high_; }
  static void raised(Interrupt& self) {
    auto& button = static_cast<Button&>(self);
    button.high_ = !button.high_;
    button.high_ ? button.line.rose() : button.line.fell();
    if (++button.edges_ < 7) button.port_.raise_at(self, button.port_.now() + milliseconds(1));
  }
  port::VirtualPort& port_;
  bool high_ = false;
  int edges_ = 0;
};

// A press is a first edge, and then 5 ms without one.
async::Task<> debounce(async::Executor& executor, Button& button, int& presses) {
  for (;;) {
    const auto first = co_await button.line.next(Edge::both);
    int edges = static_cast<int>(first.rising + first.falling);
    for (bool bouncing = true; bouncing;) {
      const Time quiet = executor.now() + milliseconds(5);
      const auto more =
          co_await async::with_deadline(button.line.next(Edge::both), executor, quiet);
      bouncing = more.has_value();
      if (bouncing) edges += static_cast<int>(more->rising + more->falling);
    }
    presses += button.line.is_high() ? 1 : 0;
    std::printf("%d edges, now %s\n", edges, button.line.is_high() ? "high" : "low");
  }
}

async::Task<> wait_for_high(async::Executor& executor, Button& button, Time& seen) {
  co_await button.line.until(true);
  seen = executor.now();
}

int main() {
  port::VirtualPort port;
  async::Executor executor(port);
  Button button(port, executor.wakes());
  int presses = 0;
  Time early{};
  Time late{};
  async::TaskSlot<1024> slots[3];
  executor.spawn(slots[0], "debounce", debounce, executor, button, presses);
  executor.spawn(slots[1], "early", wait_for_high, executor, button, early);
  port.run(executor);
  executor.spawn(slots[2], "late", wait_for_high, executor, button, late);  // it is high already
  port.run(executor);
  std::printf("%d press; high first seen at %d ms, asked later: at once\n",
              presses,
              static_cast<int>(in_ms(early.time_since_epoch())));
  return presses == 1 && early == at_ms(10) && late == port.now() ? 0 : 1;
}
