#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <set>

#include "chappe/explore/search.h"
#include "chappe/explore/world.h"

namespace chappe::explore {
namespace {

constexpr auto kRelaxed = MemoryOrder::relaxed;
constexpr auto kAcquire = MemoryOrder::acquire;
constexpr auto kRelease = MemoryOrder::release;

// A row of interrupts, masking, sleeping or time: two words, two registers, and what came out.
struct Row {
  Cell x;
  Cell y;
  std::uint64_t a = 99;
  std::uint64_t b = 99;

  void reset() {
    x = y = Cell{};
    a = b = 99;
  }
};

struct Result {
  std::uint64_t executions = 0;
  std::uint64_t abandoned = 0;
  bool asked = false;
  bool asleep = false;
  bool race = false;
};

using Build = std::function<void(World&, Row&)>;
using Question = std::function<bool(World&, Row&)>;

Result run(const Build& build, const Question& question) {
  static World world;
  struct Setup {
    const Build& build;
    Row row;
  } setup{build, {}};
  world.go_on_after_races();
  world.go_on_asleep();
  Result result;
  Search search;
  do {
    world.run(
        [](World& x, void* argument) {
          auto& one = *static_cast<Setup*>(argument);
          one.row.reset();
          one.build(x, one.row);
        },
        &setup,
        search);
    EXPECT_EQ(world.failure(), Failure::none) << world.words();
    if (world.failure() != Failure::none) break;
    result.race |= world.race_seen();
    if (!world.complete()) continue;
    result.asked |= question(world, setup.row);
    result.asleep |= world.asleep_seen();
  } while (search.advance(world));
  result.executions = search.counts().complete;
  result.abandoned = search.counts().abandoned;
  return result;
}

// What stands in most rows.
void write_both(World& w, Row& r) {
  w.store(r.x, 1, kRelaxed);
  w.store(r.y, 1, kRelaxed);
}
void read_y_x(World& w, Row& r) {
  r.a = w.load(r.y, kRelaxed);
  r.b = w.load(r.x, kRelaxed);
}
void read_x_y(World& w, Row& r) {
  r.a = w.load(r.x, kRelaxed);
  r.b = w.load(r.y, kRelaxed);
}
bool one_zero(World&, Row& r) {
  return r.a == 1 && r.b == 0;
}
std::uint64_t final_value(World& w, Cell& cell) {
  return w.newest_value(cell.word);
}
bool nothing(World&, Row&) {
  return false;
}

void add_by_load_and_store(World& w, Cell& cell) {
  w.store(cell, w.load(cell, kRelaxed) + 1, kRelaxed);
}

TEST(Interrupts, INT_1_OneCoreSeesItsProgramOrder) {
  const Result result = run(
      [](World& w, Row& r) {
        w.task("T", [&] { write_both(w, r); });
        w.interrupt("I1", 1, [&] { read_y_x(w, r); });
      },
      one_zero);
  EXPECT_FALSE(result.asked);
  EXPECT_EQ(result.executions, 3u);
}

TEST(Interrupts, INT_2_AHandlerRunsToItsEnd) {
  const Result result = run(
      [](World& w, Row& r) {
        w.task("T", [&] { read_x_y(w, r); });
        w.interrupt("I1", 1, [&] { write_both(w, r); });
      },
      one_zero);
  EXPECT_FALSE(result.asked);
  EXPECT_EQ(result.executions, 3u);
}

TEST(Interrupts, INT_2x_AnotherCoreIsNotStopped) {
  const Result result = run(
      [](World& w, Row& r) {
        w.interrupt("I1", 1, [&] { write_both(w, r); });
        w.task("T", [&] { read_x_y(w, r); }, 1);
      },
      one_zero);
  EXPECT_TRUE(result.asked);
  EXPECT_EQ(result.executions, 4u);
}

TEST(Interrupts, INT_3_AMaskedSectionIsOneStepForAHandler) {
  const Result result = run(
      [](World& w, Row& r) {
        w.task("T", [&] {
          w.mask();
          write_both(w, r);
          w.unmask();
        });
        w.interrupt("I1", 1, [&] { read_x_y(w, r); });
      },
      one_zero);
  EXPECT_FALSE(result.asked);
  EXPECT_EQ(result.executions, 2u);
}

TEST(Interrupts, INT_3x_AHandlerComesBetweenTwoStores) {
  const Result result = run(
      [](World& w, Row& r) {
        w.task("T", [&] { write_both(w, r); });
        w.interrupt("I1", 1, [&] { read_x_y(w, r); });
      },
      one_zero);
  EXPECT_TRUE(result.asked);
  EXPECT_EQ(result.executions, 3u);
}

TEST(Interrupts, INT_4_ALowOneNeverSeesAHighOneHalfDone) {
  EXPECT_FALSE(run(
                   [](World& w, Row& r) {
                     w.interrupt("I2", 2, [&] { write_both(w, r); });
                     w.interrupt("I1", 1, [&] { read_x_y(w, r); });
                   },
                   one_zero)
                   .asked);
}

TEST(Interrupts, INT_5_AHighOneComesInTheMiddleOfALowOne) {
  EXPECT_TRUE(run(
                  [](World& w, Row& r) {
                    w.interrupt("I1", 1, [&] { write_both(w, r); });
                    w.interrupt("I2", 2, [&] { read_x_y(w, r); });
                  },
                  one_zero)
                  .asked);
}

TEST(Interrupts, INT_6_AnInterruptLosesAnUpdateMadeByLoadAndStore) {
  const Result result = run(
      [](World& w, Row& r) {
        w.task("T", [&] { add_by_load_and_store(w, r.x); });
        w.interrupt("I1", 1, [&] { add_by_load_and_store(w, r.x); });
      },
      [](World& w, Row& r) { return final_value(w, r.x) == 1; });
  EXPECT_TRUE(result.asked);
  EXPECT_EQ(result.executions, 3u);
}

TEST(Interrupts, INT_6m_MaskedItLosesNone) {
  const Result result = run(
      [](World& w, Row& r) {
        w.task("T", [&] {
          w.mask();
          add_by_load_and_store(w, r.x);
          w.unmask();
        });
        w.interrupt("I1", 1, [&] { add_by_load_and_store(w, r.x); });
      },
      [](World& w, Row& r) { return final_value(w, r.x) == 1; });
  EXPECT_FALSE(result.asked);
  EXPECT_EQ(result.executions, 2u);
}

TEST(Interrupts, INT_7_InsideOneCoreNoStoreIsBuffered) {
  const Result result = run(
      [](World& w, Row& r) {
        w.task("T", [&] {
          w.store(r.x, 1, kRelaxed);
          r.a = w.load(r.y, kRelaxed);
        });
        w.interrupt("I1", 1, [&] {
          w.store(r.y, 1, kRelaxed);
          r.b = w.load(r.x, kRelaxed);
        });
      },
      [](World&, Row& r) { return r.a == 0 && r.b == 0; });
  EXPECT_FALSE(result.asked);
  EXPECT_EQ(result.executions, 3u);
}

TEST(Interrupts, OfSixteenHostStepsAndFourOfAHandlerThereAreSeventeenExecutions) {
  EXPECT_EQ(run(
                [](World& w, Row& r) {
                  w.task("T", [&] {
                    for (int i = 0; i < 16; ++i) w.store(r.x, 1, kRelaxed);
                  });
                  w.interrupt("I1", 1, [&] {
                    for (int i = 0; i < 4; ++i) w.store(r.x, 2, kRelaxed);
                  });
                },
                nothing)
                .executions,
            17u);
}

TEST(Interrupts, OneThatIsRaisedTwiceRunsTwice) {
  const Result result = run(
      [](World& w, Row& r) {
        w.task("T", [&] { w.store(r.y, 1, kRelaxed); });
        w.interrupt("I1", 1, [&] { add_by_load_and_store(w, r.x); }, times(2));
      },
      [](World& w, Row& r) { return final_value(w, r.x) != 2; });
  EXPECT_FALSE(result.asked);
  EXPECT_EQ(result.executions, 3u);
}

void check_then_sleep(World& w, Row& r, bool masked) {
  w.task("T", [&w, &r, masked] {
    if (masked) w.mask();
    if (w.load(r.x, kAcquire) == 0) w.wait_for_interrupt();
    if (masked) w.unmask();
  });
  w.interrupt("I1", 1, [&w, &r] { w.store(r.x, 1, kRelease); });
}

TEST(Sleeping, INT_9_CheckedAndThenAsleepUnmaskedItMaySleepForEver) {
  EXPECT_TRUE(run([](World& w, Row& r) { check_then_sleep(w, r, false); }, nothing).asleep);
}

TEST(Sleeping, INT_9m_CheckedMaskedItWakesOnWhatIsPending) {
  EXPECT_FALSE(run([](World& w, Row& r) { check_then_sleep(w, r, true); }, nothing).asleep);
}

TEST(Sleeping, PARK_1_ATokenGivenEarlyIsKept) {
  EXPECT_FALSE(run(
                   [](World& w, Row&) {
                     const std::uint8_t token = w.declare_shared("token", 0);
                     w.worker("T1", [&w, token] { w.unpark(token); });
                     w.worker("T2", [&w, token] { w.park(token); });
                   },
                   nothing)
                   .asleep);
}

void two_words(World& w, Row& r, bool announces_first) {
  const std::uint8_t token = w.declare_shared("token", 0);
  w.worker("T1", [&w, &r, token] {
    w.store(r.x, 1, kRelease);
    if (w.load(r.y, kAcquire) == 1) w.unpark(token);
  });
  w.worker("T2", [&w, &r, token, announces_first] {
    if (announces_first) w.store(r.y, 1, kRelease);
    if (w.load(r.x, kAcquire) != 0) return;
    if (!announces_first) w.store(r.y, 1, kRelease);
    w.park(token);
  });
}

TEST(Sleeping, PARK_2_CheckedBeforeItIsAnnouncedItMaySleepForEver) {
  EXPECT_TRUE(run([](World& w, Row& r) { two_words(w, r, false); }, nothing).asleep);
}

TEST(Sleeping, PARK_3_TwoWordsInAcquireAndReleaseAreNotEnough) {
  EXPECT_TRUE(run([](World& w, Row& r) { two_words(w, r, true); }, nothing).asleep);
}

// "One core sees its program order" is no order for plain data: another compiler may exchange them.
TEST(Races, PlainDataSharedWithAnInterruptIsARaceUnlessMaskedOrOrderedByAWord) {
  static std::array<PlainRecord, 1> plain;
  const auto with = [](bool masked) {
    return run(
               [masked](World& w, Row&) {
                 plain[0] = PlainRecord{};
                 w.task("T", [&w, masked] {
                   if (masked) w.mask();
                   w.plain_write(plain[0]);
                   if (masked) w.unmask();
                 });
                 w.interrupt("I1", 1, [&w] { w.plain_write(plain[0]); });
               },
               nothing)
        .race;
  };
  EXPECT_TRUE(with(false));
  EXPECT_FALSE(with(true));
}

TEST(Choices, EveryValueIsTriedOnceAndConcernsNobodyElse) {
  std::set<std::uint64_t> values;
  const Result result = run(
      [](World& w, Row& r) {
        w.worker("T1", [&] { r.a = w.choose(3); });
        w.worker("T2", [&] { w.store(r.x, 1, kRelaxed); });
      },
      [&](World&, Row& r) {
        values.insert(r.a);
        return false;
      });
  EXPECT_EQ(values, (std::set<std::uint64_t>{0, 1, 2}));
  EXPECT_EQ(result.executions, 3u);
}

}  // namespace
}  // namespace chappe::explore
