// The driver whose counters race: what the document's plan asks of them, what it leaves broken, and
// the radio of the simulation held to the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <deque>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "chappe/async/executor.h"
#include "chappe/async/sleep.h"
#include "chappe/base/random.h"
#include "chappe/flow/credits.h"
#include "chappe/flow/inflight.h"
#include "chappe/port/linux/linux_port.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/rx/receiver.h"
#include "chappe/sim/scripted_radio.h"
#include "chappe/sim/sim_radio.h"
#include "tests/seeds/004/naive_driver.h"

namespace chappe::seeds {
namespace {

using async::Executor;
using async::Task;
using async::TaskSlot;
using flow::Credit;
using flow::Credits;
using flow::Inflight;

Credits::Limits two_interfaces() {
  Credits::Limits limits;
  limits.total = 4;
  limits.lane_max = {4, 4, 0, 0};
  limits.kept_free = {1, 0, 0, 0};  // the data path stops one short: one buffer is for commands
  return limits;
}

class Seed004 : public testing::Test {
 protected:
  port::VirtualPort port_;
  Executor executor_{port_};
};

// --- Total and interfaces ------------------------------------------------------------------------

// The writer takes for interface 0 before interface 1 and gives back in the other order, so at no
// instant does interface 1 use more than interface 0, or their sum exceed what was taken.
TEST(Seed004Threads, C10_TotalAndInterfacesTellOneStoryAtEveryInstant) {
  port::LinuxPort port;
  Executor executor(port);
  Credits credits(executor.wakes(), two_interfaces());
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int i = 0; i < 100'000; ++i) {
      Credit first = credits.try_take(0);
      Credit second = credits.try_take(1);
      second.give_back();
      first.give_back();
    }
    done.store(true);
  });
  std::uint64_t torn = 0;
  std::uint64_t busy = 0;
  while (!done.load()) {
    const Credits::Snapshot all = credits.read();
    if (all.used[1] > all.used[0] || all.total != all.used[0] + all.used[1]) ++torn;
    if (all.total > 0) ++busy;
  }
  writer.join();
  EXPECT_EQ(torn, 0u);
  EXPECT_GT(busy, 0u);
  EXPECT_EQ(credits.read().total, 0);
}

TEST_F(Seed004, C5_TheDataPathRestartsWhenItCanProceedAndNotBefore) {
  Credits credits(executor_.wakes(), two_interfaces());
  Credit data[3] = {credits.try_take(0), credits.try_take(0), credits.try_take(0)};
  Credit command = credits.try_take(1);
  EXPECT_TRUE(data[2]);
  EXPECT_TRUE(command);
  EXPECT_FALSE(credits.try_take(0));
  EXPECT_FALSE(credits.try_take(0));  // refused twice, owed once
  command.give_back();                // prior = 4: room for a command, none for data
  EXPECT_EQ(credits.room(0).take(), 0u);
  data[0].give_back();  // prior = capacity - 1: now
  EXPECT_EQ(credits.room(0).take(), 1u);
  data[1].give_back();
  data[2].give_back();
  EXPECT_EQ(credits.room(0).take(), 0u);
}

// Two contexts confirm at once, again and again: exactly one of them finds the last unit home, and
// exactly one pays the refusal.
TEST(Seed004Threads, C6_OfTwoThatConfirmAtOnceExactlyOneSeesTheEdge) {
  port::LinuxPort port;
  Executor executor(port);
  Credits::Limits limits;
  limits.total = 2;
  limits.lane_max = {2, 0, 0, 0};
  Credits credits(executor.wakes(), limits);
  constexpr int kRounds = 10'000;
  std::atomic<int> round{0};
  std::atomic<int> confirmed{0};
  std::array<std::thread, 2> hardware;
  for (std::thread& thread : hardware) {
    thread = std::thread([&] {
      for (int mine = 1; mine <= kRounds; ++mine) {
        while (round.load(std::memory_order_acquire) < mine) std::this_thread::yield();
        credits.release(0, 1);
        confirmed.fetch_add(1, std::memory_order_release);
      }
    });
  }
  int wrong_idle = 0;
  int wrong_room = 0;
  for (int i = 1; i <= kRounds; ++i) {
    for (int n = 0; n < 2; ++n) {
      Credit credit = credits.try_take(0);
      credit.hand_over();
    }
    const bool refused = !credits.try_take(0);
    round.store(i, std::memory_order_release);
    while (confirmed.load(std::memory_order_acquire) < 2 * i) std::this_thread::yield();
    if (credits.idle().take() != 1) ++wrong_idle;
    if (!refused || credits.room(0).take() != 1) ++wrong_room;
  }
  for (std::thread& thread : hardware) thread.join();
  EXPECT_EQ(wrong_idle, 0);
  EXPECT_EQ(wrong_room, 0);
}

