#include <gtest/gtest.h>
#include <unistd.h>

#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "chappe/async/completion.h"
#include "chappe/async/executor.h"
#include "chappe/async/sleep.h"
#include "chappe/async/wait_list.h"
#include "chappe/base/random.h"
#include "chappe/port/linux/linux_port.h"
#include "chappe/port/virtual/virtual_port.h"

namespace chappe::async {
namespace {

using port::VirtualPort;

class ExecutorTest : public testing::Test {
 protected:
  VirtualPort port_;
  Executor executor_{port_};
};

Task<int> add(int a, int b) {
  co_return a + b;
}

Task<int> add_later(Executor& executor, int a, int b) {
  co_await sleep_for(executor, milliseconds(5));
  const int sum = co_await add(a, b);
  co_return sum;
}

Task<> chain(Executor& executor, std::string& out) {
  const int now = co_await add(1, 2);
  out += std::to_string(now);
  const int later = co_await add_later(executor, now, 4);
  out += std::to_string(later);
}

TEST_F(ExecutorTest, ChildrenReturnAtOnceOrLater) {
  std::string out;
  TaskSlot<2048> slot;
  executor_.spawn(slot, "chain", chain, executor_, out);
  EXPECT_EQ(out, "");
  port_.run(executor_);
  EXPECT_EQ(out, "37");
  EXPECT_EQ(port_.now(), at_ms(5));
  EXPECT_EQ(slot.state(), TaskHeader::State::done);
  EXPECT_EQ(slot.arena().used(), 0u);
}

Task<int> deep(int depth) {
  if (depth == 0) co_return 0;
  const int below = co_await deep(depth - 1);
  co_return below + 1;
}

Task<> many_children(Executor& executor, int& sum) {
  for (int i = 0; i < 100'000; ++i) {
    const int one = co_await add(i, 1);
    sum += one - i;
  }
  // Each child waits, so each return goes through the executor's loop: the stack must not grow.
  for (int i = 0; i < 10'000; ++i) {
    const int one = co_await add_later(executor, 0, 1);
    sum += one;
  }
  const int depth = co_await deep(20);
  sum += depth;
}

TEST_F(ExecutorTest, AwaitingInALoopGrowsNeitherStackNorArena) {
  int sum = 0;
  TaskSlot<8192> slot;
  executor_.spawn(slot, "loop", many_children, executor_, sum);
  port_.run(executor_);
  EXPECT_EQ(sum, 110'020);
  EXPECT_LE(slot.arena().high_water(), 8192u);
}

Task<> note_time(Executor& executor, Time at, char name, std::string& order) {
  co_await sleep_until(executor, at);
  EXPECT_GE(executor.now(), at);
  order += name;
}

struct StampingTimer : Timer {
  StampingTimer(Executor& owner, sync::Port& clock) : Timer(owner, &fired), port(clock) {}
  static void fired(Timer& self, const TimerContext&) {
    auto& timer = static_cast<StampingTimer&>(self);
    timer.at = timer.port.now();
  }
  sync::Port& port;
  Time at = kNever;
};

TEST_F(ExecutorTest, ATimerFiresAtItsMicrosecond) {
  for (const int us : {1, 999, 1001, 2500, 7'000'123}) {
    StampingTimer timer(executor_, port_);
    const Time due = port_.now() + microseconds(us);
    timer.arm(due);
    port_.run(executor_);
    EXPECT_EQ(timer.at, due);
  }
}

struct NamedTimer : Timer {
  NamedTimer(Executor& owner, char letter, std::string& log)
      : Timer(owner, &fired), name(letter), order(log) {}
  static void fired(Timer& self, const TimerContext&) {
    auto& timer = static_cast<NamedTimer&>(self);
    timer.order += timer.name;
  }
  char name;
  std::string& order;
};

// A heap keeps no order among equals by itself.
TEST_F(ExecutorTest, ManyTimersOfOneDeadlineFireInTheOrderOfArming) {
  std::string order;
  std::deque<NamedTimer> timers;
  for (char name = 'a'; name <= 'p'; ++name) {
    timers.emplace_back(executor_, name, order).arm(at_ms(name % 2 == 0 ? 7 : 5));
  }
  for (NamedTimer& timer : timers) {
    if (timer.name != 'c' && timer.name != 'l') timer.arm(at_ms(5));
  }
  for (NamedTimer& timer : timers) {
    if (timer.name == 'l') timer.cancel();
  }
  port_.run(executor_);
  EXPECT_EQ(order, "cabdefghijkmnop");
}

TEST_F(ExecutorTest, TimersFireInOrderOfDeadlineThenOfArming) {
  std::string order;
  TaskSlot<1024> slots[4];
  executor_.spawn(slots[0], "late", note_time, executor_, at_ms(9), 'd', order);
  executor_.spawn(slots[1], "tie one", note_time, executor_, at_ms(5), 'b', order);
  executor_.spawn(slots[2], "tie two", note_time, executor_, at_ms(5), 'c', order);
  executor_.spawn(slots[3], "early", note_time, executor_, at_ms(1), 'a', order);
  port_.run(executor_);
  EXPECT_EQ(order, "abcd");
}

// Due for long, and again and again: others that are due have their turn all the same.
TEST_F(ExecutorTest, ATimerThatReArmsItselfInThePastCannotStarveAnother) {
  struct Again : Timer {
    explicit Again(Executor& executor) : Timer(executor, &fired) {}
    static void fired(Timer& timer, const TimerContext&) { timer.arm(at_ms(1)); }
  };
  struct Other : Timer {
    explicit Other(Executor& executor) : Timer(executor, &fired) {}
    static void fired(Timer& timer, const TimerContext&) { ++static_cast<Other&>(timer).count; }
    int count = 0;
  };
  port_.run(executor_, at_ms(100));
  Again again(executor_);
  Other other(executor_);
  again.arm(at_ms(1));
  other.arm(at_ms(50));
  for (int i = 0; i < 10; ++i) executor_.step();
  EXPECT_EQ(other.count, 1);
}

Task<> sleep_once(Executor& executor, Duration span, bool& awake) {
  co_await sleep_for(executor, span);
  awake = true;
}

TEST_F(ExecutorTest, SleepingForEverNeverEnds) {
  bool awake = false;
  TaskSlot<1024> slot;
  port_.run(executor_, at_ms(1));
  executor_.spawn(slot, "sleeper", sleep_once, executor_, Duration::max(), awake);
  port_.run(executor_, at_ms(1'000'000));
  EXPECT_FALSE(awake);
  EXPECT_EQ(executor_.next_deadline(), kNever);
}

constexpr int kTurnsMost = 1000;  // an executor that lets itself be starved ends, too

Task<> spinner(WaitList& list, int& turns) {
  while (turns < kTurnsMost) {
    ++turns;
    list.wake_all();
    co_await list.wait("turn");
  }
}

TEST_F(ExecutorTest, TasksThatWakeEachOtherCannotStarveATimer) {
  WaitList list;
  int turns = 0;
  std::string order;
  {
    TaskSlot<1024> a;
    TaskSlot<1024> b;
    TaskSlot<1024> timed;
    executor_.spawn(a, "a", spinner, list, turns);
    executor_.spawn(b, "b", spinner, list, turns);
    executor_.spawn(timed, "timed", note_time, executor_, Time{}, 't', order);
    for (int i = 0; i < 3; ++i) executor_.step();
    EXPECT_EQ(order, "t");
    EXPECT_LT(turns, 10);
  }
}

struct Witness {
  explicit Witness(int& counter) : count(counter) { ++count; }
  ~Witness() { --count; }
  int& count;
};

Task<> hold_a_witness(Executor& executor, int& alive) {
  const Witness witness(alive);
  co_await sleep_for(executor, seconds(100));
}

Task<> parent_of_witness(Executor& executor, int& alive) {
  const Witness witness(alive);
  co_await hold_a_witness(executor, alive);
}

TEST_F(ExecutorTest, CancellingDestroysTheWholeChainAndDisarmsItsTimer) {
  int alive = 0;
  TaskSlot<2048> slot;
  executor_.spawn(slot, "witness", parent_of_witness, executor_, alive);
  port_.run(executor_, at_ms(1));
  EXPECT_EQ(alive, 2);
  slot.cancel();
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(executor_.next_deadline(), kNever);
  EXPECT_EQ(slot.arena().used(), 0u);
}

TEST_F(ExecutorTest, ASlotCanBeUsedAgain) {
  int alive = 0;
  TaskSlot<2048> slot;
  for (int i = 0; i < 3; ++i) {
    executor_.spawn(slot, "again", parent_of_witness, executor_, alive);
    port_.run(executor_, executor_.now() + milliseconds(1));
    slot.cancel();
  }
  EXPECT_EQ(alive, 0);
}

struct Never {
  bool await_ready() { return false; }
  void await_suspend(std::coroutine_handle<>) {}
  void await_resume() {}
};
Task<> orphan() {
  co_await Never();
}

using ExecutorDeathTest = ExecutorTest;
TEST_F(ExecutorDeathTest, SuspendingWithNothingThatCouldWakePanics) {
  TaskSlot<1024> slot;
  executor_.spawn(slot, "orphan", orphan);
  EXPECT_DEATH(port_.run(executor_), "task 'orphan' suspended without anything");
  slot.cancel();
}

TEST_F(ExecutorDeathTest, AFrameTooLargeForItsArenaNamesTheTask) {
  TaskSlot<512> slot;
  int sum = 0;
  EXPECT_DEATH(
      {
        executor_.spawn(slot, "small", many_children, executor_, sum);
        port_.run(executor_);
      },
      "task 'small': no room for a frame of [0-9]+ bytes: [0-9]+ of 512 used");
}

// Not inlined, or an optimising clang puts the frame on the stack and asks nobody for memory.
[[gnu::noinline]] Task<int> add_out_of_line(int a, int b) {
  co_return a + b;
}

Task<> await_twice() {
  Task<int> sum = add(1, 2);
  const int once = co_await sum;
  const int twice = co_await sum;
  EXPECT_EQ(once, twice);
}

TEST_F(ExecutorDeathTest, AwaitingATaskTwicePanics) {
  TaskSlot<2048> slot;
  executor_.spawn(slot, "twice", await_twice);
  EXPECT_DEATH(port_.run(executor_), "a task is awaited once");
}

Task<> await_what_was_moved_away() {
  Task<int> sum = add(1, 2);
  const Task<int> elsewhere = std::move(sum);
  const int none = co_await sum;
  EXPECT_EQ(none, 3);
}

TEST_F(ExecutorDeathTest, AwaitingATaskThatWasMovedAwayPanics) {
  TaskSlot<2048> slot;
  executor_.spawn(slot, "moved", await_what_was_moved_away);
  EXPECT_DEATH(port_.run(executor_), "a task is awaited once");
}

TEST_F(ExecutorDeathTest, CallingACoroutineOutsideATaskPanics) {
  EXPECT_DEATH(static_cast<void>(add_out_of_line(1, 2)), "outside a task");
}

Task<> take_result(Completion<int>& completion, int& result) {
  result = co_await completion.result();
}

TEST_F(ExecutorTest, ACompletionReachesItsOwnerOnce) {
  Completion<int> completion(executor_.wakes());
  int result = 0;
  TaskSlot<1024> slot;
  const auto ticket = completion.arm();
  executor_.spawn(slot, "owner", take_result, completion, result);
  port_.run(executor_);
  EXPECT_EQ(result, 0);
  EXPECT_TRUE(completion.complete(ticket, 7));
  EXPECT_FALSE(completion.complete(ticket, 8));
  port_.run(executor_);
  EXPECT_EQ(result, 7);
}

TEST_F(ExecutorTest, ALateCompletionCannotTouchTheNextOperation) {
  Completion<int> completion(executor_.wakes());
  const auto first = completion.arm();
  EXPECT_TRUE(completion.withdraw());
  const auto second = completion.arm();
  EXPECT_FALSE(completion.complete(first, 1));
  EXPECT_TRUE(completion.complete(second, 2));
  EXPECT_FALSE(completion.withdraw());
  int result = 0;
  TaskSlot<1024> slot;
  executor_.spawn(slot, "owner", take_result, completion, result);
  port_.run(executor_);
  EXPECT_EQ(result, 2);
  EXPECT_FALSE(completion.armed());
}

Task<> serve(Completion<std::uint64_t>& completion,
             std::atomic<std::uint32_t>& ticket,
             Executor& executor,
             std::uint64_t& sum) {
  for (std::uint64_t i = 0; i < 3000; ++i) {
    ticket.store(completion.arm().word);
    const std::uint64_t result = co_await completion.result();
    sum += result;
  }
  ticket.store(1);
  executor.stop();
}

TEST(CompletionThreads, ResultsWrittenByAThreadAreSeenByTheTask) {
  port::LinuxPort port;
  Executor executor(port);
  Completion<std::uint64_t> completion(executor.wakes());
  std::atomic<std::uint32_t> ticket{0};
  std::uint64_t sum = 0;
  TaskSlot<1024> slot;
  executor.spawn(slot, "server", serve, completion, ticket, executor, sum);
  std::thread worker([&] {
    std::uint32_t last = 0;
    for (;;) {
      const std::uint32_t now = ticket.load();
      if (now == 1 && last != 0 && last != 1) break;
      if (now == last) continue;
      last = now;
      if (completion.complete({now}, 2)) {
        EXPECT_FALSE(completion.complete({now}, 100));
      }
    }
  });
  executor.run();
  worker.join();
  EXPECT_EQ(sum, 6000u);
}

// The owner sees the result the moment it is there, takes it and is gone: the thread that completed
// it must be done with it by then.
TEST(CompletionThreads, AnOwnerMayGoAsSoonAsItHasItsResult) {
  port::LinuxPort port;
  Executor executor(port);
  struct Handed {
    Completion<int>* completion;
    Completion<int>::Ticket ticket;
  };
  std::atomic<Handed*> handed{nullptr};
  std::atomic<bool> over{false};
  std::thread worker([&] {
    while (!over.load()) {
      if (Handed* const one = handed.exchange(nullptr)) {
        one->completion->complete(one->ticket, 7);
      } else {
        std::this_thread::yield();
      }
    }
  });
  for (int i = 0; i < 2'000; ++i) {
    auto completion = std::make_unique<Completion<int>>(executor.wakes());
    Handed one{completion.get(), completion->arm()};
    handed.store(&one);
    auto result = completion->result();
    // Spinning is what finds the moment; on a machine that is busy it must not last for ever.
    for (int spins = 1; !result.await_ready(); ++spins) {
      if (spins % 1000 == 0) std::this_thread::yield();
    }
    EXPECT_EQ(result.await_resume(), 7);
    EXPECT_FALSE(completion->armed());
  }
  over.store(true);
  worker.join();
}

TEST(LinuxPort, TimersNeverFireEarly) {
  port::LinuxPort port;
  Executor executor(port);
  std::string order;
  TaskSlot<1024> slots[3];
  const Time start = port.now();
  executor.spawn(slots[0], "a", note_time, executor, start + milliseconds(3), 'a', order);
  executor.spawn(slots[1], "b", note_time, executor, start + milliseconds(1), 'b', order);
  struct Stop {
    static Task<> run(Executor& ex, Time at) {
      co_await sleep_until(ex, at);
      ex.stop();
    }
  };
  executor.spawn(slots[2], "stop", Stop::run, executor, start + milliseconds(4));
  executor.run();
  EXPECT_EQ(order, "ba");
  EXPECT_LE(port.wait_count(), 6u);
}

Task<> never_idle(Executor& executor, bool& stop) {
  while (!stop) co_await yield(executor);
  executor.stop();
}

Task<> wait_readable(port::Descriptor& descriptor, bool& seen) {
  co_await descriptor.reading().wait(port::Descriptor::kReadable);
  seen = true;
}

Task<> give_up(Executor& executor, Duration span, bool& stop) {
  co_await sleep_for(executor, span);
  stop = true;
}

TEST(LinuxPort, ATaskThatIsAlwaysReadyCannotStarveADescriptor) {
  port::LinuxPort port;
  Executor executor(port);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  {
    port::Descriptor descriptor(port, executor.wakes(), ends[0]);
    bool seen = false;
    bool late = false;
    TaskSlot<1024> slots[3];
    executor.spawn(slots[0], "busy", never_idle, executor, seen);
    executor.spawn(slots[1], "reader", wait_readable, descriptor, seen);
    executor.spawn(slots[2], "patience", give_up, executor, seconds(5), late);
    ASSERT_EQ(::write(ends[1], "x", 1), 1);
    struct Watch {
      static Task<> run(Executor& ex, bool& over) {
        while (!over) co_await sleep_for(ex, milliseconds(10));
        ex.stop();
      }
    };
    TaskSlot<1024> watch;
    executor.spawn(watch, "watch", Watch::run, executor, late);
    executor.run();
    EXPECT_TRUE(seen);
  }
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(FrameArena, ReusesWhatIsFreedOutOfOrderOnceTheTopIsFree) {
  alignas(std::max_align_t) std::byte buffer[1024];
  const char* name = "arena";
  FrameArena arena(buffer, sizeof buffer, &name);
  void* const a = arena.allocate(100);
  void* const b = arena.allocate(100);
  void* const c = arena.allocate(100);
  const std::size_t full = arena.used();
  FrameArena::free(b);
  EXPECT_EQ(arena.used(), full);
  FrameArena::free(c);
  FrameArena::free(a);
  EXPECT_EQ(arena.used(), 0u);
  EXPECT_EQ(arena.high_water(), full);
}

}  // namespace
}  // namespace chappe::async
