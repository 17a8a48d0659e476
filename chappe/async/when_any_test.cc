#include "chappe/async/when_any.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "chappe/async/async_mutex.h"
#include "chappe/async/completion.h"
#include "chappe/async/executor.h"
#include "chappe/async/group.h"
#include "chappe/port/linux/linux_port.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/sync/anomaly.h"
#include "chappe/sync/event.h"
#include "chappe/sync/signal.h"

namespace chappe::async {
namespace {

class WhenAnyTest : public testing::Test {
 protected:
  port::VirtualPort port_;
  Executor executor_{port_};
};

Task<> whichever(sync::Signal& one, sync::Signal& two, std::string& out) {
  for (;;) {
    const auto [first, second] = co_await when_any(one.next(), two.next());
    out += first ? std::to_string(*first) : "-";
    out += second ? std::to_string(*second) : "-";
    out += ' ';
  }
}

TEST_F(WhenAnyTest, YieldsWhatCameAndEverythingThatCameInTheSameStep) {
  sync::Signal one(executor_.wakes());
  sync::Signal two(executor_.wakes());
  std::string out;
  TaskSlot<1024> slot;
  executor_.spawn(slot, "whichever", whichever, one, two, out);
  port_.run(executor_);
  two.set();
  port_.run(executor_);
  EXPECT_EQ(out, "-1 ");
  one.set();
  two.set();
  two.set();
  port_.run(executor_);
  EXPECT_EQ(out, "-1 12 ");
}

// The losing wait is gone: its signal stays for the next one, and resumes nobody.
TEST_F(WhenAnyTest, TheOthersAreUnlinkedAndLoseNothing) {
  sync::Signal one(executor_.wakes());
  sync::Signal two(executor_.wakes());
  struct User {
    static Task<> run(Executor& executor, sync::Signal& a, sync::Signal& b) {
      const auto [first, second] = co_await when_any(a.next(), b.next());
      EXPECT_TRUE(first);
      EXPECT_FALSE(second);
      co_await sleep_for(executor, seconds(1));
      EXPECT_EQ(executor.now(), at_ms(1000));
    }
  };
  TaskSlot<1024> slot;
  executor_.spawn(slot, "user", User::run, executor_, one, two);
  port_.run(executor_);
  one.set();
  port_.run(executor_, at_ms(1));
  two.set();
  port_.run(executor_);
  EXPECT_EQ(two.take(), 1u);
  EXPECT_EQ(slot.state(), TaskHeader::State::done);
}

Task<> wait_at_most(Executor& executor, sync::Signal& signal, Duration span, std::string& out) {
  const auto edges = co_await with_deadline(signal.next(), executor, executor.now() + span);
  out += edges ? "edge " : "late ";
}

TEST_F(WhenAnyTest, ADeadlineEndsAWaitAndAnEdgeBeforeItDisarmsIt) {
  sync::Signal signal(executor_.wakes());
  std::string out;
  TaskSlot<1024> slot;
  executor_.spawn(slot, "waiter", wait_at_most, executor_, signal, milliseconds(20), out);
  port_.run(executor_);
  EXPECT_EQ(out, "late ");
  EXPECT_EQ(port_.now(), at_ms(20));
  executor_.spawn(slot, "waiter", wait_at_most, executor_, signal, milliseconds(20), out);
  port_.run(executor_, at_ms(25));
  signal.set();
  port_.run(executor_);
  EXPECT_EQ(out, "late edge ");
  EXPECT_EQ(executor_.next_deadline(), kNever);
}

// The result and the deadline in one step: the result is taken, not lost.
TEST_F(WhenAnyTest, AResultThatIsThereWhenItsDeadlineComesIsNotLost) {
  Completion<int> completion(executor_.wakes());
  struct Owner {
    static Task<> run(Executor& executor, Completion<int>& done, std::optional<int>& out) {
      const auto result = co_await with_deadline(done.result(), executor, at_ms(10));
      out = result;
    }
  };
  std::optional<int> result;
  TaskSlot<1024> slot;
  const auto ticket = completion.arm();
  executor_.spawn(slot, "owner", Owner::run, executor_, completion, result);
  port_.run(executor_, at_ms(9));
  port_.wait(at_ms(10));
  EXPECT_TRUE(completion.complete(ticket, 5));
  executor_.step();
  EXPECT_EQ(result, 5);
  EXPECT_FALSE(completion.armed());
}

constexpr sync::LockClass kBus{"bus", 10};

// Giving up a place in line gives nobody's lock away.
TEST_F(WhenAnyTest, ALockCanBeWaitedForAmongOtherThings) {
  AsyncMutex mutex(kBus);
  sync::Event enough(executor_.wakes());
  struct User {
    static Task<> hold(Executor& executor, AsyncMutex& lock) {
      const auto guard = co_await lock.lock();
      co_await sleep_for(executor, milliseconds(100));
    }
    static Task<> either(AsyncMutex& lock, sync::Event& stop, std::string& out) {
      const auto [guard, stopped] = co_await when_any(lock.lock(), stop.wait());
      out += guard ? "held " : "";
      out += stopped ? "stopped " : "";
    }
  };
  std::string out;
  TaskSlot<1024> slots[3];
  executor_.spawn(slots[0], "holder", User::hold, executor_, mutex);
  executor_.spawn(slots[1], "impatient", User::either, mutex, enough, out);
  port_.run(executor_, at_ms(10));
  enough.set();
  port_.run(executor_, at_ms(20));
  EXPECT_EQ(out, "stopped ");
  enough.clear();
  executor_.spawn(slots[2], "patient", User::either, mutex, enough, out);
  port_.run(executor_);
  EXPECT_EQ(out, "stopped held ");
  EXPECT_FALSE(mutex.is_held());
}

TEST_F(WhenAnyTest, APolledPeripheralIsAskedEachPeriodAndUntilItsDeadline) {
  struct Poll {
    static Task<> run(Executor& executor, Time ready_at, int& looks, bool& out) {
      auto ready = [&executor, ready_at, &looks] {
        ++looks;
        return executor.now() >= ready_at;
      };
      auto polling = poll_until(executor, ready, milliseconds(10), at_ms(105));
      out = co_await polling;
    }
  };
  int looks = 0;
  bool ready = false;
  TaskSlot<2048> slot;
  executor_.spawn(slot, "poll", Poll::run, executor_, at_ms(35), looks, ready);
  port_.run(executor_);
  EXPECT_TRUE(ready);
  EXPECT_EQ(looks, 5);
  EXPECT_EQ(port_.now(), at_ms(40));
  executor_.spawn(slot, "poll", Poll::run, executor_, at_ms(500), looks, ready);
  port_.run(executor_);
  EXPECT_FALSE(ready);
  EXPECT_EQ(port_.now(), at_ms(105));  // the last question is the deadline's
}

// --- Whose executor ------------------------------------------------------------------------------

using WhenAnyDeathTest = WhenAnyTest;

Task<> sleep_there(Executor& executor) {
  co_await sleep_for(executor, seconds(1));
}
Task<> wait_there(sync::Signal& signal) {
  const std::uint32_t edges = co_await signal.next();
  static_cast<void>(edges);
}

TEST_F(WhenAnyDeathTest, SleepingOnAnotherExecutorPanics) {
  port::VirtualPort port;
  Executor other(port);
  TaskSlot<1024> slot;
  executor_.spawn(slot, "stray", sleep_there, other);
  EXPECT_DEATH(port_.run(executor_),
               "task 'stray' waits for time of another executor, at chappe/async/when_any_test");
  slot.cancel();
}

TEST_F(WhenAnyDeathTest, WaitingForASignalOfAnotherExecutorPanics) {
  port::VirtualPort port;
  Executor other(port);
  sync::Signal signal(other.wakes());
  TaskSlot<1024> slot;
  executor_.spawn(slot, "stray", wait_there, signal);
  EXPECT_DEATH(port_.run(executor_), "task 'stray' waits for signal of another executor");
  slot.cancel();
}

// Runs an executor on a thread of its own until the death that the test is about.
template <class Do>
void meddle(Do meddle_with) {
  port::LinuxPort port;
  Executor executor(port);
  sync::Signal never(executor.wakes());
  sync::Event up(executor.wakes());
  TaskSlot<1024> slot;
  Timer timer(executor, [](Timer&, const TimerContext&) {});
  executor.spawn(slot, "victim", wait_there, never);
  std::thread([&] { executor.run(); }).detach();
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  meddle_with(executor, slot, timer);
}

TEST(ExecutorThreadsDeathTest, AnotherThreadCannotCancelSpawnArmOrStop) {
  EXPECT_DEATH(meddle([](Executor&, TaskHeader& task, Timer&) { task.cancel(); }),
               "executor: cancel from another thread than the one that runs it");
  EXPECT_DEATH(meddle([](Executor&, TaskHeader&, Timer& timer) { timer.arm(Time{}); }),
               "executor: arm a timer from another thread");
  EXPECT_DEATH(meddle([](Executor& executor, TaskHeader&, Timer&) { executor.stop(); }),
               "executor: stop from another thread");
  EXPECT_DEATH(meddle([](Executor& executor, TaskHeader&, Timer&) {
                 TaskSlot<1024> slot;
                 executor.spawn(slot, "late", sleep_there, executor);
               }),
               "executor: spawn from another thread");
  EXPECT_DEATH(meddle([](Executor& executor, TaskHeader&, Timer&) { executor.step(); }),
               "executor: run from another thread");
}

// --- Groups --------------------------------------------------------------------------------------

Task<> live(Executor& executor, Duration span, std::string& out, char name) {
  struct Leave {
    ~Leave() { words += letter; }
    std::string& words;
    char letter;
  };
  const Leave leave{out, name};
  co_await sleep_for(executor, span);
  out += '.';
}

Task<> parent(Executor& executor, std::string& out, bool leave_early) {
  TaskSlot<1024> slots[3];
  Group group(executor);
  for (int i = 0; i < 3; ++i) {
    group.spawn(slots[i],
                "child",
                live,
                executor,
                milliseconds(10 * (3 - i)),
                out,
                static_cast<char>('a' + i));
  }
  co_await group.one();
  out += '1';
  if (leave_early) co_return;
  co_await group.all();
  out += '3';
}

TEST_F(WhenAnyTest, AGroupTellsOfTheFirstAndOfTheLast) {
  std::string out;
  TaskSlot<8192> slot;
  executor_.spawn(slot, "parent", parent, executor_, out, false);
  port_.run(executor_);
  EXPECT_EQ(out, ".c1.b.a3");
}

TEST_F(WhenAnyTest, LeavingAGroupsScopeCancelsItsChildrenTheNewestFirst) {
  std::string out;
  TaskSlot<8192> slot;
  executor_.spawn(slot, "parent", parent, executor_, out, true);
  port_.run(executor_);
  EXPECT_EQ(out, ".c1ba");
  EXPECT_EQ(port_.now(), at_ms(10));
}

TEST_F(WhenAnyTest, CancellingTheParentCancelsItsGroup) {
  std::string out;
  TaskSlot<8192> slot;
  executor_.spawn(slot, "parent", parent, executor_, out, false);
  port_.run(executor_, at_ms(1));
  slot.cancel();
  EXPECT_EQ(out, "cba");
  EXPECT_EQ(executor_.next_deadline(), kNever);
}

// --- The end -------------------------------------------------------------------------------------

Task<> tidy_up(Executor& executor, Duration span, std::string& out) {
  co_await executor.stop_requested();
  co_await sleep_for(executor, span);
  out += "tidy ";
}

TEST_F(WhenAnyTest, AnOrderlyEndWaitsForThoseWhoTidyUp) {
  std::string out;
  TaskSlot<1024> slots[2];
  executor_.spawn(slots[0], "books", tidy_up, executor_, milliseconds(30), out);
  executor_.spawn(slots[1], "radio", tidy_up, executor_, milliseconds(20), out);
  port_.run(executor_, at_ms(5));
  EXPECT_EQ(out, "");
  const Abandoned abandoned = executor_.shut_down(milliseconds(100));
  EXPECT_EQ(abandoned.count, 0u);
  EXPECT_EQ(out, "tidy tidy ");
  EXPECT_EQ(port_.now(), at_ms(35));
}

TEST_F(WhenAnyTest, WhoDoesNotEndWithinTheBoundIsAbandonedAndNamed) {
  std::string out;
  sync::Signal never(executor_.wakes());
  const std::uint32_t before = sync::anomaly_count(sync::Anomaly::abandoned_task);
  TaskSlot<1024> slots[3];
  executor_.spawn(slots[0], "books", tidy_up, executor_, milliseconds(30), out);
  executor_.spawn(slots[1], "stubborn", wait_there, never);
  executor_.spawn(slots[2], "slow", tidy_up, executor_, seconds(30), out);
  port_.run(executor_, at_ms(5));
  const Abandoned abandoned = executor_.shut_down(milliseconds(100));
  EXPECT_EQ(abandoned.count, 2u);
  EXPECT_THAT(std::string(abandoned.words.view()),
              testing::MatchesRegex("task 'slow' waiting for time at .*:[0-9]+; task 'stubborn' "
                                    "waiting for signal at .*when_any_test.cc:[0-9]+"));
  EXPECT_EQ(out, "tidy ");
  EXPECT_EQ(port_.now(), at_ms(105));
  EXPECT_EQ(sync::anomaly_count(sync::Anomaly::abandoned_task), before + 2);
}

// --- Slow steps ----------------------------------------------------------------------------------

// A clock that a test can push while a task runs.
class PushedPort final : public sync::Port {
 public:
  Time now() noexcept override { return at; }
  void wait(Time) noexcept override {}
  void kick() noexcept override {}
  Time at{};
};

Task<> dawdle(PushedPort& port, Duration span) {
  port.at += span;
  co_return;
}

TEST(SlowStep, NamesTheTaskThatKeptItsExecutorAndNobodyElse) {
  PushedPort port;
  Executor executor(port);
  std::vector<std::string> heard;
  sync::set_anomaly_listener(
      [](void* out, sync::Anomaly, std::string_view words) noexcept {
        static_cast<std::vector<std::string>*>(out)->emplace_back(words);
      },
      &heard);
  executor.set_step_budget(milliseconds(20));
  TaskSlot<512> slots[3];
  executor.spawn(slots[0], "quick", dawdle, port, milliseconds(20));
  executor.spawn(slots[1], "slow", dawdle, port, milliseconds(21));
  executor.spawn(slots[2], "quick too", dawdle, port, milliseconds(1));
  executor.step();
  sync::set_anomaly_listener(nullptr, nullptr);
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(heard[0], "task 'slow' kept its executor for 21 ms");
}

}  // namespace
}  // namespace chappe::async
