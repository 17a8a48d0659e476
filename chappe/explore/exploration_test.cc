#include "chappe/explore/exploration.h"

#include <gtest/gtest.h>

namespace chappe::explore {
namespace {

// A flag raised with too weak an order, and what it announces.
struct Box {
  Cell flag;
  PlainRecord data;
};

void announce(World& x, MemoryOrder order) {
  auto& box = x.make<Box>("box");
  x.worker("writer", [&x, &box, order] {
    x.plain_write(box.data);
    x.store(box.flag, 1, order);
  });
  x.worker("reader", [&x, &box] {
    if (x.load(box.flag, MemoryOrder::acquire) == 1) x.plain_read(box.data);
  });
}

CHAPPE_EXPLORE(announced_with_release) {
  announce(x, MemoryOrder::release);
}
CHAPPE_EXPLORE(announced_relaxed) {
  announce(x, MemoryOrder::relaxed);
}
// The reader is first in every execution; who writes after it does not wait for it in order.
CHAPPE_EXPLORE(written_after_it_was_read) {
  auto& box = x.make<Box>("box");
  x.worker("reader", [&] {
    x.plain_read(box.data);
    x.store(box.flag, 1, MemoryOrder::relaxed);
  });
  x.worker("writer", [&] {
    if (x.load(box.flag, MemoryOrder::acquire) == 1) x.plain_write(box.data);
  });
}
CHAPPE_EXPLORE(goes_round_for_ever) {
  auto& box = x.make<Box>("box");
  x.worker("spinner", [&] {
    while (x.load(box.flag, MemoryOrder::relaxed) == 0) {
    }
  });
}

// Lost update: needs two switches, and hides among steps that do not matter.
CHAPPE_EXPLORE(loses_an_update) {
  auto& box = x.make<Box>("box");
  auto& other = x.make<Cell>("other");
  for (const char* const name : {"first", "second"}) {
    x.worker(name, [&] {
      x.store(other, 1, MemoryOrder::relaxed);
      const std::uint64_t seen = x.load(box.flag, MemoryOrder::relaxed);
      x.store(box.flag, seen + 1, MemoryOrder::release);
      x.store(other, 2, MemoryOrder::relaxed);
    });
  }
  x.finally([&] { x.expect(x.load(box.flag, MemoryOrder::relaxed) == 2, "both count"); });
}

const Exploration& test(const char* name) {
  return *Exploration::find(name);
}

TEST(Exploration, WhatIsOrderedPassesCompletely) {
  const Report report = explore(test("announced_with_release"));
  EXPECT_EQ(report.failure, Failure::none);
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(report.executions, 2u);
}

TEST(Exploration, AMissingReleaseIsARaceAfterTwoExecutions) {
  const Report report = explore(test("announced_relaxed"));
  EXPECT_EQ(report.failure, Failure::race);
  EXPECT_LE(report.executions, 2u);
}

TEST(Exploration, AReadThatNothingOrdersBeforeALaterWriteIsARaceToo) {
  const Report report = explore(test("written_after_it_was_read"));
  EXPECT_EQ(report.failure, Failure::race);
  EXPECT_LE(report.executions, 2u);
}

TEST(Exploration, WhoGoesRoundForEverIsFound) {
  EXPECT_EQ(explore(test("goes_round_for_ever")).failure, Failure::no_progress);
}

TEST(Exploration, ARandomWalkFindsTheLostUpdateToo) {
  Options options;
  options.seed = 1;
  options.seconds = 10;
  EXPECT_EQ(explore(test("loses_an_update"), options).failure, Failure::check);
}

TEST(Exploration, ATapeIsShortAndFailsAgainInTheSameWay) {
  const Report report = explore(test("loses_an_update"));
  ASSERT_EQ(report.failure, Failure::check);
  EXPECT_LE(report.tape.switches(), 2u) << report.tape.choices();

  Tape read;
  std::string mistake;
  ASSERT_TRUE(parse_tape(report.tape.text(), read, mistake)) << mistake;
  EXPECT_EQ(read.test, "loses_an_update");
  const Report again = replay(test("loses_an_update"), read);
  EXPECT_EQ(again.failure, Failure::check);
  EXPECT_EQ(again.words, report.words);

  Tape choices;
  ASSERT_TRUE(parse_tape(report.tape.choices(), choices, mistake)) << mistake;
  EXPECT_EQ(replay(test("loses_an_update"), choices).failure, Failure::check);
  EXPECT_NE(picture(test("loses_an_update"), read, 30).find("both count"), std::string::npos);
}

TEST(Exploration, ATapeThatDoesNotFitSaysWhere) {
  Tape tape;
  std::string mistake;
  ASSERT_TRUE(
      parse_tape("chappe-tape 1  test=announced_relaxed  model=0  steps=2\nA1 B1\n"
                 "A store box\nB update box\n",
                 tape,
                 mistake));
  const Report report = replay(test("announced_relaxed"), tape);
  EXPECT_EQ(report.failure, Failure::diverged);
  EXPECT_EQ(report.words, "diverged at step 2: expected B update box, got load box");
}

TEST(Exploration, WhatIsNoTapeIsTold) {
  Tape tape;
  std::string mistake;
  EXPECT_FALSE(parse_tape("A3 Z1", tape, mistake));
  EXPECT_EQ(mistake, "no context is called 'Z'");
  EXPECT_FALSE(parse_tape("chappe-tape 2 \nA1\n", tape, mistake));
  EXPECT_EQ(mistake, "version 1 expected");
}

}  // namespace
}  // namespace chappe::explore
