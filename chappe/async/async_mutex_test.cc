#include "chappe/async/async_mutex.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "chappe/async/executor.h"
#include "chappe/async/locked.h"
#include "chappe/async/sleep.h"
#include "chappe/async/wait_list.h"
#include "chappe/base/random.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/sync/anomaly.h"

namespace chappe::async {
namespace {

constexpr sync::LockClass kRadio{"radio", 10};
constexpr sync::LockClass kBook{"book", 20};

class AsyncMutexTest : public testing::Test {
 protected:
  port::VirtualPort port_;
  Executor executor_{port_};
};

Task<> hold(Executor& executor, AsyncMutex& mutex, Duration span, char name, std::string& order) {
  const auto guard = co_await mutex.lock();
  order += name;
  co_await sleep_for(executor, span);
  order += static_cast<char>(name - 'a' + 'A');
}

TEST_F(AsyncMutexTest, ServesInOrderAndNeverTwoAtOnce) {
  AsyncMutex mutex(kRadio);
  std::string order;
  TaskSlot<1024> slots[4];
  for (int i = 0; i < 4; ++i) {
    executor_.spawn(slots[i],
                    "holder",
                    hold,
                    executor_,
                    mutex,
                    milliseconds(10 - i),
                    static_cast<char>('a' + i),
                    order);
  }
  port_.run(executor_);
  EXPECT_EQ(order, "aAbBcCdD");
  EXPECT_FALSE(mutex.is_held());
}

Task<> come_late(Executor& executor, AsyncMutex& mutex, Time at, char name, std::string& order) {
  co_await sleep_until(executor, at);
  const auto guard = co_await mutex.lock();
  order += name;
  co_await sleep_for(executor, milliseconds(10));
  order += static_cast<char>(name - 'a' + 'A');
}

// The third one asks after the release and before the second, to whom the lock went, has run.
TEST_F(AsyncMutexTest, AHandOverLeavesNoGapForALateComer) {
  AsyncMutex mutex(kRadio);
  std::string order;
  TaskSlot<1024> slots[3];
  executor_.spawn(slots[0], "holder", hold, executor_, mutex, milliseconds(10), 'a', order);
  executor_.spawn(slots[1], "waiter", hold, executor_, mutex, milliseconds(10), 'b', order);
  executor_.spawn(slots[2], "late", come_late, executor_, mutex, at_ms(10), 'c', order);
  port_.run(executor_);
  EXPECT_EQ(order, "aAbBcC");
}

TEST_F(AsyncMutexTest, ACancelledHolderGivesTheLockBack) {
  AsyncMutex mutex(kRadio);
  std::string order;
  TaskSlot<1024> first;
  TaskSlot<1024> second;
  executor_.spawn(first, "first", hold, executor_, mutex, seconds(100), 'a', order);
  executor_.spawn(second, "second", hold, executor_, mutex, milliseconds(1), 'b', order);
  port_.run(executor_, at_ms(5));
  first.cancel();
  port_.run(executor_, at_ms(50));
  EXPECT_EQ(order, "abB");
}

TEST_F(AsyncMutexTest, ACancelledWaiterIsPassedOver) {
  AsyncMutex mutex(kRadio);
  std::string order;
  TaskSlot<1024> slots[3];
  for (int i = 0; i < 3; ++i) {
    executor_.spawn(slots[i],
                    "holder",
                    hold,
                    executor_,
                    mutex,
                    milliseconds(10),
                    static_cast<char>('a' + i),
                    order);
  }
  port_.run(executor_, at_ms(1));
  slots[1].cancel();
  port_.run(executor_);
  EXPECT_EQ(order, "aAcC");
}

// The lock is handed over, but the new holder is cancelled before it runs: the next one gets it.
TEST_F(AsyncMutexTest, AHandOverToACancelledTaskGoesOn) {
  AsyncMutex mutex(kRadio);
  std::string order;
  TaskSlot<1024> slots[3];
  for (int i = 0; i < 3; ++i) {
    executor_.spawn(slots[i],
                    "holder",
                    hold,
                    executor_,
                    mutex,
                    milliseconds(10),
                    static_cast<char>('a' + i),
                    order);
  }
  port_.run(executor_, at_ms(1));
  slots[0].cancel();  // hands over to the second, which is ready and has not run
  EXPECT_EQ(slots[1].state(), TaskHeader::State::ready);
  slots[1].cancel();
  port_.run(executor_);
  EXPECT_EQ(order, "acC");
  EXPECT_FALSE(mutex.is_held());
}

Task<> random_user(Executor& executor, AsyncMutex& mutex, SeededRandom& random, int& inside) {
  for (;;) {
    const auto guard = co_await mutex.lock();
    EXPECT_EQ(++inside, 1);
    struct Leave {
      ~Leave() { --count; }
      int& count;
    };
    const Leave leave{inside};
    co_await sleep_for(executor, microseconds(random.up_to(300)));
  }
}

TEST_F(AsyncMutexTest, SurvivesThousandsOfRandomCancellations) {
  AsyncMutex mutex(kRadio);
  SeededRandom random(7);
  int inside = 0;
  {
    TaskSlot<1024> slots[6];
    for (auto& slot : slots) {
      executor_.spawn(slot, "user", random_user, executor_, mutex, random, inside);
    }
    for (int i = 0; i < 5000; ++i) {
      port_.run(executor_, executor_.now() + microseconds(random.up_to(200)));
      auto& slot = slots[random.up_to(5)];
      slot.cancel();
      executor_.spawn(slot, "user", random_user, executor_, mutex, random, inside);
    }
  }
  EXPECT_FALSE(mutex.is_held());
  EXPECT_EQ(inside, 0);
}

struct TryingTimer : Timer {
  TryingTimer(Executor& executor, AsyncMutex& lock) : Timer(executor, &fired), mutex(lock) {}
  static void fired(Timer& self, const TimerContext& context) {
    auto& timer = static_cast<TryingTimer&>(self);
    const auto guard = timer.mutex.try_lock(context);
    timer.answers += guard ? '1' : '0';
  }
  AsyncMutex& mutex;
  std::string answers;
};

TEST_F(AsyncMutexTest, ATimerMayOnlyTry) {
  AsyncMutex mutex(kRadio);
  std::string order;
  TaskSlot<1024> slot;
  TryingTimer timer(executor_, mutex);
  executor_.spawn(slot, "holder", hold, executor_, mutex, milliseconds(10), 'a', order);
  timer.arm(at_ms(5));
  port_.run(executor_, at_ms(6));
  timer.arm(at_ms(20));
  port_.run(executor_);
  EXPECT_EQ(timer.answers, "01");
  EXPECT_EQ(order, "aA");
}

// What cannot be written needs no check: a guard is never copied, so nothing is released twice, and
// there is no unlock to forget or to call once too often.
static_assert(!std::is_copy_constructible_v<AsyncMutex::Guard>);
static_assert(!std::is_copy_assignable_v<AsyncMutex::Guard>);
static_assert(!std::is_move_assignable_v<AsyncMutex::Guard>);
static_assert(!std::is_constructible_v<TimerContext, Time>);

TEST_F(AsyncMutexTest, WithRunsOneChangeUnderTheLockAndReturnsItsResult) {
  AsyncMutex mutex(kRadio);
  int result = 0;
  struct User {
    static Task<> run(AsyncMutex& lock, int& out) {
      auto change = [&lock] {
        EXPECT_TRUE(lock.is_held());
        return 7;
      };
      out = co_await lock.with(change);
      EXPECT_FALSE(lock.is_held());
    }
  };
  TaskSlot<1024> slot;
  executor_.spawn(slot, "user", User::run, mutex, result);
  port_.run(executor_);
  EXPECT_EQ(result, 7);
}

Task<> add_twice(Executor& executor, Locked<int>& count) {
  {
    const auto access = co_await count.lock();
    const int before = *access;
    co_await sleep_for(executor, milliseconds(1));
    *access = before + 1;
  }
  auto change = [](int& value) { return ++value; };
  const int after = co_await count.with(change);
  EXPECT_GE(after, 2);
}

TEST_F(AsyncMutexTest, WhatIsLockedIsReachedByOneTaskAtATime) {
  Locked<int> count(kRadio, 0);
  TaskSlot<1024> slots[5];
  for (auto& slot : slots) executor_.spawn(slot, "adder", add_twice, executor_, count);
  port_.run(executor_);
  int sum = 0;
  struct Look {
    static Task<> run(Locked<int>& all, int& out) {
      const auto access = all.try_lock();
      EXPECT_TRUE(access);
      out = **access;
      co_return;
    }
  };
  executor_.spawn(slots[0], "look", Look::run, count, sum);
  port_.run(executor_);
  EXPECT_EQ(sum, 10);
}

// --- Budget and limit ----------------------------------------------------------------------------

constexpr sync::LockClass kQuick{"quick", 30, milliseconds(10), milliseconds(100)};

struct Heard {
  Heard() { sync::set_anomaly_listener(&hear, this); }
  ~Heard() { sync::set_anomaly_listener(nullptr, nullptr); }
  static void hear(void* self, sync::Anomaly kind, std::string_view words) noexcept {
    static_cast<Heard*>(self)->last = kind;
    static_cast<Heard*>(self)->words.emplace_back(words);
  }
  sync::Anomaly last{};
  std::vector<std::string> words;
};

TEST_F(AsyncMutexTest, AHoldBeyondItsBudgetIsToldOnceAndWhileItLasts) {
  const Heard heard;
  AsyncMutex mutex(kQuick);
  std::string order;
  TaskSlot<1024> slots[2];
  executor_.spawn(slots[0], "slow", hold, executor_, mutex, milliseconds(50), 'a', order);
  executor_.spawn(slots[1], "next", hold, executor_, mutex, milliseconds(5), 'b', order);
  port_.run(executor_, at_ms(9));
  EXPECT_TRUE(heard.words.empty());
  port_.run(executor_, at_ms(11));
  ASSERT_EQ(heard.words.size(), 1u);
  EXPECT_EQ(heard.last, sync::Anomaly::lock_over_budget);
  EXPECT_THAT(
      heard.words[0],
      testing::MatchesRegex("lock 'quick': held for 10 ms, the budget is 10 ms; held by task "
                            "'slow' since chappe/async/async_mutex_test.cc:[0-9]+, who "
                            "waits for time at .*; in line: task 'next' at .*"));
  port_.run(executor_);
  EXPECT_EQ(heard.words.size(), 1u);  // not again, and not for the next one, who was quick
  EXPECT_EQ(order, "aAbB");
}

// Under contention the clock of a hold starts at the grant, not when it was asked for.
TEST_F(AsyncMutexTest, WaitingInLineIsNoHold) {
  const Heard heard;
  AsyncMutex mutex(kQuick);
  std::string order;
  TaskSlot<1024> slots[10];
  for (auto& slot : slots) {
    executor_.spawn(slot, "quick", hold, executor_, mutex, milliseconds(9), 'a', order);
  }
  port_.run(executor_);
  EXPECT_EQ(port_.now(), at_ms(90));
  EXPECT_TRUE(heard.words.empty());
}

TEST_F(AsyncMutexTest, WatchingHeldLocksCostsAtMostTwoWakeUpsAHold) {
  AsyncMutex mutex(kQuick);
  std::string order;
  TaskSlot<1024> slot;
  executor_.spawn(slot, "slow", hold, executor_, mutex, milliseconds(99), 'a', order);
  port_.run(executor_, at_ms(1));
  const std::uint64_t before = executor_.sleep_count();
  port_.run(executor_, at_ms(98));
  EXPECT_LE(executor_.sleep_count() - before, 2u);
  port_.run(executor_);
}

using AsyncMutexDeathTest = AsyncMutexTest;

Task<> recurse(AsyncMutex& mutex) {
  const auto once = co_await mutex.lock();
  const auto twice = co_await mutex.lock();
}

TEST_F(AsyncMutexDeathTest, RecursionNamesTheLockAndBothPlaces) {
  AsyncMutex mutex(kRadio);
  TaskSlot<1024> slot;
  executor_.spawn(slot, "sender", recurse, mutex);
  EXPECT_DEATH(port_.run(executor_),
               "lock 'radio': recursive lock: task 'sender' at chappe/async/async_mutex_test.cc:"
               "[0-9]+; held by task 'sender' since chappe/async/async_mutex_test.cc:[0-9]+");
  slot.cancel();
}

TEST_F(AsyncMutexDeathTest, TryingOutsideATaskNamesTheLock) {
  AsyncMutex mutex(kRadio);
  EXPECT_DEATH(
      static_cast<void>(mutex.try_lock()),
      "lock 'radio': tried outside a task: nobody .* at chappe/async/async_mutex_test.cc:");
}

TEST_F(AsyncMutexDeathTest, DestroyedWhileItIsBeingHandedOverPanics) {
  std::string order;
  auto mutex = std::make_unique<AsyncMutex>(kRadio);
  TaskSlot<1024> slots[2];
  for (TaskSlot<1024>& slot : slots) {
    executor_.spawn(slot, "holder", hold, executor_, *mutex, milliseconds(10), 'a', order);
  }
  port_.run(executor_, at_ms(1));
  slots[0].cancel();
  EXPECT_DEATH(mutex.reset(), "lock 'radio': destroyed while handed over");
  slots[1].cancel();
}

Task<> out_of_order(AsyncMutex& radio, AsyncMutex& book) {
  const auto inner = co_await book.lock();
  const auto outer = co_await radio.lock();
}

TEST_F(AsyncMutexDeathTest, LockingAgainstTheOrderNamesBothLocks) {
  AsyncMutex radio(kRadio);
  AsyncMutex book(kBook);
  TaskSlot<1024> slot;
  executor_.spawn(slot, "sender", out_of_order, radio, book);
  EXPECT_DEATH(port_.run(executor_),
               "lock 'radio' of rank 10: out of order: task 'sender' at .* already holds 'book'");
  slot.cancel();
}

struct KeepingTimer : Timer {
  KeepingTimer(Executor& executor, AsyncMutex& lock) : Timer(executor, &fired), mutex(lock) {}
  static void fired(Timer& self, const TimerContext& context) {
    auto& timer = static_cast<KeepingTimer&>(self);
    timer.kept.emplace(*timer.mutex.try_lock(context));
  }
  AsyncMutex& mutex;
  std::optional<AsyncMutex::Guard> kept;
};

TEST_F(AsyncMutexDeathTest, ATimersGuardThatOutlivesItsCallbackPanics) {
  AsyncMutex mutex(kRadio);
  KeepingTimer timer(executor_, mutex);
  timer.arm(at_ms(1));
  EXPECT_DEATH(port_.run(executor_),
               "timer 'callback' still holds lock 'radio', taken at "
               "chappe/async/async_mutex_test.cc:[0-9]+");
}

TEST_F(AsyncMutexDeathTest, DestroyedWhileHeldNamesTheHolder) {
  std::string order;
  auto mutex = std::make_unique<AsyncMutex>(kRadio);
  TaskSlot<1024> slot;
  executor_.spawn(slot, "holder", hold, executor_, *mutex, milliseconds(10), 'a', order);
  port_.run(executor_, at_ms(1));
  EXPECT_DEATH(mutex.reset(), "lock 'radio': destroyed while held: .*held by task 'holder' since");
  slot.cancel();
}

TEST_F(AsyncMutexDeathTest, DestroyedWhileAwaitedNamesWhoWaits) {
  std::string order;
  auto mutex = std::make_unique<AsyncMutex>(kRadio);
  TaskSlot<1024> slots[2];
  executor_.spawn(slots[0], "holder", hold, executor_, *mutex, milliseconds(10), 'a', order);
  executor_.spawn(slots[1], "waiter", hold, executor_, *mutex, milliseconds(10), 'b', order);
  port_.run(executor_, at_ms(1));
  EXPECT_DEATH(mutex.reset(), "lock 'radio': destroyed while awaited.*in line: task 'waiter' at");
  for (auto& slot : slots) slot.cancel();
}

constexpr sync::LockClass kOuter{"outer", 40, milliseconds(10), milliseconds(100)};
constexpr sync::LockClass kInner{"inner", 50, seconds(500), seconds(1000)};

Task<> hold_both(Executor& executor, AsyncMutex& outer, AsyncMutex& inner) {
  const auto first = co_await outer.lock();
  co_await sleep_for(executor, milliseconds(1));
  const auto second = co_await inner.lock();
}

// "b" holds the inner lock for ever, "a" holds the outer one and waits for it, "c" waits for "a".
TEST_F(AsyncMutexDeathTest, AHoldBeyondItsLimitPanicsWithEverybodyWhoHoldsAndWhoWaits) {
  AsyncMutex outer(kOuter);
  AsyncMutex inner(kInner);
  std::string order;
  TaskSlot<1024> slots[3];
  executor_.spawn(slots[0], "a", hold_both, executor_, outer, inner);
  executor_.spawn(slots[1], "b", hold, executor_, inner, seconds(400), 'b', order);
  executor_.spawn(slots[2], "c", hold, executor_, outer, seconds(1), 'c', order);
  EXPECT_DEATH(port_.run(executor_),
               "lock 'outer': held for 100 ms, the limit is 100 ms; held by task 'a' since .*, who "
               "waits for lock 'inner' at .*, held by task 'b' since .*, who waits for time at "
               ".*; in line: task 'c' at");
  for (auto& slot : slots) slot.cancel();
}

// A step that never ends is no sleep to look from: the release tells.
TEST_F(AsyncMutexDeathTest, AHoldBeyondItsLimitIsSeenAtItsReleaseToo) {
  AsyncMutex mutex(kQuick);
  std::string order;
  TaskSlot<1024> slot;
  executor_.spawn(slot, "slow", hold, executor_, mutex, milliseconds(200), 'a', order);
  executor_.step();
  EXPECT_DEATH(
      {
        port_.wait(at_ms(200));  // no look at locks on this way
        executor_.step();
      },
      "lock 'quick': held for 200 ms, the limit is 100 ms");
  slot.cancel();
}

Task<> try_then_wait(AsyncMutex& tried, AsyncMutex& lower) {
  const auto first = tried.try_lock();
  EXPECT_TRUE(first);
  const auto second = co_await lower.lock();
}

TEST_F(AsyncMutexDeathTest, ATriedLockCountsForTheOrderToo) {
  AsyncMutex radio(kRadio);
  AsyncMutex book(kBook);
  TaskSlot<1024> slot;
  executor_.spawn(slot, "sender", try_then_wait, book, radio);
  EXPECT_DEATH(port_.run(executor_),
               "lock 'radio' of rank 10: out of order: task 'sender' at .* already holds 'book' of "
               "rank 20, taken at .*; 'radio' is held by nobody");
  slot.cancel();
}

Task<> give_away(AsyncMutex& mutex, std::optional<AsyncMutex::Guard>& out) {
  auto guard = co_await mutex.lock();
  out.emplace(std::move(guard));
  WaitList forever;
  co_await forever.wait("for ever");
}
Task<> drop_it(std::optional<AsyncMutex::Guard>& in) {
  in.reset();
  co_return;
}

TEST_F(AsyncMutexDeathTest, ReleasingSomebodyElsesLockNamesBothSides) {
  EXPECT_DEATH(
      {
        AsyncMutex mutex(kRadio);
        std::optional<AsyncMutex::Guard> loot;
        TaskSlot<1024> owner;
        TaskSlot<1024> thief;
        executor_.spawn(owner, "owner", give_away, mutex, loot);
        executor_.spawn(thief, "thief", drop_it, loot);
        port_.run(executor_);
      },
      "lock 'radio': foreign release: task 'thief' at .*; held by task 'owner' since");
}

Task<> end_with_it(AsyncMutex& mutex, std::optional<AsyncMutex::Guard>& out) {
  auto guard = co_await mutex.lock();
  out.emplace(std::move(guard));
}

TEST_F(AsyncMutexDeathTest, ATaskThatEndsWithALockPanics) {
  EXPECT_DEATH(
      {
        AsyncMutex mutex(kRadio);
        std::optional<AsyncMutex::Guard> kept;
        TaskSlot<1024> slot;
        executor_.spawn(slot, "leaver", end_with_it, mutex, kept);
        port_.run(executor_);
      },
      "task 'leaver' still holds lock 'radio', taken at chappe/async/async_mutex_test.cc");
}

}  // namespace
}  // namespace chappe::async
