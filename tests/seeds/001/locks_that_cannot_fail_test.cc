// The lock that cannot fail: the rules of the document as they show from outside. What each broken
// rule says is tested beside the locks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "chappe/async/async_mutex.h"
#include "chappe/async/executor.h"
#include "chappe/async/sleep.h"
#include "chappe/base/panic.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/sync/mutex.h"
#include "chappe/sync/signal.h"

namespace chappe::seeds {
namespace {

using async::AsyncMutex;
using async::Executor;
using async::Task;
using async::TaskSlot;
using port::VirtualPort;

constexpr sync::LockClass kBus{"sensor bus", 10, hours(2), hours(3)};
constexpr sync::LockClass kBook{"sensor book", 20};

// M3: nothing to check, nothing to give a timeout to. M6: nobody but a task of ours can wait.
static_assert(
    std::is_same_v<decltype(std::declval<AsyncMutex::Lock&>().await_resume()), AsyncMutex::Guard>);
static_assert(
    std::is_same_v<decltype(std::declval<sync::Mutex&>().lock(std::declval<sync::Worker&>())),
                   sync::Mutex::Guard>);
static_assert(!std::is_invocable_v<decltype(&AsyncMutex::lock), AsyncMutex&, Duration>);
static_assert(!std::is_convertible_v<AsyncMutex::Guard, bool>);
template <class Place>
concept CanWaitAt = requires(AsyncMutex::Lock& lock, Place place) { lock.await_suspend(place); };
static_assert(CanWaitAt<std::coroutine_handle<Task<>::promise_type>>);
static_assert(!CanWaitAt<std::coroutine_handle<>>);
// M11, M12: there is no unlock to call, so none to forget, to repeat or to call for somebody else.
template <class Lock>
concept CanBeUnlocked = requires(Lock& lock) { lock.unlock(); };
static_assert(!CanBeUnlocked<AsyncMutex>);
static_assert(!CanBeUnlocked<sync::Mutex>);

// M15: made by the compiler, before anything runs, in an obvious place.
constinit sync::Mutex static_mutex{kBook};

class Seed001 : public testing::Test {
 protected:
  VirtualPort port_;
  Executor executor_{port_};
  AsyncMutex bus_{kBus};
};

// --- M12: every path releases --------------------------------------------------------------------

enum class Way {
  to_the_end,
  foo_fails,
  bar_fails,
  child_returns_early,
  cancelled_holding,
  cancelled_in_a_child,
  cancelled_in_line,
};

Task<int> child_that_locks(Executor& executor, AsyncMutex& bus, Way way) {
  const auto guard = co_await bus.lock();
  if (way == Way::child_returns_early) co_return -1;
  co_await async::sleep_for(executor, milliseconds(10));
  co_return 0;
}

// The function of the document, without its label and its goto.
Task<> function(Executor& executor, AsyncMutex& bus, Way way, std::optional<int>& result) {
  if (way == Way::child_returns_early || way == Way::cancelled_in_a_child) {
    const int code = co_await child_that_locks(executor, bus, way);
    result = code;
    co_return;
  }
  const auto guard = co_await bus.lock();
  if (way == Way::foo_fails) {
    result = -19;  // ENODEV
    co_return;
  }
  co_await async::sleep_for(executor, milliseconds(10));
  if (way == Way::bar_fails) {
    result = -5;
    co_return;
  }
  result = 0;
}

TEST_F(Seed001, M12_EveryWayOutReleasesAndTheNextOneGetsTheLock) {
  struct Case {
    Way way;
    std::optional<int> result;
  };
  for (const Case& expected : {Case{Way::to_the_end, 0},
                               Case{Way::foo_fails, -19},
                               Case{Way::bar_fails, -5},
                               Case{Way::child_returns_early, -1},
                               Case{Way::cancelled_holding, {}},
                               Case{Way::cancelled_in_a_child, {}},
                               Case{Way::cancelled_in_line, {}}}) {
    SCOPED_TRACE(static_cast<int>(expected.way));
    std::optional<int> result;
    std::optional<int> before;
    std::optional<int> after;
    TaskSlot<2048> first;
    TaskSlot<2048> one;
    TaskSlot<2048> next;
    if (expected.way == Way::cancelled_in_line) {
      executor_.spawn(first, "first", function, executor_, bus_, Way::to_the_end, before);
    }
    executor_.spawn(one, "one", function, executor_, bus_, expected.way, result);
    executor_.spawn(next, "next", function, executor_, bus_, Way::to_the_end, after);
    port_.run(executor_, port_.now() + milliseconds(5));
    if (!expected.result) one.cancel();
    port_.run(executor_);
    EXPECT_EQ(result, expected.result);
    EXPECT_EQ(after, 0);
    EXPECT_FALSE(bus_.is_held());
    EXPECT_EQ(bus_.owner(), nullptr);
  }
}

// --- M3: locking waits, however long it takes ----------------------------------------------------

Task<> transfer(Executor& executor, AsyncMutex& bus, Duration span, int& done) {
  const auto guard = co_await bus.lock();
  co_await async::sleep_for(executor, span);
  ++done;
}

TEST_F(Seed001, M3_EverybodyIsServedHoweverLongTheLineIs) {
  constexpr int kUsers = 20;
  int done = 0;
  TaskSlot<1024> slots[kUsers];
  for (auto& slot : slots) executor_.spawn(slot, "user", transfer, executor_, bus_, hours(1), done);
  port_.run(executor_);
  EXPECT_EQ(done, kUsers);
  EXPECT_EQ(port_.now(), Time{} + kUsers * hours(1));
}

// --- M7, M8: timers and interrupts ---------------------------------------------------------------

struct TryingTimer : async::Timer {
  TryingTimer(Executor& loop, AsyncMutex& lock) : Timer(loop, &fired), mutex(lock) {}
  static void fired(Timer& self, const async::TimerContext& context) {
    auto& timer = static_cast<TryingTimer&>(self);
    const auto guard = timer.mutex.try_lock(context);
    ++(guard ? timer.got : timer.starved);
    timer.arm(context.now() + milliseconds(10));
  }
  AsyncMutex& mutex;
  int got = 0;
  int starved = 0;
};

Task<> use_all_the_time(Executor& executor, AsyncMutex& bus, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    const auto guard = co_await bus.lock();
    co_await async::sleep_for(executor, milliseconds(7));
  }
}

TEST_F(Seed001, M7_ATimerThatOnlyTriesCanStarveWhereATaskIsServed) {
  TryingTimer timer(executor_, bus_);
  timer.arm(at_ms(10));
  TaskSlot<1024> users[2];
  for (auto& user : users) {
    executor_.spawn(user, "user", use_all_the_time, executor_, bus_, 100);
  }
  int done = 0;
  TaskSlot<1024> worker;
  port_.run(executor_, at_ms(50));
  executor_.spawn(worker, "worker", transfer, executor_, bus_, milliseconds(1), done);
  port_.run(executor_, at_ms(50 + 3 * 7));
  EXPECT_EQ(done, 1);  // the task waited for the two before it and no longer
  port_.run(executor_, at_ms(1300));
  EXPECT_GE(timer.starved, 120);
  EXPECT_EQ(timer.got, 0);
  timer.cancel();
  port_.run(executor_);
}

TEST_F(Seed001, M7_ATimersHoldEndsWithItsCallbackAndWhoWaitedGoesOn) {
  TryingTimer timer(executor_, bus_);
  timer.arm(at_ms(5));
  port_.run(executor_, at_ms(6));
  EXPECT_EQ(timer.got, 1);
  EXPECT_FALSE(bus_.is_held());
  timer.cancel();
}

// The interrupt only signals; a task waits for it and locks as everybody does.
struct Sensor : VirtualPort::Interrupt {
  explicit Sensor(sync::Signal& target) : Interrupt(&fired), signal(target) {}
  static void fired(Interrupt& self) { static_cast<Sensor&>(self).signal.set(); }
  sync::Signal& signal;
};

Task<> serve(Executor& executor,
             sync::Signal& signal,
             AsyncMutex& bus,
             int& samples,
             std::vector<Time>& served) {
  for (;;) {
    const std::uint32_t edges = co_await signal.next();
    const auto guard = co_await bus.lock();
    co_await async::sleep_for(executor, milliseconds(1));
    samples += static_cast<int>(edges);
    served.push_back(executor.now());
  }
}

TEST_F(Seed001, M8_AnInterruptSignalsAndItsWorkerLocksAndNoInterruptIsLost) {
  sync::Signal signal(executor_.wakes());
  int samples = 0;
  std::vector<Time> served;
  TaskSlot<1024> worker;
  TaskSlot<1024> user;
  executor_.spawn(worker, "irq worker", serve, executor_, signal, bus_, samples, served);
  executor_.spawn(user, "user", use_all_the_time, executor_, bus_, 20);
  std::vector<std::unique_ptr<Sensor>> edges;
  constexpr int kEdges = 100;
  for (int i = 0; i < kEdges; ++i) {
    edges.push_back(std::make_unique<Sensor>(signal));
    // Half of them while somebody else holds the lock, some of them in bursts.
    port_.raise_at(*edges.back(), at_us(i / 3 * 3700));
  }
  port_.run(executor_);
  EXPECT_EQ(samples, kEdges);
  ASSERT_FALSE(served.empty());
  EXPECT_EQ(served.front(), at_ms(7 + 1));  // the user was first; the worker waited its turn
  EXPECT_LE(served.size(), static_cast<std::size_t>(kEdges));
}

// --- M13: a panic is the exemption ---------------------------------------------------------------

struct Loud {
  ~Loud() { panic("a destructor ran after the panic"); }
};

Task<> panic_with_two_locks(AsyncMutex& bus, AsyncMutex& book) {
  const auto outer = co_await bus.lock();
  const auto inner = co_await book.lock();
  const Loud loud;
  panic("the sensor is on fire");
}

int count_of(const std::string& text, const std::string& word) {
  int count = 0;
  for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; ++at) ++count;
  return count;
}

