// The event that is not interrupt-safe: the document's reproducer on the event as it was, and the
// same blows, and worse ones, on ours.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
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
#include "chappe/sim/scripted_radio.h"
#include "chappe/sync/signal.h"
#include "tests/seeds/002/allocations.h"
#include "tests/seeds/002/naive_event.h"
#include "tests/seeds/002/single_step.h"

namespace chappe::seeds {
namespace {

using async::Executor;
using async::Task;
using async::TaskSlot;
using port::VirtualPort;
using sync::Flags;
using sync::Signal;

constexpr std::size_t kWaiters = 4;

class Seed002 : public testing::Test {
 protected:
  VirtualPort port_;
  Executor executor_{port_};
};

Task<> count_edges(Signal& signal, std::uint64_t& seen) {
  for (;;) {
    const std::uint32_t edges = co_await signal.next();
    seen += edges;
  }
}

Task<> tick(Executor& executor, Duration period, std::uint64_t& ticks) {
  for (;;) {
    co_await async::sleep_for(executor, period);
    ++ticks;
  }
}

Task<> hand_on(async::WaitList& mine, async::WaitList& next, std::uint64_t& turns) {
  for (;;) {
    co_await mine.wait("its turn");
    ++turns;
    next.wake_one();
  }
}

// A loop with much to do: timers, tasks that wake each other, and tasks that wait for the event.
struct BusyLoop {
  explicit BusyLoop(sync::Port& port) : executor(port) {
    for (std::size_t i = 0; i < kWaiters; ++i) {
      executor.spawn(waiters[i], "waiter", count_edges, signal, seen[i]);
    }
    executor.spawn(tickers[0], "ticker", tick, executor, microseconds(3), ticks);
    executor.spawn(tickers[1], "ticker", tick, executor, microseconds(5), ticks);
    executor.spawn(players[0], "ping", hand_on, ping, pong, turns);
    executor.spawn(players[1], "pong", hand_on, pong, ping, turns);
    executor.step();  // now everybody waits
    ping.wake_one();
  }
  void expect_everybody_saw(std::uint64_t sets, std::uint64_t struck_at) {
    executor.step();
    executor.step();
    for (const std::uint64_t count : seen) EXPECT_EQ(count, sets) << "struck at " << struck_at;
  }

  Executor executor;
  Signal signal{executor.wakes()};
  std::array<std::uint64_t, kWaiters> seen{};
  std::uint64_t ticks = 0;
  std::uint64_t turns = 0;
  async::WaitList ping;
  async::WaitList pong;
  std::array<TaskSlot<512>, kWaiters> waiters;
  std::array<TaskSlot<512>, 2> tickers;
  std::array<TaskSlot<512>, 2> players;
};

// --- The reproducer ------------------------------------------------------------------------------

std::size_t naive_waiters_that_run(NaiveQueue& run_queue) {
  std::size_t ran = 0;
  while (run_queue.pop() != nullptr) ++ran;
  return ran;
}

TEST(Seed002Reproducer, TheEventAsItWasLosesItsWaitersInTheMiddleOfAQueueOperation) {
  NaiveQueue run_queue;
  NaiveEvent event(run_queue);
  std::array<NaiveTask, kWaiters> waiters{};
  for (NaiveTask& waiter : waiters) event.wait(waiter);
  NaiveTask other;
  run_queue.in_the_middle = [&] { event.set(); };
  run_queue.push(other);
  EXPECT_LT(naive_waiters_that_run(run_queue), kWaiters + 1);
}

TEST(Seed002Reproducer, TheEventAsItWasIsRightAsLongAsNobodyInterrupts) {
  NaiveQueue run_queue;
  NaiveEvent event(run_queue);
  std::array<NaiveTask, kWaiters> waiters{};
  for (NaiveTask& waiter : waiters) event.wait(waiter);
  NaiveTask other;
  run_queue.push(other);
  event.set();
  EXPECT_EQ(naive_waiters_that_run(run_queue), kWaiters + 1);
}

// One blow per run, at the n-th instruction, for every seventh n: some find the queue half linked.
TEST(Seed002Reproducer, TheEventAsItWasStruckAtManyInstructionsLosesWaitersAtSome) {
  if (!SingleStep::kAvailable) GTEST_SKIP() << "no trap flag here";
  struct Blow {
    NaiveEvent& event;
    std::uint64_t at;
    static void strike(void* self, std::uint64_t instruction) {
      auto& blow = *static_cast<Blow*>(self);
      if (instruction == blow.at) blow.event.set();
    }
  };
  std::size_t runs_with_losses = 0;
  std::uint64_t at = 1;
  for (std::uint64_t length = at; at <= length; at += 7) {
    NaiveQueue run_queue;
    NaiveEvent event(run_queue);
    std::array<NaiveTask, kWaiters> waiters{};
    for (NaiveTask& waiter : waiters) event.wait(waiter);
    NaiveTask other;
    Blow blow{event, at};
    length = SingleStep::run([&] { run_queue.push(other); }, &Blow::strike, &blow);
    if (naive_waiters_that_run(run_queue) < kWaiters + 1) ++runs_with_losses;
  }
  EXPECT_GT(runs_with_losses, 0u);
}

// --- The same blows on ours ----------------------------------------------------------------------

// A clock that goes on by itself, so that steps alone fire timers too.
class TickingPort final : public sync::Port {
 public:
  Time now() noexcept override { return now_ += microseconds(1); }
  void wait(Time) noexcept override {}
  void kick() noexcept override {}

