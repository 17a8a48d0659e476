#include "tests/seeds/demonstration.h"

#include <array>
#include <thread>

#include "chappe/async/executor.h"
#include "chappe/port/linux/linux_port.h"
#include "chappe/sync/signal.h"
#include "tests/seeds/002/naive_event.h"

namespace chappe::seeds {
namespace {

constexpr std::size_t kWaiters = 4;
constexpr std::uint32_t kSets = 50'000;

int naive_waiters_that_ran() {
  NaiveQueue run_queue;
  NaiveEvent event(run_queue);
  std::array<NaiveTask, kWaiters> waiters{};
  for (NaiveTask& waiter : waiters) event.wait(waiter);
  NaiveTask other;
  // The loop files another task, and the interrupt sets the event in the middle of it.
  run_queue.in_the_middle = [&] { event.set(); };
  run_queue.push(other);
  int ran = 0;
  while (run_queue.pop() != nullptr) ++ran;
  return ran - 1;
}

async::Task<> wait_for_all(sync::Signal& signal, std::uint64_t& seen, async::Executor& executor) {
  while (seen < kSets) {
    const std::uint32_t edges = co_await signal.next();
    seen += edges;
  }
  executor.stop();
}

}  // namespace

Demonstration demonstrate_002() {
  Demonstration shown{"002", "an event set in an interrupt loses the tasks that wait for it"};
  const int ran = naive_waiters_that_ran();
  shown.naive = "set once in the middle of a queue operation: " + std::to_string(ran) + " of " +
                std::to_string(kWaiters) + " waiters ever ran again";
  shown.naive_has_the_bug = ran < static_cast<int>(kWaiters);

  // Another thread is worse than an interrupt: it strikes anywhere, on another core, all the time.
  port::LinuxPort port;
  async::Executor executor(port);
  sync::Signal signal(executor.wakes());
  std::array<std::uint64_t, kWaiters> seen{};
  std::array<async::TaskSlot<512>, kWaiters> slots;
  for (std::size_t i = 0; i < kWaiters; ++i) {
    executor.spawn(slots[i], "waiter", wait_for_all, signal, seen[i], executor);
  }
  while (executor.step()) {
  }  // all of them wait before the first set
  std::thread setter([&] {
    for (std::uint32_t i = 0; i < kSets; ++i) signal.set();
  });
  executor.run();
  setter.join();
  while (executor.step()) {
  }
  shown.chappe_is_clean = true;
  for (const std::uint64_t count : seen) shown.chappe_is_clean &= count == kSets;
  shown.chappe = "set " + std::to_string(kSets) + " times by another thread: each of " +
                 std::to_string(kWaiters) + " waiters counted " + std::to_string(seen[0]);
  return shown;
}

}  // namespace chappe::seeds
