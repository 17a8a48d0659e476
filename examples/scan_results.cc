// A scan: results come one by one, and at some time it is over. Two different things, so two words:
// a queue for the results and a level for the end. Whoever waits, waits for either.
#include <cstdint>
#include <cstdio>

#include "chappe/async/executor.h"
#include "chappe/async/when_any.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/sync/event.h"
#include "chappe/sync/spsc.h"

using namespace chappe;

struct Found {
  int channel = 0;
  int dbm = 0;
};

// The hardware: a result each 30 ms, two of them at once, the last one together with the end.
class Scanner : port::VirtualPort::Interrupt {
 public:
  Scanner(port::VirtualPort& port, sync::WakeList& wakes)
      : Interrupt(&raised), found(wakes), over(wakes), port_(port) {}

  void start() {
    channel_ = 0;
    over.clear();
    port_.raise_at(*this, port_.now() + milliseconds(30));
  }

  sync::Spsc<Found, 16> found;
  sync::Event over;
  std::uint32_t lost = 0;

 private:
  static void raised(Interrupt& self) {
    auto& scanner = static_cast<Scanner&>(self);
    scanner.report();
    if (scanner.channel_ == 3) scanner.report();
    if (scanner.channel_ >= 7) {
      scanner.over.set();
    } else {
      scanner.port_.raise_at(self, scanner.port_.now() + milliseconds(30));
    }
  }
  void report() {
    ++channel_;
    if (!found.push(Found{channel_, -70 - channel_})) ++lost;
  }

  port::VirtualPort& port_;
  int channel_ = 0;
};

async::Task<> scan(Scanner& scanner, int& results) {
  scanner.start();
  for (bool going_on = true; going_on;) {
    // Both may be there in one step: the last result is not lost to the end.
    const auto [one, over] = co_await async::when_any(scanner.found.pop(), scanner.over.wait());
    if (one) {
      ++results;
      std::printf("channel %d: %d dBm\n", one->channel, one->dbm);
    }
    going_on = one || !over;
  }
}

int main() {
  port::VirtualPort port;
  async::Executor executor(port);
  Scanner scanner(port, executor.wakes());
  int results = 0;
  async::TaskSlot<1024> slot;
  for (int scans = 1; scans <= 2; ++scans) {
    executor.spawn(slot, "scan", scan, scanner, results);
    port.run(executor);
    std::printf("scan %d is over: %d results so far\n", scans, results);
  }
  return results == 14 && scanner.lost == 0 ? 0 : 1;
}
