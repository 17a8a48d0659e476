#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "chappe/async/executor.h"
#include "chappe/async/sleep.h"
#include "chappe/port/linux/linux_port.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/sync/signal.h"

namespace chappe::sync {
namespace {

using async::Executor;
using async::Task;
using async::TaskSlot;
using port::VirtualPort;

struct Log {
  std::vector<std::uint32_t> counts;
};

Task<> count_edges(Signal& signal, Log& log, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    const std::uint32_t edges = co_await signal.next();
    log.counts.push_back(edges);
  }
}

Task<> collect(Flags& flags, std::uint32_t mask, std::vector<std::uint32_t>& out) {
  const std::uint32_t bits = co_await flags.wait(mask);
  out.push_back(bits);
}

class SignalTest : public testing::Test {
 protected:
  VirtualPort port_;
  Executor executor_{port_};
};

TEST_F(SignalTest, IsStickyAndCounts) {
  Signal signal(executor_.wakes());
  Log log;
  signal.set();
  signal.set();
  signal.set();
  TaskSlot<1024> slot;
  executor_.spawn(slot, "counter", count_edges, signal, log, 2);
  port_.run(executor_);
  EXPECT_EQ(log.counts, (std::vector<std::uint32_t>{3}));
  signal.set();
  port_.run(executor_);
  EXPECT_EQ(log.counts, (std::vector<std::uint32_t>{3, 1}));
}

TEST_F(SignalTest, ServesEveryWaiterInOrder) {
  Signal signal(executor_.wakes());
  Log log;
  TaskSlot<1024> slots[5];
  for (auto& slot : slots) executor_.spawn(slot, "waiter", count_edges, signal, log, 1);
  port_.run(executor_);
  EXPECT_TRUE(log.counts.empty());
  signal.set();
  signal.set();
  port_.run(executor_);
  EXPECT_EQ(log.counts, (std::vector<std::uint32_t>{2, 2, 2, 2, 2}));
  EXPECT_EQ(executor_.resumed_count(), 10u);
}

TEST_F(SignalTest, CancellingOneWaiterDisturbsNoOther) {
  Signal signal(executor_.wakes());
  Log log;
  TaskSlot<1024> first;
  TaskSlot<1024> second;
  TaskSlot<1024> third;
  for (auto* slot : {&first, &second, &third}) {
    executor_.spawn(*slot, "waiter", count_edges, signal, log, 1);
  }
  port_.run(executor_);
  second.cancel();
  signal.set();
  port_.run(executor_);
  EXPECT_EQ(log.counts.size(), 2u);
  EXPECT_FALSE(first.alive());
  EXPECT_FALSE(third.alive());
}

TEST_F(SignalTest, EdgesOfATaskThatIsCancelledBeforeItResumesAreKept) {
  Signal signal(executor_.wakes());
  Flags flags(executor_.wakes());
  Log log;
  std::vector<std::uint32_t> bits;
  TaskSlot<1024> counter;
  TaskSlot<1024> collector;
  executor_.spawn(counter, "counter", count_edges, signal, log, 1);
  executor_.spawn(collector, "collector", collect, flags, 0x0fu, bits);
  port_.run(executor_);
  signal.set();
  signal.set();
  flags.set(5);
  executor_.wakes().drain();
  counter.cancel();
  collector.cancel();
  EXPECT_EQ(signal.take(), 2u);
  EXPECT_EQ(flags.take(~0u), 5u);
}

TEST_F(SignalTest, AWokenTaskDoesNotNeedTheSignalAnyMore) {
  Log log;
  TaskSlot<1024> slot;
  {
    Signal signal(executor_.wakes());
    executor_.spawn(slot, "counter", count_edges, signal, log, 1);
    port_.run(executor_);
    signal.set();
    executor_.wakes().drain();
  }
  port_.run(executor_);
  EXPECT_EQ(log.counts, (std::vector<std::uint32_t>{1}));
}

TEST_F(SignalTest, GoesAwayQuietlyWhilePending) {
  Signal stays(executor_.wakes());
  {
    Signal goes(executor_.wakes());
    stays.set();
    goes.set();
  }
  EXPECT_EQ(stays.take(), 1u);
}

using SignalDeathTest = SignalTest;
TEST_F(SignalDeathTest, DestroyedWhileAwaitedPanics) {
  EXPECT_DEATH(
      {
        TaskSlot<1024> slot;
        Log log;
        Signal signal(executor_.wakes());
        executor_.spawn(slot, "waiter", count_edges, signal, log, 1);
        port_.run(executor_);
      },
      "waiters_.empty");
}

// As a line does that rises again before its task has come back to wait.
Task<> serve_a_hot_line(Signal& signal, int& turns) {
  while (turns < 1000) {
    const std::uint32_t edges = co_await signal.next();
    turns += static_cast<int>(edges);
    signal.set();
  }
}
Task<> serve_hot_flags(Flags& flags, int& turns) {
  while (turns < 1000) {
    const std::uint32_t bits = co_await flags.wait(1);
    turns += static_cast<int>(bits);
    flags.set(1);
  }
}

TEST_F(SignalTest, ALineThatNeverRestsLeavesEachStepToTheOthersToo) {
  Signal signal(executor_.wakes());
  Flags flags(executor_.wakes());
  int edges = 0;
  int bits = 0;
  TaskSlot<1024> slots[2];
  executor_.spawn(slots[0], "line", serve_a_hot_line, signal, edges);
  executor_.spawn(slots[1], "flags", serve_hot_flags, flags, bits);
  signal.set();
  flags.set(1);
  for (int step = 1; step <= 10; ++step) {
    executor_.step();
    EXPECT_LE(edges, step);
    EXPECT_LE(bits, step);
  }
  EXPECT_GE(edges, 5);  // and is served all the same
  EXPECT_GE(bits, 5);
}

TEST_F(SignalTest, FlagsWakeOnlyWhoAskedAndKeepTheRest) {
  Flags flags(executor_.wakes());
  std::vector<std::uint32_t> low;
  std::vector<std::uint32_t> high;
  TaskSlot<1024> a;
  TaskSlot<1024> b;
  executor_.spawn(a, "low", collect, flags, 0x0fu, low);
  executor_.spawn(b, "high", collect, flags, 0xf0u, high);
  port_.run(executor_);
  flags.set(0x105);
  port_.run(executor_);
  EXPECT_EQ(low, (std::vector<std::uint32_t>{5}));
  EXPECT_TRUE(high.empty());
  EXPECT_EQ(flags.take(0xffff), 0x100u);
  b.cancel();
}

struct Pin : VirtualPort::Interrupt {
  explicit Pin(Signal& target) : Interrupt(&fired), signal(target) {}
  static void fired(Interrupt& self) {
    auto& pin = static_cast<Pin&>(self);
    pin.signal.set();
    pin.signal.set();
  }
  Signal& signal;
};

TEST_F(SignalTest, AnInterruptEndsTheSleepWithOneKick) {
  Signal signal(executor_.wakes());
  Pin pin(signal);
  Log log;
  TaskSlot<1024> slot;
  executor_.spawn(slot, "counter", count_edges, signal, log, 1);
  port_.raise_at(pin, at_ms(70));
  port_.run(executor_);
  EXPECT_EQ(port_.now(), at_ms(70));
  EXPECT_EQ(log.counts, (std::vector<std::uint32_t>{2}));
  EXPECT_EQ(port_.kick_count(), 1u);
}

TEST_F(SignalTest, ASetBetweenTheLastLookAndTheSleepForbidsTheSleep) {
  Signal signal(executor_.wakes());
  signal.set();
  EXPECT_FALSE(executor_.wakes().announce_sleep());
  EXPECT_EQ(signal.take(), 1u);
  EXPECT_TRUE(executor_.wakes().announce_sleep());
  executor_.wakes().retract_sleep();
}

TEST_F(SignalTest, SettingWhileAwakeKicksNobody) {
  Signal signal(executor_.wakes());
  signal.set();
  EXPECT_EQ(port_.kick_count(), 0u);
  EXPECT_EQ(signal.take(), 1u);
}

// --- Real threads, the real port ---------------------------------------------------------------

Task<> until_total(Signal& signal, Executor& executor, std::uint64_t total, std::uint64_t& seen) {
  while (seen < total) {
    const std::uint32_t edges = co_await signal.next();
    seen += edges;
  }
  executor.stop();
}

TEST(SignalThreads, NothingIsLostFromManyThreads) {
  port::LinuxPort port;
  Executor executor(port);
  Signal signal(executor.wakes());
  constexpr int kThreads = 4;
  constexpr std::uint64_t kSets = 20'000;
  std::uint64_t seen = 0;
  TaskSlot<1024> slot;
  executor.spawn(slot, "counter", until_total, signal, executor, kThreads * kSets, seen);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (std::uint64_t n = 0; n < kSets; ++n) signal.set();
    });
  }
  executor.run();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(seen, kThreads * kSets);
}