 private:
  Time now_{};
};

TEST(Seed002Instructions, E1_SetAfterEachInstructionOfABusyLoopNothingIsLost) {
  if (!SingleStep::kAvailable) GTEST_SKIP() << "no trap flag here";
  TickingPort port;
  BusyLoop loop(port);
  const auto strike = [](void* signal, std::uint64_t) { static_cast<Signal*>(signal)->set(); };
  std::uint64_t sets = 0;
  for (int i = 0; i < 2; ++i) {
    sets += SingleStep::run([&] { loop.executor.step(); }, strike, &loop.signal);
  }
  EXPECT_GT(sets, 1000u);  // there was something to interrupt
  loop.expect_everybody_saw(sets, 0);
}

// One event is being delivered, and another one is set, once, at one instruction of that.
TEST(Seed002Instructions, E24_AnotherEventSetWhileTheListIsEmptiedIsNotLost) {
  if (!SingleStep::kAvailable) GTEST_SKIP() << "no trap flag here";
  struct Blow {
    Signal& signal;
    std::uint64_t at;
    static void strike(void* self, std::uint64_t instruction) {
      auto& blow = *static_cast<Blow*>(self);
      if (instruction == blow.at) blow.signal.set();
    }
  };
  std::uint64_t at = 1;
  for (std::uint64_t length = at; at <= length; at += 9) {
    VirtualPort port;
    Executor executor(port);
    Signal first(executor.wakes());
    Signal second(executor.wakes());
    first.set();
    Blow blow{second, at};
    length = SingleStep::run([&] { executor.wakes().drain(); }, &Blow::strike, &blow);
    EXPECT_EQ(first.take(), 1u) << "struck at " << at;
    EXPECT_EQ(second.take(), at <= length ? 1u : 0u) << "struck at " << at;
  }
  EXPECT_GT(at, 30u);
}

struct Line : VirtualPort::Interrupt {
  explicit Line(Signal& target) : Interrupt(&fired), signal(target) {}
  static void fired(Interrupt& self) { static_cast<Line&>(self).signal.set(); }
  Signal& signal;
};

TEST(Seed002Interrupts, E1_AtEveryMicrosecondOfABusyScheduleOneInterruptWakesEveryWaiterOnce) {
  for (int us = 0; us < 200; ++us) {
    VirtualPort port;
    BusyLoop loop(port);
    for (auto& player : loop.players) player.cancel();  // else it never sleeps, and time stands
    Line line(loop.signal);
    port.raise_at(line, at_us(us));
    port.run(loop.executor, at_us(250));
    loop.expect_everybody_saw(1, static_cast<std::uint64_t>(us));
    EXPECT_EQ(loop.ticks, 250u / 3 + 250u / 5);  // and disturbs nobody else
  }
}

// A world that strikes in the calls that the loop makes into it: reading the clock, falling asleep,
// being kicked, waking up.
class StrikingPort final : public sync::Port {
 public:
  Time now() noexcept override {
    strike();
    return now_;
  }
  void wait(Time deadline) noexcept override {
    strike();
    if (deadline != kNever) now_ = std::max(now_, deadline);
  }
  void dispatch() noexcept override { strike(); }
  void kick() noexcept override { strike(); }
  void strike() noexcept {
    if (signal != nullptr && calls++ == at) signal->set();
  }

