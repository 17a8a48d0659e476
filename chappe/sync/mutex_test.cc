#include "chappe/sync/mutex.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "chappe/async/executor.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/sync/anomaly.h"
#include "chappe/sync/workplace.h"

namespace chappe::sync {
namespace {

constexpr LockClass kJournal{"journal", 10};
constexpr LockClass kStore{"store", 20};

TEST(MutexThreads, OneHolderAtATime) {
  Mutex mutex(kJournal);
  int inside = 0;
  std::uint64_t turns = 0;
  constexpr std::uint64_t kTurns = 20'000;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      Worker me("worker");
      for (std::uint64_t n = 0; n < kTurns; ++n) {
        const Mutex::Guard guard = mutex.lock(me);
        EXPECT_EQ(++inside, 1);
        ++turns;
        --inside;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(turns, 4 * kTurns);
  EXPECT_EQ(mutex.owner(), nullptr);
}

TEST(MutexThreads, HandsOverInTheOrderOfArrival) {
  Mutex mutex(kJournal);
  std::string order;
  std::vector<std::thread> threads;
  std::atomic<int> arrived{0};
  {
    Worker me("main");
    const Mutex::Guard guard = mutex.lock(me);
    for (char name = 'a'; name < 'e'; ++name) {
      threads.emplace_back([&, name] {
        Worker worker("waiter");
        ++arrived;
        const Mutex::Guard mine = mutex.lock(worker);
        order += name;
      });
      // The next one starts only when this one sleeps in line, as the kernel tells.
      while (arrived.load() != name - 'a' + 1 || mutex.waiting_count() != name - 'a' + 1) {
        std::this_thread::yield();
      }
    }
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(order, "abcd");
}

TEST(Mutex, TryLockAnswersNow) {
  Worker me("main");
  Mutex mutex(kJournal);
  auto first = mutex.try_lock(me);
  EXPECT_TRUE(first);
  std::thread([&] {
    Worker other("other");
    EXPECT_FALSE(mutex.try_lock(other));
  }).join();
  first.reset();
  EXPECT_TRUE(mutex.try_lock(me));
}

TEST(MutexDeathTest, RecursionNamesTheLockAndBothPlaces) {
  EXPECT_DEATH(
      {
        Worker me("saver");
        Mutex mutex(kJournal);
        const Mutex::Guard once = mutex.lock(me);
        const Mutex::Guard twice = mutex.lock(me);
      },
      "lock 'journal': recursive lock: worker 'saver' at chappe/sync/mutex_test.cc:[0-9]+; "
      "held by worker 'saver' since chappe/sync/mutex_test.cc:[0-9]+");
}

TEST(MutexDeathTest, LockingAgainstTheOrderNamesBothLocks) {
  EXPECT_DEATH(
      {
        Worker me("saver");
        Mutex journal(kJournal);
        Mutex store(kStore);
        const Mutex::Guard inner = store.lock(me);
        const Mutex::Guard outer = journal.lock(me);
      },
      "lock 'journal' of rank 10: out of order: worker 'saver' at .* already holds 'store' of "
      "rank 20, taken at chappe/sync/mutex_test.cc");
}

TEST(MutexDeathTest, TryLockingTwiceIsRecursionToo) {
  EXPECT_DEATH(
      {
        Worker me("saver");
        Mutex mutex(kJournal);
        const auto once = mutex.try_lock(me);
        const auto twice = mutex.try_lock(me);
      },
      "recursive lock");
}

TEST(MutexDeathTest, ReleasingSomebodyElsesLockNamesBothSides) {
  EXPECT_DEATH(
      {
        Worker me("owner");
        Mutex mutex(kJournal);
        Mutex::Guard guard = mutex.lock(me);
        std::thread([moved = std::move(guard)]() mutable {
          Worker thief("thief");
          const Mutex::Guard stolen = std::move(moved);
        }).join();
      },
      "lock 'journal': foreign release: worker 'thief' at .*; held by worker 'owner' since");
}

TEST(MutexDeathTest, AnUnnamedThreadCannotReleaseEither) {
  EXPECT_DEATH(
      {
        Worker me("owner");
        Mutex mutex(kJournal);
        Mutex::Guard guard = mutex.lock(me);
        std::thread([moved = std::move(guard)]() mutable {
          const Mutex::Guard stolen = std::move(moved);
        }).join();
      },
      "foreign release: nobody");
}

TEST(MutexDeathTest, UsingAnotherThreadsTokenPanics) {
  EXPECT_DEATH(
      {
        Worker me("owner");
        Mutex mutex(kJournal);
        std::thread([&] {
          Worker other("other");
          const Mutex::Guard guard = mutex.lock(me);
        }).join();
      },
      "locked with another agent's token: worker 'other'");
}

TEST(MutexDeathTest, DestroyedWhileHeldPanics) {
  EXPECT_DEATH(
      {
        Worker me("owner");
        auto mutex = std::make_unique<Mutex>(kJournal);
        const Mutex::Guard guard = mutex->lock(me);
        mutex.reset();
      },
      "lock 'journal': destroyed while held");
}

TEST(MutexDeathTest, DestroyedWhileHeldNamesWhoWaits) {
  EXPECT_DEATH(
      {
        Worker me("owner");
        std::optional<Mutex> mutex(std::in_place, kJournal);
        std::optional<Mutex::Guard> guard(mutex->lock(me));
        std::thread waiter([&] {
          Worker other("waiter");
          const Mutex::Guard mine = mutex->lock(other);
          std::this_thread::sleep_for(std::chrono::hours(1));
        });
        while (mutex->waiting_count() != 1) std::this_thread::yield();
        mutex.reset();
      },
      "lock 'journal': destroyed while held: .*; in line: worker 'waiter' at chappe/sync/mutex");
}

TEST(MutexDeathTest, AHoldBeyondItsLimitPanicsWithWhoWaits) {
  static constexpr LockClass kQuick{"quick", 30, milliseconds(10), milliseconds(100)};
  EXPECT_DEATH(
      {
        Mutex mutex(kQuick);
        std::thread([&] {
          Worker me("sleeper");
          const Mutex::Guard guard = mutex.lock(me);
          std::thread waiter([&] {
            Worker other("waiter");
            const Mutex::Guard mine = mutex.lock(other);
          });
          while (mutex.waiting_count() != 1) std::this_thread::yield();
          look_at_mutexes(at_ms(1000));  // the first look that sees this hold
          look_at_mutexes(at_ms(1099));
          look_at_mutexes(at_ms(1100));
        }).join();
      },
      "lock 'quick': held for 100 ms, the limit is 100 ms; held by worker 'sleeper' since .*; in "
      "line: worker 'waiter' at");
}

TEST(Mutex, AHoldBeyondItsBudgetIsToldOnceForEachHold) {
  static constexpr LockClass kQuick{"quick", 30, milliseconds(10), milliseconds(100)};
  Mutex mutex(kQuick);
  Worker me("sleeper");
  const std::uint32_t before = anomaly_count(Anomaly::lock_over_budget);
  for (int hold = 0; hold < 2; ++hold) {
    const Mutex::Guard guard = mutex.lock(me);
    for (int i = 0; i < 5; ++i) look_at_mutexes(at_ms(hold * 100 + i * 10));
    EXPECT_EQ(anomaly_count(Anomaly::lock_over_budget), before + 1 + static_cast<unsigned>(hold));
  }
}

// Two looks that see two holds see no long one, however far apart they are.
TEST(Mutex, ManyShortHoldsAreNoLongOne) {
  static constexpr LockClass kQuick{"quick", 30, milliseconds(10), milliseconds(100)};
  Mutex mutex(kQuick);
  Worker me("busy");
  const std::uint32_t before = anomaly_count(Anomaly::lock_over_budget);
  for (int i = 0; i < 10; ++i) {
    const Mutex::Guard guard = mutex.lock(me);
    look_at_mutexes(at_ms(i * 1000));
  }
  EXPECT_EQ(anomaly_count(Anomaly::lock_over_budget), before);
}

TEST(MutexDeathTest, ABlockingLockInATaskWithAnOlderTokenSaysWhatIsWrong) {
  port::VirtualPort port;
  async::Executor executor(port);
  async::TaskSlot<1024> slot;
  Mutex mutex(kJournal);
  Worker main("main");
  struct Sneaky {
    static async::Task<> run(Mutex& lock, Worker& token) {
      const Mutex::Guard guard = lock.lock(token);
      co_return;
    }
  };
  executor.spawn(slot, "sneaky", Sneaky::run, mutex, main);
  EXPECT_DEATH(port.run(executor),
               "lock 'journal': blocking lock on an executor's thread: task 'sneaky' at");
  slot.cancel();
  const Mutex::Guard guard = mutex.lock(main);  // and main is itself again
}

TEST(MutexDeathTest, AWorkerThatEndsWithALockPanics) {
  EXPECT_DEATH(
      {
        Mutex mutex(kJournal);
        std::optional<Mutex::Guard> kept;
        Worker me("owner");
        kept.emplace(mutex.lock(me));
        me.~Worker();
      },
      "worker 'owner' still holds lock 'journal', taken at chappe/sync/mutex_test.cc");
}

async::Task<> block_in_a_task(Mutex& mutex) {
  Worker disguise("disguise");
  const Mutex::Guard guard = mutex.lock(disguise);
  co_return;
}

TEST(MutexDeathTest, ATaskCannotPassAsAWorker) {
  port::VirtualPort port;
  async::Executor executor(port);
  async::TaskSlot<1024> slot;
  Mutex mutex(kJournal);
  executor.spawn(slot, "sneaky", block_in_a_task, mutex);
  EXPECT_DEATH(port.run(executor), "worker 'disguise' cannot start inside task 'sneaky'");
  slot.cancel();
}

struct BlockingTimer : async::Timer {
  BlockingTimer(async::Executor& executor, Mutex& lock) : Timer(executor, &fired), mutex(lock) {}
  static void fired(Timer& self, const async::TimerContext&) {
    Worker disguise("disguise");
    const Mutex::Guard guard = static_cast<BlockingTimer&>(self).mutex.lock(disguise);
  }
  Mutex& mutex;
};

TEST(MutexDeathTest, ATimerCannotPassAsAWorker) {
  port::VirtualPort port;
  async::Executor executor(port);
  Mutex mutex(kJournal);
  BlockingTimer timer(executor, mutex);
  timer.arm(at_ms(1));
  EXPECT_DEATH(port.run(executor), "worker 'disguise' cannot start inside timer 'callback'");
}

}  // namespace
}  // namespace chappe::sync