TEST(SignalThreads, SeveralWaitersEachCountEveryEdge) {
  port::LinuxPort port;
  Executor executor(port);
  Signal signal(executor.wakes());
  constexpr std::uint64_t kSets = 50'000;
  std::uint64_t seen[4] = {};
  TaskSlot<1024> slots[4];
  for (int i = 0; i < 4; ++i) {
    executor.spawn(slots[i], "counter", until_total, signal, executor, kSets, seen[i]);
  }
  while (executor.step()) {
  }  // all four wait before the first edge
  std::thread setter([&] {
    for (std::uint64_t n = 0; n < kSets; ++n) signal.set();
  });
  executor.run();
  setter.join();
  for (const std::uint64_t count : seen) EXPECT_EQ(count, kSets);
}

// One edge at a time, the next only when the last was seen: the executor is asleep, falling asleep
// or waking at each of them, and a lost one would hang the test.
TEST(SignalThreads, NothingIsLostAroundTheSleep) {
  port::LinuxPort port;
  Executor executor(port);
  Signal signal(executor.wakes());
  std::atomic<std::uint64_t> acknowledged{0};
  constexpr std::uint64_t kRounds = 5'000;
  struct Echo {
    static Task<> run(Signal& in, Executor& ex, std::atomic<std::uint64_t>& out) {
      while (out.load() < kRounds) {
        const std::uint32_t edges = co_await in.next();
        out.fetch_add(edges);
      }
      ex.stop();
    }
  };
  TaskSlot<1024> slot;
  executor.spawn(slot, "echo", Echo::run, signal, executor, acknowledged);
  std::thread setter([&] {
    for (std::uint64_t n = 0; n < kRounds; ++n) {
      signal.set();
      while (acknowledged.load() <= n) std::this_thread::yield();
    }
  });
  executor.run();
  setter.join();
  EXPECT_EQ(acknowledged.load(), kRounds);
}

TEST(SignalThreads, AnIdleProgramMakesNoWakeUps) {
  port::LinuxPort port;
  Executor executor(port);
  Signal signal(executor.wakes());
  std::uint64_t seen = 0;
  TaskSlot<1024> slot;
  executor.spawn(slot, "idle", until_total, signal, executor, 1, seen);
  while (executor.step()) {
  }
  const std::uint64_t steps = executor.step_count();
  std::thread setter([&] { signal.set(); });
  executor.run();
  setter.join();
  // Two steps to find nothing and sleep, one or two to see the set: however long it took to come.
  EXPECT_LE(executor.step_count() - steps, 4u);
  EXPECT_LE(port.wait_count(), 1u);
}

}  // namespace
}  // namespace chappe::sync
