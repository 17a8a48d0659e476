#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "chappe/async/sleep.h"
#include "chappe/base/random.h"
#include "chappe/flow/credits.h"
#include "chappe/flow/gate.h"
#include "chappe/flow/inflight.h"
#include "chappe/flow/notifier.h"
#include "chappe/port/linux/linux_port.h"
#include "chappe/port/virtual/virtual_port.h"

namespace chappe::flow {
namespace {

using async::Executor;
using async::Task;
using async::TaskSlot;

class FlowTest : public testing::Test {
 protected:
  port::VirtualPort port_;
  Executor executor_{port_};
};

// --- Gate ----------------------------------------------------------------------------------------

TEST(Gate, OwesExactlyOncePerRefusal) {
  Gate gate;
  EXPECT_FALSE(gate.give(1));  // nobody asked
  EXPECT_TRUE(gate.take());
  EXPECT_FALSE(gate.take());
  EXPECT_FALSE(gate.take());  // two refusals in a row are one debt
  EXPECT_TRUE(gate.give(2));
  EXPECT_FALSE(gate.give(1));
  EXPECT_EQ(gate.amount(), 3u);
}

TEST(Gate, AGrantedTakeEndsTheDebt) {
  Gate gate;
  EXPECT_FALSE(gate.take());
  EXPECT_TRUE(gate.give(1));
  EXPECT_TRUE(gate.take());
  EXPECT_FALSE(gate.owes());
}

TEST(Gate, ResetForgetsAmountAndDebt) {
  Gate gate;
  EXPECT_FALSE(gate.take());
  gate.reset();
  EXPECT_FALSE(gate.give(1));
}

TEST(Gate, GivingNothingPaysNoDebt) {
  Gate gate;
  EXPECT_FALSE(gate.take());
  EXPECT_FALSE(gate.give(0));
  EXPECT_TRUE(gate.owes());
  EXPECT_TRUE(gate.give(1));
}

TEST(Gate, GivingTooMuchStaysFull) {
  Gate gate;
  EXPECT_FALSE(gate.give(5));
  EXPECT_FALSE(gate.give(0xffffffff));
  EXPECT_EQ(gate.amount(), 0x7fffffffu);
  EXPECT_TRUE(gate.take());
}

TEST(GateThreads, EveryUnitIsTakenOnceAndPaymentsNeverExceedRefusals) {
  Gate gate;
  constexpr std::uint32_t kUnits = 50'000;
  std::uint64_t payments[2] = {0, 0};
  std::vector<std::thread> givers;
  for (auto& paid : payments) {
    givers.emplace_back([&gate, &paid] {
      for (std::uint32_t i = 0; i < kUnits; ++i) paid += gate.give(1) ? 1 : 0;
    });
  }
  std::uint64_t taken = 0;
  std::uint64_t refused = 0;
  while (taken < 2 * kUnits) {
    if (gate.take()) {
      ++taken;
    } else {
      ++refused;
      std::this_thread::yield();
    }
  }
  for (std::thread& giver : givers) giver.join();
  EXPECT_FALSE(gate.take());
  EXPECT_LE(payments[0] + payments[1], refused);
}

// --- Credits -------------------------------------------------------------------------------------

Credits::Limits two_lanes() {
  Credits::Limits limits;
  limits.total = 3;
  limits.lane_max = {3, 2, 0, 0};
  limits.kept_free = {1, 0, 0, 0};  // lane 0 leaves one unit for lane 1
  return limits;
}

TEST_F(FlowTest, CreditsKeepTotalAndLanesTogether) {
  Credits credits(executor_.wakes(), two_lanes());
  Credit a = credits.try_take(0);
  Credit b = credits.try_take(0);
  EXPECT_TRUE(a && b);
  EXPECT_FALSE(credits.try_take(0));  // the last unit is kept for lane 1
  Credit c = credits.try_take(1);
  EXPECT_TRUE(c);
  const auto all = credits.read();
  EXPECT_EQ(all.total, 3);
  EXPECT_EQ(all.used[0], 2);
  EXPECT_EQ(all.used[1], 1);
  EXPECT_TRUE(all.wanted[0]);
}

TEST_F(FlowTest, RoomAgainIsSignalledOncePerRefusalAndOnlyToWhoCanProceed) {
  Credits credits(executor_.wakes(), two_lanes());
  Credit a = credits.try_take(0);
  Credit b = credits.try_take(0);
  Credit c = credits.try_take(1);
  EXPECT_FALSE(credits.try_take(0));
  c.give_back();  // lane 0 still may not: one unit has to stay free
  EXPECT_EQ(credits.room(0).take(), 0u);
  b.give_back();
  EXPECT_EQ(credits.room(0).take(), 1u);
  a.give_back();
  EXPECT_EQ(credits.room(0).take(), 0u);
  EXPECT_EQ(credits.room(1).take(), 0u);  // never refused, never woken
  EXPECT_EQ(credits.idle().take(), 1u);
}

TEST_F(FlowTest, TheIdleEdgeFiresOncePerReturnToZero) {
  Credits credits(executor_.wakes(), two_lanes());
  for (int i = 0; i < 3; ++i) {
    Credit a = credits.try_take(0);
    Credit b = credits.try_take(1);
  }
  EXPECT_EQ(credits.idle().take(), 3u);
}

using FlowDeathTest = FlowTest;
TEST_F(FlowDeathTest, UnderflowNamesLaneAndNumbers) {
  Credits credits(executor_.wakes(), two_lanes());
  Credit held = credits.try_take(1);
  EXPECT_DEATH(credits.release(1, 2), "credits: underflow: lane 1 releases 2 and uses 1");
}

TEST_F(FlowDeathTest, DestroyedWithAUnitOutNamesTheLane) {
  std::optional<Credits> credits(std::in_place, executor_.wakes(), two_lanes());
  Credit held = credits->try_take(1);
  EXPECT_DEATH(credits.reset(), "credits: destroyed while lane 1 uses 1");
}

TEST_F(FlowDeathTest, OpeningWhatNobodyClosedPanics) {
  Credits credits(executor_.wakes(), two_lanes());
  EXPECT_DEATH(credits.open(), "credits: opened, and nobody had closed them");
}

TEST_F(FlowTest, WhoIsRefusedAndOwedKeepsThemFromClosing) {
  Credits credits(executor_.wakes(), two_lanes());
  {
    Credit a = credits.try_take(1);
    Credit b = credits.try_take(1);
    EXPECT_FALSE(credits.try_take(1));
    EXPECT_FALSE(credits.try_close());
  }
  EXPECT_TRUE(credits.try_close());  // paid, and nothing is out
  EXPECT_FALSE(credits.try_close());
  credits.open();
}

TEST_F(FlowTest, ClosingIsAClaimAndOpeningPaysWhoWasRefused) {
  Credits credits(executor_.wakes(), two_lanes());
  {
    Credit held = credits.try_take(0);
    EXPECT_FALSE(credits.try_close());
  }
  EXPECT_TRUE(credits.try_close());
  EXPECT_FALSE(credits.try_take(1));
  EXPECT_TRUE(credits.read().closed);
  credits.open();
  EXPECT_EQ(credits.room(1).take(), 1u);
  EXPECT_TRUE(credits.try_take(1));
}

Task<> use_credit(Executor& executor, Credits& credits, std::vector<int>& order, int name) {
  const Credit credit = co_await credits.take(1);
  order.push_back(name);
  co_await async::sleep_for(executor, milliseconds(10));
}

TEST_F(FlowTest, WaitersAreServedInTheOrderInWhichTheyCame) {
  Credits credits(executor_.wakes(), two_lanes());
  std::vector<int> order;
  TaskSlot<2048> slots[6];
  for (int i = 0; i < 6; ++i) {
    executor_.spawn(slots[i], "user", use_credit, executor_, credits, order, i);
  }
  port_.run(executor_);
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(credits.read().total, 0);
}

// The driver's bug that started it: one thread takes, another confirms.
TEST(CreditsThreads, TakingAndConfirmingOnTwoThreadsLosesNothing) {
  port::LinuxPort port;
  Executor executor(port);
  Credits::Limits limits;
  limits.total = 8;
  limits.lane_max = {8, 8, 0, 0};
  Credits credits(executor.wakes(), limits);
  constexpr int kFrames = 100'000;
  std::atomic<int> out{0};
  std::thread confirmer([&] {
    for (int done = 0; done < kFrames;) {
      if (out.load(std::memory_order_acquire) > done) {
        credits.release(static_cast<std::uint8_t>(done % 2), 1);
        ++done;
      }
    }
  });
  for (int sent = 0; sent < kFrames;) {
    Credit credit = credits.try_take(static_cast<std::uint8_t>(sent % 2));
    if (!credit) {
      std::this_thread::yield();
      continue;
    }
    credit.hand_over();
    out.store(++sent, std::memory_order_release);
  }
  confirmer.join();
  EXPECT_EQ(credits.read().total, 0);
  EXPECT_GE(credits.idle().take(), 1u);
}

// --- Inflight ------------------------------------------------------------------------------------

struct Wedges {
  int count = 0;
  Time last{};
  port::VirtualPort* port = nullptr;
  static void note(void* self, const Inflight::Snapshot&) {
    auto& wedges = *static_cast<Wedges*>(self);
    ++wedges.count;
    wedges.last = wedges.port->now();
  }
};

class InflightTest : public FlowTest {
 protected:
  void start() {
    inflight_.supervise(executor_, slot_, milliseconds(100), &Wedges::note, &wedges_);
  }
  void run_to(int ms) { port_.run(executor_, at_ms(ms)); }