  Signal* signal = nullptr;
  std::uint64_t at = 0;
  std::uint64_t calls = 0;

 private:
  Time now_{};
};

TEST(Seed002Interrupts, E1_AtEveryCallIntoThePortOneInterruptWakesEveryWaiterOnce) {
  std::uint64_t calls = 1;
  std::uint64_t at = 0;
  for (; at < calls; ++at) {
    StrikingPort port;
    BusyLoop loop(port);
    for (auto& player : loop.players) player.cancel();
    port.at = at;
    port.signal = &loop.signal;
    for (int turn = 0; turn < 12; ++turn) {
      while (loop.executor.step()) {
      }
      loop.executor.sleep();
    }
    calls = port.calls;
    port.signal = nullptr;
    loop.executor.step();
    loop.expect_everybody_saw(1, at);
  }
  EXPECT_GT(at, 20u);
}

TEST(Seed002Threads, E2_AnotherThreadSetsWhileWaitersComeGoAndAreCancelled) {
  port::LinuxPort port;
  BusyLoop loop(port);
  constexpr std::uint64_t kSets = 30'000;
  std::thread foreign([&] {
    for (std::uint64_t i = 0; i < kSets; ++i) loop.signal.set();
  });
  SeededRandom random(3);
  std::uint64_t passing = 0;
  TaskSlot<512> passer;
  for (int i = 0; i < 5000 || loop.seen[0] < kSets; ++i) {
    if (random.up_to(1) == 0) passer.cancel();
    if (!passer.alive()) {
      loop.executor.spawn(passer, "passer", count_edges, loop.signal, passing);
    }
    loop.executor.step();
  }
  foreign.join();
  passer.cancel();
  loop.executor.step();
  loop.expect_everybody_saw(kSets, 0);
}

TEST_F(Seed002, E4_TheWaiterRunsInTheLoopAndNeverInTheInterrupt) {
  struct Spying : VirtualPort::Interrupt {
    Spying(Signal& target, Executor& loop) : Interrupt(&fired), signal(target), executor(loop) {}
    static void fired(Interrupt& self) {
      auto& spying = static_cast<Spying&>(self);
      const std::uint64_t before = spying.executor.resumed_count();
      spying.signal.set();
      spying.resumed_inside = spying.executor.resumed_count() - before;
      spying.agent_inside = sync::Agent::running();
    }
    Signal& signal;
    Executor& executor;
    std::uint64_t resumed_inside = 99;
    sync::Agent* agent_inside = nullptr;
  };
  Signal signal(executor_.wakes());
  std::uint64_t seen = 0;
  TaskSlot<512> slot;
  executor_.spawn(slot, "waiter", count_edges, signal, seen);
  Spying interrupt(signal, executor_);
  port_.raise_at(interrupt, at_ms(1));
  port_.run(executor_);
  EXPECT_EQ(interrupt.resumed_inside, 0u);
  EXPECT_EQ(interrupt.agent_inside, nullptr);
  EXPECT_EQ(seen, 1u);
}

TEST_F(Seed002, E8_ThereIsNoNumberOfEventsAtWhichTheyRunOut) {
  constexpr std::size_t kEvents = 3000;
  std::vector<std::unique_ptr<Signal>> signals;
  std::vector<std::unique_ptr<TaskSlot<512>>> slots;
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kEvents; ++i) {
    signals.push_back(std::make_unique<Signal>(executor_.wakes()));
    slots.push_back(std::make_unique<TaskSlot<512>>());
    executor_.spawn(*slots.back(), "waiter", count_edges, *signals.back(), seen);
  }
  port_.run(executor_);
  for (const auto& signal : signals) signal->set();
  port_.run(executor_);
  EXPECT_EQ(seen, kEvents);
  slots.clear();
}

TEST_F(Seed002, E10_AReleasedRegistrationTakesItsPendingMarkAlong) {
  std::uint64_t seen = 0;
  Signal stays(executor_.wakes());
  TaskSlot<512> slot;
  executor_.spawn(slot, "waiter", count_edges, stays, seen);
  port_.run(executor_);
  const std::uint64_t before = executor_.resumed_count();
  for (int i = 0; i < 100; ++i) {
    Signal goes(executor_.wakes());
    goes.set();
    if (i % 2 == 0) stays.set();
    goes.set();
  }
  executor_.step();
  EXPECT_EQ(seen, 50u);
  // Each release delivers what is pending, so that its own mark is gone; nobody runs inside it.
  EXPECT_EQ(executor_.resumed_count() - before, 1u);
}

TEST_F(Seed002, E12_OneEventOfAThousandResumesExactlyOneTask) {
  constexpr std::size_t kEvents = 1000;
  std::vector<std::unique_ptr<Signal>> signals;
  std::vector<std::unique_ptr<TaskSlot<512>>> slots;
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kEvents; ++i) {
    signals.push_back(std::make_unique<Signal>(executor_.wakes()));
    slots.push_back(std::make_unique<TaskSlot<512>>());
    executor_.spawn(*slots.back(), "waiter", count_edges, *signals.back(), seen);
  }
  port_.run(executor_);
  const std::uint64_t before = executor_.resumed_count();
  signals[700]->set();
  port_.run(executor_);
  EXPECT_EQ(executor_.resumed_count() - before, 1u);
  EXPECT_EQ(seen, 1u);
  slots.clear();
}