TEST_F(Seed004, C8_SeveralUnitsComeHomeInOneStepWithOneEdge) {
  Credits credits(executor_.wakes(), two_interfaces());
  for (int i = 0; i < 3; ++i) {
    Credit credit = credits.try_take(0);
    credit.hand_over();
  }
  EXPECT_FALSE(credits.try_take(0));
  credits.release(0, 3);
  EXPECT_EQ(credits.read().total, 0);
  EXPECT_EQ(credits.idle().take(), 1u);
  EXPECT_EQ(credits.room(0).take(), 1u);
}

using Seed004DeathTest = Seed004;

// The hook runs in the process that panics, and tells what the word is after the alarm.
TEST_F(Seed004DeathTest, C7_AnUnderflowIsReportedAndTheCountIsUntouched) {
  Credits credits(executor_.wakes(), two_interfaces());
  Credit held[3] = {credits.try_take(0), credits.try_take(0), credits.try_take(1)};
  const auto tell = [](void* self, std::string_view) noexcept {
    const Credits::Snapshot all = static_cast<Credits*>(self)->read();
    const char digits[] = {'w',
                           'o',
                           'r',
                           'd',
                           ' ',
                           static_cast<char>('0' + all.used[0]),
                           static_cast<char>('0' + all.used[1]),
                           static_cast<char>('0' + all.total),
                           '\n'};
    static_cast<void>(!::write(STDERR_FILENO, digits, sizeof digits));
  };
  EXPECT_DEATH(
      {
        set_panic_hook(tell, &credits);
        credits.release(0, 3);
      },
      "word 213\n.*credits: underflow: lane 0 releases 3 and uses 2");
}

TEST_F(Seed004, C20_CountersBeginAtZeroByTheSameRules) {
  Credits credits(executor_.wakes(), two_interfaces());
  const Credits::Snapshot all = credits.read();
  EXPECT_EQ(all.total, 0);
  for (std::size_t lane = 0; lane < Credits::kLanes; ++lane) {
    EXPECT_EQ(all.used[lane], 0);
    EXPECT_FALSE(all.wanted[lane]);
  }
  EXPECT_FALSE(all.closed);
  EXPECT_EQ(credits.idle().take(), 0u);  // nothing came home, so there is no edge
}

// --- The order of counting and handing over ------------------------------------------------------

TEST_F(Seed004, HandingOverFirstLetsAConfirmationOvertakeItsOwnFrame) {
  NaiveDriver driver;
  driver.send([&] { driver.confirm(); });
  EXPECT_EQ(driver.used_least, -1);
  EXPECT_EQ(driver.errors, 1);
  EXPECT_TRUE(
      driver.monitor_armed);  // for a frame that is confirmed already: a false alarm to come
}

struct NoWedge {
  static void note(void* count, const Inflight::Snapshot&) { ++*static_cast<int*>(count); }
};

TEST_F(Seed004, AccountingFirstAConfirmationCannotOvertake) {
  Credits credits(executor_.wakes(), two_interfaces());
  Inflight inflight(executor_.wakes());
  TaskSlot<1024> slot;
  int wedges = 0;
  inflight.supervise(executor_, slot, milliseconds(100), &NoWedge::note, &wedges);
  for (int i = 0; i < 1000; ++i) {
    Credit credit = credits.try_take(0);
    ASSERT_TRUE(credit);
    inflight.submitted();
    credit.hand_over();
    // The hardware confirms before the hand-over has returned.
    inflight.confirmed();
    credits.release(0, 1);
    port_.run(executor_, port_.now() + milliseconds(1));
  }
  port_.run(executor_, port_.now() + seconds(10));
  EXPECT_EQ(wedges, 0);
  EXPECT_EQ(inflight.read().pending, 0);
  EXPECT_EQ(credits.idle().take(), 1000u);
}

TEST(Seed004Threads, AccountingFirstHoldsAgainstHardwareOnAnotherThread) {
  port::LinuxPort port;
  Executor executor(port);
  Credits credits(executor.wakes(), two_interfaces());
  Inflight inflight(executor.wakes());
  constexpr int kFrames = 50'000;
  std::atomic<int> handed_over{0};
  std::thread hardware([&] {
    for (int confirmed = 0; confirmed < kFrames; ++confirmed) {
      while (handed_over.load(std::memory_order_acquire) == confirmed) std::this_thread::yield();
      inflight.confirmed();  // either of these panics below zero
      credits.release(1, 1);
    }
  });
  for (int sent = 0; sent < kFrames;) {
    Credit credit = credits.try_take(1);
    if (!credit) {
      std::this_thread::yield();
      continue;
    }
    inflight.submitted();
    credit.hand_over();
    handed_over.store(++sent, std::memory_order_release);
  }
  hardware.join();
  EXPECT_EQ(inflight.read().pending, 0);
  EXPECT_EQ(credits.read().total, 0);
}

