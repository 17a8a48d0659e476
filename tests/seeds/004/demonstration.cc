#include "tests/seeds/demonstration.h"

#include <atomic>
#include <functional>
#include <thread>
#include <utility>

#include "chappe/async/executor.h"
#include "chappe/flow/credits.h"
#include "chappe/port/linux/linux_port.h"

namespace chappe::seeds {
namespace {

constexpr int kFrames = 200'000;

// The driver's counter: an int with one writer, until a second one came. `in_the_middle` is where
// the other thread's confirmation falls between read and write.
struct NaiveCounter {
  int used = 0;
  std::function<void()> in_the_middle;

  void take() {
    const int seen = used;
    if (in_the_middle) std::exchange(in_the_middle, nullptr)();
    used = seen + 1;
  }
  bool give() {
    if (used == 0) return false;  // "release failed: -1"
    --used;
    return true;
  }
};

}  // namespace

Demonstration demonstrate_004() {
  Demonstration shown{"004", "buffer counts race once confirmations come from another context"};
  {
    NaiveCounter counter;
    counter.take();
    // A frame is confirmed while the next one is being counted: one of the two changes is lost.
    counter.in_the_middle = [&] { counter.give(); };
    counter.take();
    const bool wedged = counter.used != 1;
    shown.naive = "one confirmation in the middle of a take: " + std::to_string(counter.used) +
                  " buffers counted as used, 1 is";
    shown.naive_has_the_bug = wedged;
  }
  port::LinuxPort port;
  async::Executor executor(port);
  flow::Credits::Limits limits;
  limits.total = 8;
  limits.lane_max = {8, 0, 0, 0};
  flow::Credits credits(executor.wakes(), limits);
  std::atomic<int> handed_over{0};
  std::thread confirmer([&] {
    for (int confirmed = 0; confirmed < kFrames;) {
      if (handed_over.load(std::memory_order_acquire) == confirmed) {
        std::this_thread::yield();
        continue;
      }
      credits.release(0, 1);
      ++confirmed;
    }
  });
  for (int sent = 0; sent < kFrames;) {
    flow::Credit credit = credits.try_take(0);
    if (!credit) {
      std::this_thread::yield();
      continue;
    }
    credit.hand_over();
    handed_over.store(++sent, std::memory_order_release);
  }
  confirmer.join();
  const int left = credits.read().total;
  shown.chappe = std::to_string(kFrames) +
                 " frames taken on one thread and confirmed on another: " + std::to_string(left) +
                 " buffers left over";
  shown.chappe_is_clean = left == 0 && !credits.read().closed;
  return shown;
}

}  // namespace chappe::seeds