TEST_F(Seed002, E13_FromTheSetToTheTaskIsOneStep) {
  Signal signal(executor_.wakes());
  std::uint64_t seen = 0;
  TaskSlot<512> slot;
  executor_.spawn(slot, "waiter", count_edges, signal, seen);
  port_.run(executor_);
  signal.set();
  EXPECT_TRUE(executor_.step());
  EXPECT_EQ(seen, 1u);
  EXPECT_FALSE(executor_.step());  // and nothing is left over
}

// --- Sleeping ------------------------------------------------------------------------------------

// A processor whose sleep any interrupt ends, also those that nobody waits for.
class RestlessPort final : public sync::Port {
 public:
  Time now() noexcept override { return now_; }
  void wait(Time deadline) noexcept override {
    deadlines.push_back(deadline);
    now_ = std::min(deadline, now_ + milliseconds(7));
  }
  void kick() noexcept override { ++kicks; }

  std::vector<Time> deadlines;
  int kicks = 0;

 private:
  Time now_{};
};

Task<> note_when(Executor& executor, Duration span, Time& woken) {
  co_await async::sleep_for(executor, span);
  woken = executor.now();
}

TEST(Seed002Sleep, E15_AfterAWakeThatBroughtNothingItSleepsTheRemainingTime) {
  RestlessPort port;
  Executor executor(port);
  Time woken{};
  TaskSlot<512> slot;
  executor.spawn(slot, "sleeper", note_when, executor, milliseconds(100), woken);
  while (slot.alive()) {
    while (executor.step()) {
    }
    if (slot.alive()) executor.sleep();
  }
  EXPECT_EQ(woken, at_ms(100));  // neither early nor pushed out by fourteen wakes for nothing
  EXPECT_EQ(port.deadlines.size(), 15u);
  for (const Time deadline : port.deadlines) EXPECT_EQ(deadline, at_ms(100));
  EXPECT_EQ(executor.resumed_count(), 2u);  // nobody else was asked whether it was theirs
}

