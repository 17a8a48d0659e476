// A transfer by DMA into a ring of two halves: "half" and "complete" are two bits of one word.
//
// While one half fills, the other is read. Who is late finds both bits, and knows that it has lost
// something; an event that only says "something happened" could not tell.
#include <array>
#include <cstdint>
#include <cstdio>

#include "chappe/async/executor.h"
#include "chappe/async/sleep.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/sync/signal.h"

using namespace chappe;

constexpr std::uint32_t kHalf = 1;
constexpr std::uint32_t kComplete = 2;

// The hardware: fills a half each 10 ms with the number of the half, twenty of them.
class Dma : port::VirtualPort::Interrupt {
 public:
  Dma(port::VirtualPort& port, sync::WakeList& wakes)
      : Interrupt(&raised), done(wakes), port_(port) {
    port.raise_at(*this, at_ms(10));
  }
  sync::Flags done;
  std::array<std::array<int, 64>, 2> halves{};

 private:
  static void raised(Interrupt& self) {
    auto& dma = static_cast<Dma&>(self);
    const int half = dma.filled_++ % 2;
    dma.halves[static_cast<std::size_t>(half)].fill(dma.filled_);
    dma.done.set(half == 0 ? kHalf : kComplete);
    if (dma.filled_ < 20) dma.port_.raise_at(self, dma.port_.now() + milliseconds(10));
  }
  port::VirtualPort& port_;
  int filled_ = 0;
};

struct Tally {
  int read = 0;
  int overruns = 0;
};

async::Task<> read_all(async::Executor& executor, Dma& dma, Tally& tally) {
  for (;;) {
    const std::uint32_t bits = co_await dma.done.wait(kHalf | kComplete);
    if (bits == (kHalf | kComplete)) {
      // Both are full, and one is being written over right now.
      ++tally.overruns;
      continue;
    }
    const auto& half = dma.halves[bits == kHalf ? 0 : 1];
    ++tally.read;
    // Once something else takes too long.
    const bool slow = tally.read == 5;
    co_await async::sleep_for(executor, slow ? milliseconds(25) : milliseconds(2));
    if (!slow && half[0] != half[63]) tally.read = -100;  // torn: must not happen
  }
}

int main() {
  port::VirtualPort port;
  async::Executor executor(port);
  Dma dma(port, executor.wakes());
  Tally tally;
  async::TaskSlot<1024> slot;
  executor.spawn(slot, "reader", read_all, executor, dma, tally);
  port.run(executor);
  std::printf("%d halves read, %d overrun seen\n", tally.read, tally.overruns);
  return tally.read == 18 && tally.overruns == 1 ? 0 : 1;
}