// Whoever acts on idle reads what every releaser wrote: plain memory, watched by the sanitizer.
TEST(Seed004Threads, C9_WhoFindsAllUnitsHomeSeesWhatWasWrittenBeforeEachRelease) {
  port::LinuxPort port;
  Executor executor(port);
  Credits credits(executor.wakes(), two_interfaces());
  for (int round = 0; round < 500; ++round) {
    std::array<int, 2> status{};
    std::array<std::thread, 2> hardware;
    Credit held[2] = {credits.try_take(0), credits.try_take(1)};
    for (std::size_t i = 0; i < 2; ++i) {
      held[i].hand_over();
      hardware[i] = std::thread([&, i] {
        status[i] = 7;
        credits.release(static_cast<std::uint8_t>(i), 1);
      });
    }
    while (credits.idle().take() == 0) std::this_thread::yield();
    EXPECT_EQ(status[0] + status[1], 14);
    for (std::thread& thread : hardware) thread.join();
  }
}

// --- Power -------------------------------------------------------------------------------------

TEST(Seed004Threads, C13_PoweringDownIsAClaimThatNobodySendsThrough) {
  port::LinuxPort port;
  Executor executor(port);
  Credits credits(executor.wakes(), two_interfaces());
  std::atomic<bool> powered{true};
  std::atomic<bool> done{false};
  std::atomic<int> sent_without_power{0};
  std::atomic<int> slept{0};
  std::thread power([&] {
    while (!done.load()) {
      if (!credits.try_close()) continue;
      powered.store(false);
      std::this_thread::yield();
      powered.store(true);
      ++slept;
      credits.open();
      std::this_thread::yield();
    }
  });
  int sent = 0;
  while (sent < 20'000 || slept.load() < 20) {
    Credit credit = credits.try_take(1);
    if (!credit) continue;
    for (int look = 0; look < 20; ++look) {
      if (!powered.load()) ++sent_without_power;
    }
    ++sent;
  }
  done.store(true);
  power.join();
  EXPECT_EQ(sent_without_power.load(), 0);
  EXPECT_EQ(credits.read().total, 0);
}

// --- Supervision of what is in flight ------------------------------------------------------------

struct Alarms {
  int count = 0;
  static void note(void* self, const Inflight::Snapshot&) { ++static_cast<Alarms*>(self)->count; }
};

// Every order of submitting, confirming and time passing, against what an eye-witness knows.
TEST(Seed004Inflight, C12_NoOrderOfEventsGivesAFalseAlarmOrMissesOne) {
  constexpr int kDepth = 7;
  constexpr Duration kPeriod = milliseconds(100);
  int sequences_with_alarm = 0;
  int total = 1;
  for (int i = 0; i < kDepth; ++i) total *= 3;
  for (int sequence = 0; sequence < total; ++sequence) {
    port::VirtualPort port;
    Executor executor(port);
    Inflight inflight(executor.wakes());
    Alarms alarms;
    TaskSlot<1024> slot;
    inflight.supervise(executor, slot, kPeriod, &Alarms::note, &alarms);
    std::deque<Time> out;  // when each frame in flight was submitted, oldest first
    Time last_confirmed{};
    int alarms_before = 0;
    for (int step = 0, rest = sequence; step < kDepth; ++step, rest /= 3) {
      if (rest % 3 == 0) {
        inflight.submitted();
        out.push_back(port.now());
      } else if (rest % 3 == 1) {
        if (out.empty()) continue;
        inflight.confirmed();
        out.pop_front();
        last_confirmed = port.now();
      } else {
        // 60 ms: the looks fall between the events, and nothing happens during the wait.
        port.run(executor, port.now() + milliseconds(60));
      }
      port.run(executor, port.now() + microseconds(1));
      if (alarms.count == alarms_before) continue;
      alarms_before = alarms.count;
      ++sequences_with_alarm;
      ASSERT_FALSE(out.empty()) << "false alarm in sequence " << sequence;
      const Time since = std::max(out.front(), last_confirmed);
      ASSERT_GE(port.now() - since, kPeriod) << "false alarm in sequence " << sequence;
    }
    if (out.empty()) continue;
    // From here on nothing moves: the alarm comes within two periods.
    alarms_before = alarms.count;
    port.run(executor, port.now() + 2 * kPeriod + microseconds(100));
    ASSERT_GT(alarms.count, alarms_before) << "missed alarm in sequence " << sequence;
    for (; !out.empty(); out.pop_front()) inflight.confirmed();
    port.run(executor, port.now() + 3 * kPeriod);
    EXPECT_EQ(executor.next_deadline(), kNever) << "a monitor with nothing pending";
  }
  EXPECT_GT(sequences_with_alarm, 50);
}

