// Timers against a clock that moves on at any speed.

#include "chappe/async/executor.h"
#include "chappe/async/sleep.h"
#include "chappe/async/timer.h"
#include "chappe/async/when_any.h"
#include "chappe/explore/exploration.h"
#include "chappe/sync/signal.h"
#include "tests/interleavings/model_port.h"

namespace chappe {
namespace {

using Slot = async::TaskSlot<2048>;

struct Loop {
  explore::ModelClock clock;
  explore::ModelPort port{&clock};
  async::Executor executor{port};

  void advance_to(std::int64_t us) {
    clock.advance_to(us);
    port.kick();
  }
};

struct Ringing final : async::Timer {
  Ringing(explore::World& world, async::Executor& executor, int& order)
      : Timer(executor, &fired), x(world), count(order) {}
  static void fired(Timer& timer, const async::TimerContext& context) {
    auto& self = static_cast<Ringing&>(timer);
    self.x.expect(context.now() >= self.deadline(), "no timer fires early");
    self.x.expect(self.place == 0, "a timer fires once");
    self.place = ++self.count;
  }
  explore::World& x;
  int& count;
  int place = 0;  // among those that fired
};

async::Task<> cancel_when_told(async::Executor& executor,
                               sync::Signal& told,
                               async::Timer& timer,
                               bool& cancelled) {
  co_await told.next();
  cancelled = timer.armed();
  timer.cancel();
  executor.stop();
}

struct Wait {
  std::uint32_t edges = 0;
  bool late = false;
};

async::Task<> edges_or_deadline(async::Executor& executor, sync::Signal& signal, Wait& wait) {
  const auto [edges, late] =
      co_await async::when_any(signal.next(), async::sleep_until(executor, at_us(10)));
  wait.edges = edges.value_or(0);
  wait.late = late;
  executor.stop();
}

async::Task<> two_signals(async::Executor& executor,
                          sync::Signal& first,
                          sync::Signal& second,
                          std::uint32_t (&seen)[2]) {
  while (seen[0] + seen[1] < 2) {
    const auto [a, b] = co_await async::when_any(first.next(), second.next());
    seen[0] += a.value_or(0);
    seen[1] += b.value_or(0);
  }
  executor.stop();
}

}  // namespace

CHAPPE_EXPLORE(time_1_timers_fire_in_the_order_of_their_deadlines) {
  auto& loop = x.make<Loop>("loop");
  auto& count = x.make<int>("count", 0);
  auto& a = x.make<Ringing>("a", x, loop.executor, count);
  auto& b = x.make<Ringing>("b", x, loop.executor, count);
  b.arm(at_us(20));
  a.arm(at_us(10));
  x.worker("executor", [&] { loop.executor.run(); });
  x.may_sleep_for_ever();
  x.worker("time", [&] {
    if (x.choose(2) == 0) loop.advance_to(10);
    loop.advance_to(20);
  });
  x.finally([&] { x.expect(a.place == 1 && b.place == 2, "both fire, A before B"); });
}

// TIME-2 and TIME-3: a timer that is cancelled at any instant.
CHAPPE_EXPLORE(time_2_and_3_a_timer_is_either_cancelled_or_fires) {
  auto& loop = x.make<Loop>("loop");
  auto& count = x.make<int>("count", 0);
  auto& timer = x.make<Ringing>("timer", x, loop.executor, count);
  auto& told = x.make<sync::Signal>("told", loop.executor.wakes());
  auto& slot = x.make<Slot>("task");
  auto& cancelled = x.make<bool>("cancelled", false);
  timer.arm(at_us(10));
  loop.executor.spawn(slot, "canceller", &cancel_when_told, loop.executor, told, timer, cancelled);
  x.worker("executor", [&] { loop.executor.run(); });
  x.worker("time", [&] { loop.advance_to(10); });
  x.worker("teller", [&] { told.set(); });
  x.finally([&] {
    x.expect(cancelled == (timer.place == 0), "cancelled, and its callback runs; or neither");
    x.possible(!cancelled, "it has fired already");
    x.possible(cancelled, "it is cancelled in time");
  });
}

CHAPPE_EXPLORE(when_any_a_result_that_meets_its_deadline_is_not_lost) {
  auto& loop = x.make<Loop>("loop");
  auto& signal = x.make<sync::Signal>("signal", loop.executor.wakes());
  auto& slot = x.make<Slot>("task");
  auto& wait = x.make<Wait>("wait");
  loop.executor.spawn(slot, "waiter", &edges_or_deadline, loop.executor, signal, wait);
  x.worker("executor", [&] { loop.executor.run(); });
  x.worker("time", [&] { loop.advance_to(10); });
  x.worker("producer", [&] { signal.set(); });
  x.finally([&] {
    x.expect(wait.edges != 0 || wait.late, "it ends for a reason");
    x.expect(wait.edges + signal.take() == 1,
             "the edge is the waiter's, or there for the next one");
    x.possible(wait.edges == 1 && !wait.late, "the edge comes first");
    x.possible(wait.edges == 0 && wait.late, "the deadline comes first");
    x.possible(wait.edges == 1 && wait.late, "both come in one step");
  });
}

CHAPPE_EXPLORE(when_any_of_two_signals_loses_neither) {
  auto& loop = x.make<Loop>("loop");
  auto& first = x.make<sync::Signal>("first", loop.executor.wakes());
  auto& second = x.make<sync::Signal>("second", loop.executor.wakes());
  auto& slot = x.make<Slot>("task");
  struct Seen {
    std::uint32_t of[2] = {0, 0};
  };
  auto& seen = x.make<Seen>("seen");
  loop.executor.spawn(slot, "waiter", &two_signals, loop.executor, first, second, seen.of);
  x.worker("executor", [&] { loop.executor.run(); });
  x.worker("producer 1", [&] { first.set(); });
  x.worker("producer 2", [&] { second.set(); });
  x.finally([&] { x.expect(seen.of[0] == 1 && seen.of[1] == 1, "each edge arrives, once"); });
}

}  // namespace chappe