using Seed001DeathTest = Seed001;

TEST_F(Seed001DeathTest, M13_APanicWhileHoldingAbandonsEverythingAndSaysOnePanicOnly) {
  const auto one_panic = testing::Truly([](const std::string& words) {
    return count_of(words, "panic: ") == 1 && count_of(words, "the sensor is on fire") == 1;
  });
  AsyncMutex book(kBook);
  TaskSlot<2048> slot;
  executor_.spawn(slot, "sensor", panic_with_two_locks, bus_, book);
  EXPECT_DEATH(port_.run(executor_), one_panic);
  slot.cancel();
}

// The first cause is the one that counts; what fails because of it goes on behind it.
TEST_F(Seed001DeathTest, M13_APanicInTheHookDoesNotRunTheHookAgain) {
  const auto hook = [](void*, std::string_view) noexcept {
    std::fputs("the hook\n", stderr);
    panic("and the hook too");
  };
  const auto first_once = testing::Truly([](const std::string& words) {
    return count_of(words, "the hook\n") == 1 && count_of(words, "panic: first") == 1;
  });
  EXPECT_DEATH(
      {
        set_panic_hook(hook, nullptr);
        panic("first");
      },
      first_once);
}

// --- M16, M21: names, owners, places -------------------------------------------------------------

