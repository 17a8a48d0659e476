// The queue of one producer, the level, and the lock of tasks, through a real executor.

#include "chappe/async/async_mutex.h"
#include "chappe/async/executor.h"
#include "chappe/async/sleep.h"
#include "chappe/explore/exploration.h"
#include "chappe/sync/event.h"
#include "chappe/sync/signal.h"
#include "chappe/sync/spsc.h"
#include "tests/interleavings/model_port.h"

namespace chappe {
namespace {

using Slot = async::TaskSlot<2048>;
using Queue = sync::Spsc<int, 2>;

struct Loop {
  explore::ModelPort port;
  async::Executor executor{port};
};

async::Task<> pop_until(async::Executor& executor, explore::World& x, Queue& queue, int& sum) {
  int last = 0;
  while (last < 3) {
    const int item = co_await queue.pop();
    x.expect(item > last, "in the order in which they were pushed");
    last = item;
    sum += item;
  }
  executor.stop();
}

async::Task<> wait_for_level(async::Executor& executor,
                             sync::Event& event,
                             const sync::Plain<int>& payload,
                             int& rounds) {
  // Clears, looks, and waits again: the last set is never eaten.
  for (;;) {
    co_await event.wait();
    event.clear();
    ++rounds;
    const int value = payload.read();
    if (value == 1) break;
  }
  executor.stop();
}

async::Task<> wait_and_clear(sync::Event& event, int& rounds) {
  for (;;) {
    co_await event.wait();
    event.clear();
    ++rounds;
  }
}

constexpr sync::LockClass kClass{"shared", 10};

struct Shared {
  async::AsyncMutex mutex{kClass};
  bool inside = false;
  int rounds[3] = {0, 0, 0};
};

async::Task<> two_rounds(async::Executor& executor, explore::World& x, Shared& shared, int who) {
  for (int round = 0; round < 2; ++round) {
    const auto guard = co_await shared.mutex.lock();
    struct Inside {
      ~Inside() { flag = false; }
      bool& flag;
    };
    x.expect(!shared.inside, "one at a time");
    shared.inside = true;
    const Inside inside{shared.inside};
    co_await async::yield(executor);  // held across an await
    ++shared.rounds[who];
  }
}

async::Task<> cancel_when_told(sync::Signal& told, async::TaskHeader& victim) {
  co_await told.next();
  victim.cancel();
}

}  // namespace

CHAPPE_EXPLORE(queue_every_item_once_and_in_order) {
  auto& loop = x.make<Loop>("loop");
  auto& queue = x.make<Queue>("queue", loop.executor.wakes());
  auto& slot = x.make<Slot>("task");
  auto& sum = x.make<int>("sum", 0);
  auto& refused = x.make<int>("refused", 0);
  loop.executor.spawn(slot, "consumer", &pop_until, loop.executor, x, queue, sum);
  x.worker("executor", [&] { loop.executor.run(); });
  x.may_sleep_for_ever();  // the consumer waits for a third item
  x.worker("producer", [&] {
    const bool first = queue.push(1);
    const bool second = queue.push(2);
    x.expect(first && second, "there is room for two");
    if (!queue.push(3)) ++refused;
  });
  x.finally([&] {
    x.expect(sum == (refused == 1 ? 3 : 6), "what was not refused arrives");
    x.possible(refused == 1, "the queue is full");
    x.possible(refused == 0, "the third item takes a place that was used");
  });
}

CHAPPE_EXPLORE(queue_filled_by_an_interrupt) {
  auto& loop = x.make<Loop>("loop");
  auto& queue = x.make<Queue>("queue", loop.executor.wakes());
  auto& slot = x.make<Slot>("task");
  auto& sum = x.make<int>("sum", 0);
  auto& pushed = x.make<int>("pushed", 0);
  auto& lost = x.make<int>("lost", 0);
  loop.executor.spawn(slot, "consumer", &pop_until, loop.executor, x, queue, sum);
  x.task("executor", [&] { loop.executor.run(); });
  x.may_sleep_for_ever();
  x.interrupt(
      "line",
      1,
      [&] {
        const int item = ++pushed;
        if (!queue.push(item)) lost += item;
      },
      explore::times(3));
  x.finally([&] {
    x.expect(sum + lost == 6, "each item arrives, or is known to be refused");
    x.possible(lost != 0, "the queue is full");
    x.possible(lost == 0, "all arrive");
  });
}

CHAPPE_EXPLORE(event_the_last_set_is_never_eaten) {
  auto& loop = x.make<Loop>("loop");
  auto& event = x.make<sync::Event>("event", loop.executor.wakes());
  auto& payload = x.make<sync::Plain<int>>("payload");
  auto& slot = x.make<Slot>("task");
  auto& rounds = x.make<int>("rounds", 0);
  loop.executor.spawn(slot, "waiter", &wait_for_level, loop.executor, event, payload, rounds);
  x.worker("executor", [&] { loop.executor.run(); });
  x.worker("producer", [&] {
    payload.write(1);
    event.set();
    event.set();
  });
  x.finally([&] { x.expect(rounds == 1, "the waiter sees what was written before the set"); });
}

CHAPPE_EXPLORE(event_set_by_an_interrupt_at_every_step_of_its_clearing) {
  auto& loop = x.make<Loop>("loop");
  auto& event = x.make<sync::Event>("event", loop.executor.wakes());
  auto& slot = x.make<Slot>("task");
  auto& rounds = x.make<int>("rounds", 0);
  loop.executor.spawn(slot, "waiter", &wait_and_clear, event, rounds);
  x.task("executor", [&] { loop.executor.run(); });
  x.may_sleep_for_ever();
  x.interrupt("low", 1, [&] { event.set(); }, explore::times(2));
  x.interrupt("high", 2, [&] { event.set(); });
  x.finally([&] {
    x.expect(!event.is_set() && rounds >= 1 && rounds <= 3, "each set wakes, none for nothing");
    x.possible(rounds == 3, "three rounds");
    x.possible(rounds == 1, "all sets in one");
  });
}

// The lock of worker threads cannot be cancelled: they end by themselves. That of tasks can.
CHAPPE_EXPLORE(async_mutex_three_tasks_two_rounds_one_cancelled) {
  auto& loop = x.make<Loop>("loop");
  auto& shared = x.make<Shared>("shared");
  auto& told = x.make<sync::Signal>("told", loop.executor.wakes());
  auto& canceller = x.make<Slot>("canceller");
  Slot* const slots[] = {&x.make<Slot>("1"), &x.make<Slot>("2"), &x.make<Slot>("3")};
  loop.executor.spawn(canceller, "canceller", &cancel_when_told, told, *slots[1]);
  for (int i = 0; i < 3; ++i) {
    loop.executor.spawn(*slots[i], "task", &two_rounds, loop.executor, x, shared, i);
  }
  x.worker("executor", [&] { loop.executor.run(); });
  x.may_sleep_for_ever();
  x.worker("teller", [&] { told.set(); });
  x.finally([&] {
    x.expect(shared.rounds[0] == 2 && shared.rounds[2] == 2, "nobody else is disturbed");
    x.expect(!shared.mutex.is_held() && !shared.inside, "the lock is free at the end");
    x.possible(shared.rounds[1] == 0, "it is cancelled before its first round is over");
    x.possible(shared.rounds[1] == 1, "it is cancelled in between");
    x.possible(shared.rounds[1] == 2, "it comes too late");
  });
}

}  // namespace chappe