TEST_F(Seed002, E14_TheLoopSleepsToTheNextDeadlineInOneWait) {
  Time woken{};
  TaskSlot<512> slot;
  executor_.spawn(slot, "sleeper", note_when, executor_, hours(5), woken);
  const std::uint64_t before = port_.wait_count();
  port_.run(executor_, Time{} + hours(5));
  EXPECT_EQ(woken, Time{} + hours(5));
  EXPECT_LE(port_.wait_count() - before, 2u);  // the five hours, and the end of the run
}

TEST_F(Seed002, E35_ManySetsInOneSleepAreOneWakeUpOfThePlatform) {
  Signal first(executor_.wakes());
  Signal second(executor_.wakes());
  std::uint64_t seen = 0;
  TaskSlot<512> slots[2];
  executor_.spawn(slots[0], "waiter", count_edges, first, seen);
  executor_.spawn(slots[1], "waiter", count_edges, second, seen);
  Line lines[6] = {Line(first), Line(second), Line(first), Line(second), Line(first), Line(second)};
  for (Line& line : lines) port_.raise_at(line, at_ms(5));
  port_.run(executor_);
  EXPECT_EQ(seen, 6u);
  EXPECT_EQ(port_.kick_count(), 1u);
}

TEST_F(Seed002, E35_AnIdleHourMakesNoWakeUp) {
  Signal signal(executor_.wakes());
  std::uint64_t seen = 0;
  TaskSlot<512> slot;
  executor_.spawn(slot, "waiter", count_edges, signal, seen);
  port_.run(executor_, at_ms(1));
  const std::uint64_t waits = port_.wait_count();
  const std::uint64_t resumed = executor_.resumed_count();
  port_.run(executor_, at_ms(1) + hours(1));
  EXPECT_EQ(port_.wait_count() - waits, 1u);
  EXPECT_EQ(executor_.resumed_count(), resumed);
  EXPECT_EQ(port_.kick_count(), 0u);
}

Task<> stop_after(Signal& signal, Executor& executor) {
  const std::uint32_t edges = co_await signal.next();
  static_cast<void>(edges);
  executor.stop();
}

TEST(Seed002Threads, E32_TheLoopDoesNotEndWhileATaskWaitsForTheOutside) {
  port::LinuxPort port;
  Executor executor(port);
  Signal signal(executor.wakes());
  TaskSlot<512> slot;
  executor.spawn(slot, "waiter", stop_after, signal, executor);
  std::atomic<bool> ended{false};
  std::atomic<bool> ended_early{false};
  std::thread outside([&] {
    // No timer, nothing ready, nothing to do: only a sleep that this ends.
    while (port.wait_count() == 0) std::this_thread::yield();
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    ended_early.store(ended.load());
    signal.set();
  });
  executor.run();
  ended.store(true);
  outside.join();
  EXPECT_FALSE(ended_early.load());
  EXPECT_FALSE(slot.alive());
}

// --- Events are not states -----------------------------------------------------------------------

constexpr std::uint32_t kRising = 1;
constexpr std::uint32_t kFalling = 2;

Task<> wait_for_edge(Flags& pin, std::uint32_t edges, std::string& out, char name) {
  const std::uint32_t bits = co_await pin.wait(edges);
  out += name;
  out += static_cast<char>('0' + bits);
}

TEST_F(Seed002, E18_RisingFallingAndBothAreDifferentWaits) {
  Flags pin(executor_.wakes());
  std::string out;
  TaskSlot<512> slots[3];
  executor_.spawn(slots[0], "rising", wait_for_edge, pin, kRising, out, 'r');
  executor_.spawn(slots[1], "falling", wait_for_edge, pin, kFalling, out, 'f');
  executor_.spawn(slots[2], "both", wait_for_edge, pin, kRising | kFalling, out, 'b');
  port_.run(executor_);
  pin.set(kFalling);
  port_.run(executor_);
  EXPECT_EQ(out, "f2b2");
  pin.set(kRising);
  port_.run(executor_);
  EXPECT_EQ(out, "f2b2r1");
}