Task<> meet(AsyncMutex& bus, sync::Signal& go_on) {
  const auto guard = co_await bus.lock();
  const std::uint32_t edges = co_await go_on.next();
  static_cast<void>(edges);
}

TEST_F(Seed001, M16_OwnerAndWaiterAndWhatItWaitsForCanBeAsked) {
  sync::Signal go_on(executor_.wakes());
  TaskSlot<1024> holder;
  TaskSlot<1024> waiter;
  executor_.spawn(holder, "holder", meet, bus_, go_on);
  executor_.spawn(waiter, "waiter", meet, bus_, go_on);
  EXPECT_EQ(bus_.owner(), nullptr);
  port_.run(executor_, at_ms(1));
  ASSERT_NE(bus_.owner(), nullptr);
  EXPECT_STREQ(bus_.owner()->name(), "holder");
  EXPECT_STREQ(waiter.waiting_for(), "sensor bus");
  EXPECT_NE(std::string(waiter.waiting_at().file).find("locks_that_cannot_fail"),
            std::string::npos);
  EXPECT_STREQ(holder.waiting_for(), "signal");
  go_on.set();
  port_.run(executor_, at_ms(2));
  EXPECT_EQ(bus_.owner(), &waiter);
  go_on.set();
  port_.run(executor_);
  EXPECT_EQ(bus_.owner(), nullptr);
}

TEST_F(Seed001DeathTest,
       M15_ALockOfStaticStorageWorksBeforeAnyExecutorAndHasItsNameInEveryMessage) {
  sync::Worker me("start-up");
  EXPECT_DEATH(
      {
        const auto once = static_mutex.lock(me);
        const auto twice = static_mutex.lock(me);
      },
      "lock 'sensor book': recursive lock: worker 'start-up' at .*:[0-9]+; held by worker "
      "'start-up' since .*:[0-9]+");
  const auto guard = static_mutex.lock(me);
  EXPECT_EQ(static_mutex.owner(), &me);
}

// --- M20: no starvation --------------------------------------------------------------------------

Task<> greedy(Executor& executor, AsyncMutex& bus, std::string& order, char name) {
  for (int i = 0; i < 5; ++i) {
    const auto guard = co_await bus.lock();
    order += name;
    co_await async::sleep_for(executor, milliseconds(1));
  }
}

TEST_F(Seed001, M20_WhoReleasesAndWantsAgainGoesToTheEndOfTheLine) {
  std::string order;
  TaskSlot<1024> slots[3];
  for (int i = 0; i < 3; ++i) {
    executor_.spawn(slots[i], "greedy", greedy, executor_, bus_, order, static_cast<char>('a' + i));
  }
  port_.run(executor_);
  EXPECT_EQ(order, "abcabcabcabcabc");
}

TEST_F(Seed001, M22_ACancelledExecutorLeavesEveryLockFree) {
  std::string order;
  {
    TaskSlot<1024> slots[3];
    for (auto& slot : slots) executor_.spawn(slot, "greedy", greedy, executor_, bus_, order, 'x');
    port_.run(executor_, at_ms(2));
    EXPECT_TRUE(bus_.is_held());
  }
  EXPECT_FALSE(bus_.is_held());
}

}  // namespace
}  // namespace chappe::seeds
