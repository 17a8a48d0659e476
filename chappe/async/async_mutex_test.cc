#include "chappe/async/async_mutex.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "chappe/async/executor.h"
#include "chappe/async/sleep.h"
#include "chappe/async/wait_list.h"
#include "chappe/base/random.h"
#include "chappe/port/virtual/virtual_port.h"

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