// A level is a state: asked first, and again after each change.
Task<> wait_for_high(const bool& level, async::WaitList& changed, int& looks, bool& done) {
  while (++looks, !level) co_await changed.wait("the level");
  done = true;
}

TEST_F(Seed002, E18_ALevelThatIsThereAlreadyNeedsNoEdge) {
  async::WaitList changed;
  bool level = true;
  int looks = 0;
  bool done = false;
  TaskSlot<512> slot;
  executor_.spawn(slot, "level", wait_for_high, level, changed, looks, done);
  port_.run(executor_);
  EXPECT_TRUE(done);
  level = false;
  done = false;
  executor_.spawn(slot, "level", wait_for_high, level, changed, looks, done);
  port_.run(executor_);
  changed.wake_all();  // a glitch: high and low again
  port_.run(executor_);
  EXPECT_FALSE(done);
  level = true;
  changed.wake_all();
  port_.run(executor_);
  EXPECT_TRUE(done);
}

TEST_F(Seed002, E22_AWaitWithADeadlineIsAWaitForOneBitMore) {
  struct Deadline : async::Timer {
    Deadline(Executor& executor, Flags& target) : Timer(executor, &fired), flags(target) {}
    static void fired(Timer& self, const async::TimerContext&) {
      static_cast<Deadline&>(self).flags.set(4);
    }
    Flags& flags;
  };
  Flags pin(executor_.wakes());
  Deadline deadline(executor_, pin);
  deadline.arm(at_ms(20));
  std::string out;
  TaskSlot<512> slot;
  executor_.spawn(slot, "patient", wait_for_edge, pin, kRising | 4u, out, 'p');
  port_.run(executor_);
  EXPECT_EQ(out, "p4");
  EXPECT_EQ(port_.now(), at_ms(20));
}

// --- A radio is not a stream ---------------------------------------------------------------------

Task<> receive(radio::Radio& radio, std::string& out) {
  for (;;) {
    const std::uint32_t frames = co_await radio.heard().next();
    for (std::uint32_t i = 0; i < frames; ++i) {
      radio::Frame frame;
      out += radio.take(frame) ? 'h' : '!';
    }
  }
}

Task<> send(radio::Radio& radio, std::string& out, char name) {
  static constexpr std::array<std::uint8_t, 20> kFrame{};
  flow::Credit credit = co_await radio.credits().take(0);
  const radio::Right right = co_await radio.right().take();
  const auto done = co_await radio.transmit(right, kFrame, std::move(credit));
  out += done ? name : '-';
}

TEST_F(Seed002, E19_AFailedSendDisturbsNeitherTheReceiverNorTheNextSend) {
  sim::ScriptedRadio radio(executor_);
  radio.script = {sim::ScriptedRadio::Next::fail_unsure, sim::ScriptedRadio::Next::send};
  std::string heard;
  std::string sent;
  TaskSlot<1024> receiver;
  TaskSlot<2048> senders[2];
  executor_.spawn(receiver, "receiver", receive, radio, heard);
  executor_.spawn(senders[0], "sender", send, radio, sent, 'a');
  executor_.spawn(senders[1], "sender", send, radio, sent, 'b');
  port_.run(executor_);
  EXPECT_EQ(sent, "-b");
  EXPECT_EQ(heard, "");  // not woken by somebody else's failure
  EXPECT_EQ(receiver.state(), async::TaskHeader::State::waiting);
  radio.hear({});
  port_.run(executor_);
  EXPECT_EQ(heard, "h");
}

TEST_F(Seed002, E20_TheEndOfASendResumesItsSenderAndNobodyElse) {
  sim::ScriptedRadio radio(executor_);
  std::string heard;
  std::string sent;
  TaskSlot<1024> receiver;
  TaskSlot<2048> sender;
  executor_.spawn(receiver, "receiver", receive, radio, heard);
  executor_.spawn(sender, "sender", send, radio, sent, 'a');
  port_.run(executor_, at_ms(10));
  const std::uint64_t before = executor_.resumed_count();
  port_.run(executor_);
  EXPECT_EQ(sent, "a");
  EXPECT_EQ(executor_.resumed_count() - before, 1u);
}

