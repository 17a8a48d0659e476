// The event as it used to be, and ours beside it, under the same interrupt.
//
// The naive one moves the waiting tasks into the run queue itself. That is right as long as nobody
// else is at work on the queue: an interrupt in the middle of a queue operation, and tasks vanish.
// Ours touches one word and pushes one link; who waits is the executor's business.
#include "tests/seeds/002/naive_event.h"

#include <cstdio>

#include "chappe/async/executor.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/sync/event.h"

using namespace chappe;

constexpr int kWaiting = 5;

int naive_woken() {
  seeds::NaiveQueue run_queue;
  seeds::NaiveEvent event(run_queue);
  seeds::NaiveTask tasks[kWaiting];
  for (seeds::NaiveTask& task : tasks) event.wait(task);
  // The loop is about to queue a task of its own when the interrupt strikes.
  seeds::NaiveTask other;
  run_queue.in_the_middle = [&event] { event.set(); };
  run_queue.push(other);
  int woken = 0;
  while (const seeds::NaiveTask* const task = run_queue.pop()) woken += task != &other ? 1 : 0;
  return woken;
}

async::Task<> wait_once(sync::Event& event, int& woken) {
  co_await event.wait();
  ++woken;
}

// Strikes in the middle of a step, while the run queue is in use: in each task, before it waits.
async::Task<> interrupted(sync::Event& event) {
  event.set();
  co_return;
}

int our_woken() {
  port::VirtualPort port;
  async::Executor executor(port);
  sync::Event event(executor.wakes());
  int woken = 0;
  async::TaskSlot<512> slots[kWaiting + 1];
  for (int i = 0; i < kWaiting; ++i) {
    if (i == 3) executor.spawn(slots[kWaiting], "interrupted", interrupted, event);
    executor.spawn(slots[i], "waiter", wait_once, event, woken);
  }
  port.run(executor);
  return woken;
}

int main() {
  const int naive = naive_woken();
  const int ours = our_woken();
  std::printf("%d tasks wait, an interrupt sets the event in the middle of a queue operation.\n",
              kWaiting);
  std::printf("the event as it was: %d wake up, %d are gone for ever\n", naive, kWaiting - naive);
  std::printf("ours:                %d wake up\n", ours);
  return naive < kWaiting && ours == kWaiting ? 0 : 1;
}
