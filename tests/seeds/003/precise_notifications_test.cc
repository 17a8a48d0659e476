// The server that wakes its clients for nothing: the document's bench, its restart, and the rule it
// merged against ours.
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chappe/async/executor.h"
#include "chappe/async/sleep.h"
#include "chappe/base/random.h"
#include "chappe/client/service.h"
#include "chappe/flow/notifier.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/sim/scripted_radio.h"
#include "chappe/tx/ledger.h"
#include "tests/seeds/003/naive_service.h"

namespace chappe::seeds {
namespace {

using async::Executor;
using async::Task;
using async::TaskSlot;
using flow::Access;
using flow::Notifier;
using flow::Subscriber;

const mesh::Identity kOwn{mesh::PublicKey{0x42}, {}};

class Seed003 : public testing::Test {
 protected:
  port::VirtualPort port_;
  Executor executor_{port_};
};

// --- The bench -----------------------------------------------------------------------------------

// A client as the document's: it waits for a notification, looks, and waits again.
Task<> wait_for_anything(client::Session& session, std::vector<std::uint32_t>& wakes) {
  for (;;) {
    const std::uint32_t bits = co_await session.wake().wait(~0u);
    wakes.push_back(bits);
  }
}

TEST_F(Seed003, N15_ABusyHourPostsNothingToClientsThatNeverSendAndARestartExactlyOneEach) {
  constexpr std::size_t kClients = 8;
  SeededRandom random(1);
  sim::ScriptedRadio radio(executor_);
  std::array<tx::Rule, 1> rules{tx::Rule{hours(1), seconds(360)}};
  tx::Ledger ledger(rules);
  node::Repeater repeater(executor_, radio, ledger, random, node::Settings{}, kOwn);
  repeater.start();
  client::Service service(executor_, repeater);
  std::vector<std::unique_ptr<client::Session>> sessions;
  std::array<std::vector<std::uint32_t>, kClients> wakes;
  std::array<TaskSlot<1024>, kClients> slots;
  for (std::size_t i = 0; i < kClients; ++i) {
    sessions.push_back(std::make_unique<client::Session>(service));
    // Half of them listen to everything and are too slow to read any of it.
    if (i % 2 == 0) sessions.back()->subscribe(client::kAllEvents);
    executor_.spawn(slots[i], "client", wait_for_anything, *sessions.back(), wakes[i]);
  }
  const auto an_hour_of_floods = [&] {
    static std::uint8_t high = 0;
    ++high;
    for (int second = 0; second < 3600; second += 3) {
      radio::Frame frame;
      const std::array<std::uint8_t, 10> flood = {0x15,
                                                  1,
                                                  0x99,
                                                  0x11,
                                                  0x22,
                                                  0x33,
                                                  0x44,
                                                  high,
                                                  static_cast<std::uint8_t>(second >> 8),
                                                  static_cast<std::uint8_t>(second)};
      frame.bytes.append(flood);
      frame.snr = Decibels{20};
      radio.hear(frame);
      port_.run(executor_, port_.now() + seconds(3));
    }
  };
  an_hour_of_floods();
  EXPECT_GT(radio.log.size(), 100u);  // it was busy
  EXPECT_EQ(service.notifier().posts(), 0u);
  for (const auto& woken : wakes) EXPECT_TRUE(woken.empty());

  service.restart();
  an_hour_of_floods();
  EXPECT_EQ(service.notifier().posts(), kClients);
  for (const auto& woken : wakes) {
    EXPECT_EQ(woken, std::vector<std::uint32_t>{Subscriber::kRestarted});
  }
  for (auto& slot : slots) slot.cancel();
  sessions.clear();
  repeater.stop();
}

// --- The rule as merged, and ours ----------------------------------------------------------------

struct Tally {
  std::uint64_t refused = 0;
  std::uint64_t abandoned = 0;
  std::uint64_t posts = 0;
  std::uint64_t for_nothing = 0;  // posts to a client that had given up
};

// The same clients on both: most retry when they are told, three in ten give up what was refused
// and try something else later.
template <class Send, class Activity>
Tally live(Send send, Activity activity) {
  SeededRandom random(30);
  Tally tally;
  bool waiting = false;
  for (int i = 0; i < 10'000; ++i) {
    // Now and then a client has some frames to send, more than there is room for.
    if (!waiting && random.up_to(49) == 0) {
      while (!waiting && send()) {
      }
      ++tally.refused;
      waiting = random.up_to(9) >= 3;
      if (!waiting) ++tally.abandoned;
    }
    // Something happens on the network all the time, and sometimes it makes room.
    if (!activity(random.up_to(19) == 0 ? 1u : 0u)) continue;
    ++tally.posts;
    if (!waiting) ++tally.for_nothing;
    if (waiting && send()) waiting = false;
  }
  return tally;
}

TEST_F(Seed003, N3_WhoGivesUpIsToldOnceAndNotUntilItsNextSuccess) {
  NaiveSocket naive;
  const Tally merged = live([&] { return naive.send(); },
                            [&](std::uint32_t room) {
                              naive.room += room;
                              const std::uint64_t before = naive.posts;
                              naive.activity();
                              return naive.posts != before;
                            });
  Notifier notifier;
  Subscriber client(executor_.wakes());
  notifier.attach(client);
  const Tally ours = live([&] { return notifier.want(client, 0) == Access::granted; },
                          [&](std::uint32_t room) {
                            if (room == 0) return false;
                            notifier.progress(client, 0, room);
                            return client.wake().take(~0u) != 0;
                          });
  EXPECT_GT(merged.abandoned, 30u);
  EXPECT_GT(ours.abandoned, 30u);
  EXPECT_LE(ours.posts, ours.refused);
  EXPECT_LE(ours.for_nothing, ours.abandoned);  // the one that was owed
  EXPECT_GT(merged.for_nothing, 10 * merged.abandoned);
}

TEST_F(Seed003, N3_AClientThatGivesUpForGoodIsWokenOnceByUsAndForEverByTheMergedRule) {
  NaiveSocket naive;
  EXPECT_FALSE(naive.send());
  naive.room = 1;
  for (int i = 0; i < 1000; ++i) naive.activity();
  EXPECT_EQ(naive.posts, 1000u);

  Notifier notifier;
  Subscriber client(executor_.wakes());
  notifier.attach(client);
  EXPECT_EQ(notifier.want(client, 0), Access::refused);
  for (int i = 0; i < 1000; ++i) notifier.progress(client, 0, 1);
  EXPECT_EQ(client.posts(), 1u);
}

TEST_F(Seed003, N2_BeingOwedBeginsWithARefusalAndNeverByDefault) {
  Notifier notifier;
  Subscriber client(executor_.wakes());
  notifier.attach(client);
  for (std::uint8_t topic = 0; topic < Subscriber::kTopics; ++topic) {
    notifier.progress(client, topic, 1);
    EXPECT_EQ(notifier.want(client, topic), Access::granted);
    notifier.progress(client, topic, 1);
  }
  EXPECT_EQ(client.posts(), 0u);
  EXPECT_EQ(client.wake().take(~0u), 0u);
}

// --- A second duty -------------------------------------------------------------------------------

constexpr std::uint32_t kDutyBit = 1u << 8;

struct DutyTimer : async::Timer {
  DutyTimer(Executor& loop, sync::Flags& target) : Timer(loop, &fired), flags(target) {}
  static void fired(Timer& self, const async::TimerContext&) {
    static_cast<DutyTimer&>(self).flags.set(kDutyBit);
  }
  sync::Flags& flags;
};

enum class Deadline { absolute, from_each_wake };

Task<> with_a_second_duty(Executor& executor,
                          Notifier& notifier,
                          Subscriber& client,
                          Deadline kind,
                          std::vector<Time>& duties) {
  constexpr Duration kPeriod = milliseconds(500);
  DutyTimer timer(executor, client.wake());
  Time deadline = executor.now() + kPeriod;
  timer.arm(deadline);
  for (;;) {
    const std::uint32_t bits = co_await client.wake().wait(~0u);
    static_cast<void>(bits);
    static_cast<void>(notifier.want(client, 0));
    // On every wake, whatever it was for.
    if (executor.now() >= deadline) {
      duties.push_back(executor.now());
      deadline += kPeriod;
      timer.arm(deadline);
    } else if (kind == Deadline::from_each_wake) {
      deadline = executor.now() + kPeriod;
      timer.arm(deadline);
    }
  }
}

Task<> storm(Executor& executor, Subscriber& client) {
  for (;;) {
    co_await async::sleep_for(executor, milliseconds(1));
    client.wake().set(1);  // wakes of all kinds, also such as nobody owes
  }
}

TEST_F(Seed003, N8_AnAbsoluteDeadlineIsKeptUnderAnyNumberOfWakes) {
  for (const Deadline kind : {Deadline::absolute, Deadline::from_each_wake}) {
    Notifier notifier;
    Subscriber client(executor_.wakes());
    notifier.attach(client);
    std::vector<Time> duties;
    const Time start = port_.now();
    {
      TaskSlot<2048> client_slot;
      TaskSlot<512> storm_slot;
      executor_.spawn(
          client_slot, "client", with_a_second_duty, executor_, notifier, client, kind, duties);
      executor_.spawn(storm_slot, "storm", storm, executor_, client);
      port_.run(executor_, start + seconds(60) + milliseconds(1));
    }
    if (kind == Deadline::from_each_wake) {
      EXPECT_TRUE(duties.empty());  // as it was: the noise pushes the duty out for ever
      continue;
    }
    ASSERT_EQ(duties.size(), 120u);
    for (std::size_t i = 0; i < duties.size(); ++i) {
      EXPECT_EQ(duties[i], start + milliseconds(500) * static_cast<int>(i + 1));
    }
  }
}

// --- Topics, generations -------------------------------------------------------------------------

TEST_F(Seed003, N14_AClogOfOneTopicDoesNotWithholdAnothersWake) {
  Notifier notifier;
  Subscriber client(executor_.wakes());
  notifier.attach(client);
  EXPECT_EQ(notifier.want(client, 0), Access::refused);  // clogged, and stays so
  EXPECT_EQ(notifier.want(client, 1), Access::refused);
  notifier.progress(client, 1, 1);
  EXPECT_EQ(client.wake().take(~0u), 1u << 1);
  EXPECT_EQ(notifier.want(client, 1), Access::granted);
  notifier.progress(client, 0, 1);
  EXPECT_EQ(client.wake().take(~0u), 1u << 0);  // its debt was kept
}

TEST_F(Seed003, N10_WhatAClientOfAnOldGenerationHadIsGoneAndItIsToldBeforeAnythingElse) {
  Notifier notifier;
  Subscriber client(executor_.wakes());
  notifier.attach(client);
  notifier.progress(client, 0, 5);
  notifier.restarted();
  EXPECT_EQ(notifier.want(client, 0), Access::restarted);
  EXPECT_EQ(notifier.want(client, 0), Access::refused);  // not one of the five
}

TEST_F(Seed003, N4_N5_N6_AfterARestartOneWakeEachWithoutALookAtRoomAndThenRealDebtsOnly) {
  Notifier notifier(7);
  Subscriber owed(executor_.wakes());
  Subscriber content(executor_.wakes());
  notifier.attach(owed);
  notifier.attach(content);
  EXPECT_EQ(notifier.want(owed, 2), Access::refused);
  notifier.restarted();
  EXPECT_EQ(notifier.generation(), 8u);
  EXPECT_EQ(notifier.posts(), 2u);
  for (int i = 0; i < 100; ++i) {
    notifier.progress(owed, 2, 1);
    notifier.progress(content, 2, 1);
  }
  EXPECT_EQ(notifier.posts(), 2u);
  EXPECT_EQ(notifier.want(content, 3), Access::restarted);
  EXPECT_EQ(notifier.want(content, 3), Access::refused);
  notifier.progress(content, 3, 1);
  EXPECT_EQ(notifier.posts(), 3u);
}

TEST_F(Seed003, N16_AClientThatDiesTakesItsDebtsAlongAndItsSuccessorStartsClean) {
  Notifier notifier;
  Subscriber other(executor_.wakes());
  notifier.attach(other);
  {
    Subscriber dies(executor_.wakes());
    notifier.attach(dies);
    EXPECT_EQ(notifier.want(dies, 0), Access::refused);
  }
  Subscriber successor(executor_.wakes());
  notifier.attach(successor);
  notifier.progress(successor, 0, 1);
  EXPECT_EQ(successor.posts(), 0u);
  EXPECT_EQ(notifier.want(successor, 0), Access::granted);
  notifier.restarted();
  EXPECT_EQ(notifier.blasts(), 2u);  // the living ones
}

Task<> read_all(client::Session& session, int& read, int& looks_in_vain) {
  std::string line;
  for (;;) {
    while (session.next_event(line) == Access::granted) ++read;
    ++looks_in_vain;
    const std::uint32_t bits = co_await session.wake().wait(~0u);
    static_cast<void>(bits);
  }
}

TEST_F(Seed003, N1_N7_AReaderIsWokenForFramesOnlyAndSpuriousAndMergedWakesDoItNoHarm) {
  SeededRandom random(1);
  sim::ScriptedRadio radio(executor_);
  std::array<tx::Rule, 1> rules{tx::Rule{hours(1), seconds(360)}};
  tx::Ledger ledger(rules);
  node::Repeater repeater(executor_, radio, ledger, random, node::Settings{}, kOwn);
  repeater.start();
  {
    client::Service service(executor_, repeater);
    client::Session session(service);
    session.subscribe(1);  // what is heard
    int read = 0;
    int looks_in_vain = 0;
    TaskSlot<1024> slot;
    executor_.spawn(slot, "reader", read_all, session, read, looks_in_vain);
    port_.run(executor_, port_.now() + milliseconds(1));  // it has looked once, in vain
    constexpr int kFrames = 50;
    constexpr int kSpurious = 10;
    for (int i = 0; i < kFrames; ++i) {
      radio::Frame frame;
      const std::array<std::uint8_t, 9> flood = {
          0x15, 1, 0x99, 0x11, 0x22, 0x33, 0x44, 0x55, static_cast<std::uint8_t>(i)};
      frame.bytes.append(flood);
      frame.snr = Decibels{20};
      radio.hear(frame);
      if (i % 5 == 0) session.wake().set(1);  // for nothing
      port_.run(executor_, port_.now() + seconds(20));
    }
    EXPECT_EQ(read, kFrames);
    // Woken for nothing in the moment when a frame came, it found that by itself and was owed no
    // more: then no post.
    EXPECT_LE(session.subscriber().posts(), static_cast<std::uint64_t>(kFrames));
    EXPECT_GE(session.subscriber().posts(), static_cast<std::uint64_t>(kFrames - kSpurious));
    EXPECT_GE(looks_in_vain, kFrames);
  }
  repeater.stop();
}

}  // namespace
}  // namespace chappe::seeds