TEST_F(Seed002, E21_WritableEndsWithASendAndReturnsAtItsEndGoodOrBad) {
  sim::ScriptedRadio radio(executor_);
  radio.script = {sim::ScriptedRadio::Next::send, sim::ScriptedRadio::Next::fail_unsure};
  for (const char* const expected : {"a", "-"}) {
    std::string sent;
    TaskSlot<2048> sender;
    EXPECT_EQ(radio.credits().read().total, 0);
    executor_.spawn(sender, "sender", send, radio, sent, 'a');
    port_.run(executor_, port_.now() + milliseconds(10));
    EXPECT_EQ(radio.credits().read().total, 1);
    EXPECT_FALSE(radio.credits().try_take(0));
    port_.run(executor_);
    EXPECT_EQ(sent, expected);
    EXPECT_EQ(radio.credits().read().total, 0);
    EXPECT_EQ(radio.credits().room(0).take(), 1u);  // who was refused is told, once
  }
}

// A peripheral without a completion interrupt: asked with no patience, and then a sleep.
Task<> poll(Executor& executor, const Time& ready_at, Time& served, int& looks) {
  while (++looks, executor.now() < ready_at) co_await async::sleep_for(executor, milliseconds(10));
  served = executor.now();
}

TEST_F(Seed002, E25_APolledPeripheralIsACoroutineThatSaysSoAndHoldsNobodyUp) {
  const Time ready_at = at_ms(95);
  Time served{};
  int looks = 0;
  std::uint64_t ticks = 0;
  TaskSlot<512> polling;
  TaskSlot<512> ticking;
  executor_.spawn(polling, "polled", poll, executor_, ready_at, served, looks);
  executor_.spawn(ticking, "ticker", tick, executor_, milliseconds(1), ticks);
  port_.run(executor_, at_ms(100));
  EXPECT_EQ(served, at_ms(100));
  EXPECT_EQ(looks, 11);
  EXPECT_EQ(ticks, 100u);
}

// --- Properties ----------------------------------------------------------------------------------

Task<> note_name(Signal& signal, std::string& order, char name) {
  for (;;) {
    const std::uint32_t edges = co_await signal.next();
    order.push_back(name);
    order.push_back(static_cast<char>('0' + edges));
  }
}

TEST_F(Seed002, E28_E29_AStickyCountReachesAllWaitersInTheOrderInWhichTheyCame) {
  Signal signal(executor_.wakes());
  std::string order;
  TaskSlot<512> slots[3];
  executor_.spawn(slots[2], "a", note_name, signal, order, 'a');
  executor_.spawn(slots[0], "b", note_name, signal, order, 'b');
  executor_.spawn(slots[1], "c", note_name, signal, order, 'c');
  port_.run(executor_);
  signal.set();
  signal.set();
  port_.run(executor_);
  EXPECT_EQ(order, "a2b2c2");
  signal.set();
  port_.run(executor_);
  EXPECT_EQ(order, "a2b2c2a1b1c1");
}

TEST_F(Seed002, E30_NeitherSettingNorWaitingNorWaitingAgainAllocates) {
  BusyLoop loop(port_);
  for (auto& player : loop.players) player.cancel();
  if (!kAllocationsCounted) GTEST_SKIP() << "the thread sanitizer brings its own allocator";
  const std::uint64_t before = allocation_count();
  for (int i = 1; i <= 1000; ++i) {
    loop.signal.set();
    port_.run(loop.executor, at_us(10 * i));
  }
  EXPECT_EQ(allocation_count() - before, 0u);
  EXPECT_EQ(loop.seen[0], 1000u);
}