  Inflight inflight_{executor_.wakes()};
  Wedges wedges_{0, {}, &port_};
  TaskSlot<1024> slot_;
};

TEST_F(InflightTest, AFrameThatNeverComesBackIsReportedWithinTwoPeriods) {
  start();
  run_to(30);
  inflight_.submitted();
  run_to(129);
  EXPECT_EQ(wedges_.count, 0);
  run_to(231);
  EXPECT_GE(wedges_.count, 1);
  EXPECT_LE(wedges_.last, at_ms(230));
}

TEST_F(InflightTest, TrafficThatMovesIsNeverAWedge) {
  start();
  for (int ms = 1; ms < 2000; ms += 60) {
    inflight_.submitted();
    inflight_.submitted();
    run_to(ms);
    inflight_.confirmed();
    run_to(ms + 55);
    inflight_.confirmed();
  }
  EXPECT_EQ(wedges_.count, 0);
}

// Submitted, confirmed, submitted again: the second frame must not inherit the first one's age.
TEST_F(InflightTest, AConfirmationBetweenTwoLooksClearsTheSuspicion) {
  start();
  inflight_.submitted();
  run_to(90);
  inflight_.confirmed();
  inflight_.submitted();
  run_to(110);
  EXPECT_EQ(wedges_.count, 0);
  run_to(150);
  inflight_.confirmed();
  run_to(1000);
  EXPECT_EQ(wedges_.count, 0);
}

// However many come home in one period, with the next one always out at the look.
TEST_F(InflightTest, ManyConfirmationsBetweenTwoLooksAreNoWedge) {
  start();
  inflight_.submitted();
  run_to(1);
  for (std::uint32_t bits = 1; bits < 16; ++bits) {
    for (std::uint32_t i = 0; i < 1u << bits; ++i) {
      inflight_.confirmed();
      inflight_.submitted();
    }
    run_to(static_cast<int>(bits) * 100 + 5);
    EXPECT_EQ(wedges_.count, 0) << "after " << (1u << bits) << " confirmations";
  }
}

TEST_F(InflightTest, WithNothingPendingThereIsNoTimer) {
  start();
  inflight_.submitted();
  run_to(10);
  EXPECT_NE(executor_.next_deadline(), kNever);
  inflight_.confirmed();
  run_to(500);
  EXPECT_EQ(executor_.next_deadline(), kNever);
}

// The supervisor was stopped while a frame was out. Nobody will say so again: it must look itself.
TEST_F(InflightTest, StartedAgainItSeesWhatIsOutAlready) {
  start();
  inflight_.submitted();
  run_to(50);
  slot_.cancel();
  start();
  run_to(300);
  EXPECT_GE(wedges_.count, 1);
}

using InflightDeathTest = InflightTest;
TEST_F(InflightDeathTest, AConfirmationTooManyIsReported) {
  EXPECT_DEATH(inflight_.confirmed(), "a confirmation with nothing pending");
}

// --- Notifier ------------------------------------------------------------------------------------

TEST_F(FlowTest, WhoNeverAskedIsNeverWoken) {
  Notifier notifier;
  Subscriber quiet(executor_.wakes());
  notifier.attach(quiet);
  for (int i = 0; i < 100; ++i) notifier.progress(quiet, 0, 1);
  EXPECT_EQ(notifier.posts(), 0u);
  EXPECT_EQ(quiet.wake().take(~0u), 0u);
}

TEST_F(FlowTest, ABurstPostsOncePerRefusal) {
  Notifier notifier;
  Subscriber client(executor_.wakes());
  notifier.attach(client);
  EXPECT_EQ(notifier.want(client, 1), Access::refused);
  for (int i = 0; i < 100; ++i) notifier.progress(client, 1, 1);
  EXPECT_EQ(client.posts(), 1u);
  EXPECT_EQ(client.wake().take(~0u), 2u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(notifier.want(client, 1), Access::granted);
  EXPECT_EQ(notifier.want(client, 1), Access::refused);
}

TEST_F(FlowTest, AClientThatGivesUpGetsItsOneOwedWakeAndThenSilence) {
  Notifier notifier;
  Subscriber client(executor_.wakes());
  notifier.attach(client);
  EXPECT_EQ(notifier.want(client, 0), Access::refused);
  for (int i = 0; i < 50; ++i) notifier.progress(client, 0, 1);
  EXPECT_EQ(notifier.posts(), 1u);
}

TEST_F(FlowTest, ARestartWakesEverybodyExactlyOnce) {
  Notifier notifier;
  Subscriber refused(executor_.wakes());
  Subscriber content(executor_.wakes());
  notifier.attach(refused);
  notifier.attach(content);
  EXPECT_EQ(notifier.want(refused, 0), Access::refused);
  notifier.restarted();
  EXPECT_EQ(refused.wake().take(~0u), Subscriber::kRestarted);
  EXPECT_EQ(content.wake().take(~0u), Subscriber::kRestarted);
  notifier.progress(refused, 0, 1);  // the old debt died with the old generation
  EXPECT_EQ(notifier.posts(), 2u);
  EXPECT_EQ(notifier.want(refused, 0), Access::restarted);  // told once per client
  EXPECT_EQ(notifier.want(refused, 0), Access::granted);
  EXPECT_EQ(notifier.want(content, 0), Access::restarted);
}

TEST_F(FlowTest, TwoRestartsBeforeTheClientRunsMergeIntoOneWake) {
  Notifier notifier;
  Subscriber client(executor_.wakes());
  notifier.attach(client);
  notifier.restarted();
  notifier.restarted();
  EXPECT_EQ(client.wake().take(~0u), Subscriber::kRestarted);
  EXPECT_EQ(notifier.want(client, 0), Access::restarted);
  EXPECT_EQ(notifier.want(client, 0), Access::refused);
}

TEST_F(FlowTest, PostsNeverExceedRefusalsPlusRestarts) {
  SeededRandom random(11);
  Notifier notifier;
  constexpr int kClients = 5;
  Subscriber clients[kClients] = {Subscriber(executor_.wakes()),
                                  Subscriber(executor_.wakes()),
                                  Subscriber(executor_.wakes()),
                                  Subscriber(executor_.wakes()),
                                  Subscriber(executor_.wakes())};
  for (Subscriber& client : clients) notifier.attach(client);
  std::uint64_t restarts = 0;
  for (int i = 0; i < 20'000; ++i) {
    Subscriber& client = clients[random.up_to(kClients - 1)];
    const auto topic = static_cast<std::uint8_t>(random.up_to(3));
    switch (random.up_to(20)) {
      case 0:
        notifier.restarted();
        ++restarts;
        break;
      case 1:
      case 2:
      case 3:
      case 4:
      case 5:
      case 6:
      case 7:
        notifier.progress(client, topic, 1);
        break;
      default:
        static_cast<void>(notifier.want(client, topic));
        break;
    }
    ASSERT_LE(notifier.posts(), notifier.refusals() + restarts * kClients);
  }
  EXPECT_GT(notifier.posts(), 1000u);
}

}  // namespace
}  // namespace chappe::flow