// --- Teardown and direct delivery ----------------------------------------------------------------

Task<> wait_for_idle(Credits& credits, bool& idle) {
  while (credits.read().total != 0) {
    const std::uint32_t edges = co_await credits.idle().next();
    static_cast<void>(edges);
  }
  idle = true;
}

TEST_F(Seed004, C14_TeardownWaitsForTheLastUnitAndLooksAgainAtEachWake) {
  Credits credits(executor_.wakes(), two_interfaces());
  Credit first = credits.try_take(0);
  bool idle = false;
  TaskSlot<512> slot;
  executor_.spawn(slot, "teardown", wait_for_idle, credits, idle);
  port_.run(executor_);
  first.give_back();
  Credit second = credits.try_take(1);  // taken before the waiter ran
  port_.run(executor_);
  EXPECT_FALSE(idle);
  second.give_back();
  port_.run(executor_);
  EXPECT_TRUE(idle);
}

TEST_F(Seed004, C15_AFrameIsDeliveredWhereItIsNoticedAndWakesNobodyElse) {
  struct Sink final : rx::FrameSink {
    explicit Sink(Executor& loop) : executor(loop) {}
    void on_frame(const radio::Frame&) noexcept override {
      ++frames;
      resumed_at = executor.resumed_count();
    }
    Executor& executor;
    int frames = 0;
    std::uint64_t resumed_at = 0;
  };
  sim::ScriptedRadio radio(executor_);
  Sink sink(executor_);
  rx::Receiver receiver(executor_, radio, sink);
  receiver.start();
  port_.run(executor_);
  const std::uint64_t before = executor_.resumed_count();
  radio.hear({});
  radio.hear({});
  port_.run(executor_);
  EXPECT_EQ(sink.frames, 2);
  EXPECT_EQ(executor_.resumed_count() - before, 1u);
  EXPECT_EQ(sink.resumed_at - before, 1u);  // in that one resumption itself
  receiver.stop();
}

// --- The radio of the simulation -----------------------------------------------------------------

Task<> send_for_ever(radio::Radio& radio, int& ended) {
  static constexpr std::array<std::uint8_t, 12> kFrame{};
  for (;;) {
    flow::Credit credit = co_await radio.credits().take(0);
    const radio::Right right = co_await radio.right().take();
    const auto done = co_await radio.transmit(right, kFrame, std::move(credit));
    if (done) ++ended;
  }
}

TEST_F(Seed004, TheRadiosBufferComesBackExactlyOnceWhateverIsCancelled) {
  sim::Air air(executor_, 1);
  sim::SimRadio radio(executor_, air);
  SeededRandom random(4);
  int ended = 0;
  int cancelled_on_the_air = 0;
  constexpr std::size_t kSenders = 3;
  std::array<TaskSlot<2048>, kSenders> senders;
  for (auto& sender : senders) executor_.spawn(sender, "sender", send_for_ever, radio, ended);
  for (int i = 0; i < 3000; ++i) {
    port_.run(executor_, port_.now() + milliseconds(random.up_to(400)));
    // What the air has is one unit; a task may hold one that it has not handed over yet.
    ASSERT_LE(radio.credits().read().total, 1);
    if (air.is_radiating(radio.station())) {
      ASSERT_EQ(radio.credits().read().total, 1);
    }
    ASSERT_EQ(radio.in_flight().pending, air.is_radiating(radio.station()) ? 1 : 0);
    auto& sender = senders[random.up_to(kSenders - 1)];
    if (air.is_radiating(radio.station())) ++cancelled_on_the_air;
    sender.cancel();
    executor_.spawn(sender, "sender", send_for_ever, radio, ended);
  }
  for (auto& sender : senders) sender.cancel();
  port_.run(executor_, port_.now() + seconds(5));
  EXPECT_EQ(radio.credits().read().total, 0);
  EXPECT_EQ(radio.in_flight().pending, 0);
  EXPECT_EQ(radio.wedge_count(), 0u);
  EXPECT_GT(cancelled_on_the_air, 100);
  EXPECT_GT(ended, 100);
  EXPECT_GT(air.radiated_count(), static_cast<std::uint64_t>(ended));
}

}  // namespace
}  // namespace chappe::seeds