TEST_F(Seed002, E31_CancellingAnyWaiterAtAnyTimeDisturbsNoOther) {
  for (std::size_t cancelled = 0; cancelled < kWaiters; ++cancelled) {
    for (const bool after_the_set : {false, true}) {
      BusyLoop loop(port_);
      if (!after_the_set) loop.waiters[cancelled].cancel();
      loop.signal.set();
      if (after_the_set) loop.waiters[cancelled].cancel();
      loop.executor.step();
      for (std::size_t i = 0; i < kWaiters; ++i) {
        EXPECT_EQ(loop.seen[i], i == cancelled ? 0u : 1u) << cancelled << ' ' << after_the_set;
      }
    }
  }
}

Task<> read_after(Signal& signal,
                  const std::vector<int>& written,
                  const int rounds,
                  int& wrong,
                  std::atomic<int>& acknowledged,
                  Executor& executor) {
  int sets = 0;
  while (sets < rounds) {
    const std::uint32_t edges = co_await signal.next();
    sets += static_cast<int>(edges);
    // Everything written before each of these sets, the coalesced ones too.
    for (int i = 0; i < sets; ++i) wrong += written[static_cast<std::size_t>(i)] == i + 1 ? 0 : 1;
    acknowledged.store(sets, std::memory_order_relaxed);
  }
  executor.stop();
}

TEST(Seed002Threads, E33_WhatWasWrittenBeforeASetIsVisibleAlsoIfTheSetWasCoalesced) {
  port::LinuxPort port;
  Executor executor(port);
  Signal signal(executor.wakes());
  constexpr int kRounds = 1000;
  std::vector<int> written(kRounds, 0);  // plain memory: the thread sanitizer watches it
  int wrong = 0;
  std::atomic<int> acknowledged{0};
  TaskSlot<512> slot;
  executor.spawn(
      slot, "reader", read_after, signal, written, kRounds, wrong, acknowledged, executor);
  std::thread writer([&] {
    for (int i = 0; i < kRounds; ++i) {
      written[static_cast<std::size_t>(i)] = i + 1;
      signal.set();
      // Bursts of seven, so that most sets find the source pending.
      while (i % 7 == 6 && acknowledged.load(std::memory_order_relaxed) <= i) {
        std::this_thread::yield();
      }
    }
  });
  executor.run();
  writer.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(Seed002, E34_AStuckLoopUnderAHotInterruptLosesAndOverflowsNothing) {
  Signal signal(executor_.wakes());
  Signal other(executor_.wakes());
  std::uint64_t seen = 0;
  std::uint64_t seen_other = 0;
  TaskSlot<512> slots[2];
  executor_.spawn(slots[0], "waiter", count_edges, signal, seen);
  executor_.spawn(slots[1], "waiter", count_edges, other, seen_other);
  port_.run(executor_);
  for (int i = 0; i < 1'000'000; ++i) signal.set();  // the loop never gets to run meanwhile
  other.set();
  executor_.step();
  EXPECT_EQ(seen, 1'000'000u);
  EXPECT_EQ(seen_other, 1u);
}

// The same story on two ports.
template <class Port>
std::string tell(Port& port) {
  Executor executor(port);
  Signal signal(executor.wakes());
  std::string order;
  TaskSlot<512> slots[2];
  executor.spawn(slots[0], "a", note_name, signal, order, 'a');
  executor.spawn(slots[1], "b", note_name, signal, order, 'b');
  executor.step();  // both wait
  for (int i = 0; i < 3; ++i) {
    signal.set();
    if (i == 1) signal.set();
    while (executor.step()) {
    }
  }
  slots[0].cancel();
  signal.set();
  while (executor.step()) {
  }
  return order;
}

TEST(Seed002Ports, E26_TheSameOnLinuxAndInVirtualTime) {
  VirtualPort in_virtual_time;
  port::LinuxPort on_linux;
  EXPECT_EQ(tell(in_virtual_time), "a1b1a2b2a1b1b1");
  EXPECT_EQ(tell(on_linux), tell(in_virtual_time));
}

}  // namespace
}  // namespace chappe::seeds
