#include "chappe/sync/shared_state.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace chappe::sync {
namespace {

constexpr SharedState kCount{.name = "Test::count",
                             .purpose = "how often",
                             .writers = Who::any,
                             .readers = Who::any,
                             .protection = "one word",
                             .orders = Orders::acq_rel | Orders::relaxed};
constexpr SharedState kBox{.name = "Test::box",
                           .purpose = "what is in it",
                           .writers = Who::task,
                           .readers = Who::task,
                           .protection = "ordered by Test::count"};

// What a declaration costs in the product: nothing.
#ifdef NDEBUG
struct Holder;
static_assert(sizeof(SingleWriter<std::uint32_t, kCount, Holder>) == sizeof(std::uint32_t));
static_assert(sizeof(Owned<std::uint32_t, kBox, Holder>) == sizeof(std::uint32_t));
#endif
static_assert(sizeof(SharedWord<std::uint32_t, kCount>) == sizeof(Word<std::uint32_t>));
static_assert(sizeof(OrderedPlain<std::uint32_t, kBox>) == sizeof(std::uint32_t));

class Meter {
 public:
  void count() { beats_.store(By<Meter>(), beats_.load(Order::relaxed) + 1, Order::relaxed); }
  void hand_over() { beats_.hand_over(By<Meter>()); }
  std::uint32_t read() const { return beats_.load(Order::relaxed); }
  int& inside() { return inside_.at(By<Meter>()); }

 private:
  SingleWriter<std::uint32_t, kCount, Meter> beats_{0};
  Owned<int, kBox, Meter> inside_{3};
};

TEST(SharedState, AWordWithADeclarationIsAWord) {
  SharedWord<std::uint32_t, kCount> word{3};
  EXPECT_EQ(word.fetch_add(2, Order::acq_rel), 3u);
  const auto step = word.update([](std::uint32_t now) { return now * 2; }, Order::acq_rel);
  EXPECT_EQ(step.before, 5u);
  EXPECT_EQ(word.load(Order::relaxed), 10u);
  OrderedPlain<int, kBox> box{7};
  box.write(8);
  EXPECT_EQ(box.read(), 8);
}

TEST(SharedState, ItsOneWriterWritesAndAnybodyReads) {
  Meter meter;
  meter.count();
  meter.count();
  EXPECT_EQ(meter.read(), 2u);
  meter.inside() = 4;
  EXPECT_EQ(meter.inside(), 4);
}

// A word of another implementation, as an explorer brings one, is told its declaration.
struct Told {
  void declare(const SharedState& state) { name = state.name; }
  std::string name;
};
struct NotTold {};

TEST(SharedState, AnotherImplementationOfTheWordLearnsItsName) {
  Told told;
  detail::declare(told, kCount);
  EXPECT_EQ(told.name, "Test::count");
  NotTold not_told;
  detail::declare(not_told, kCount);
}

#ifndef NDEBUG
TEST(SharedStateDeathTest, AnUndeclaredOrderPanicsInDebugBuilds) {
  SharedWord<std::uint32_t, kCount> word{0};
  EXPECT_DEATH(word.store(1, Order::release), "kState.allows");
}

TEST(SharedStateDeathTest, ASecondWriterPanicsInDebugBuilds) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        Meter meter;
        meter.count();
        std::thread([&] { meter.count(); }).join();
      },
      "first_ == me");
  EXPECT_DEATH(
      {
        Meter meter;
        meter.inside() = 1;
        std::thread([&] { meter.inside() = 2; }).join();
      },
      "first_ == me");
}

TEST(SharedState, AWriterThatWasHandedOverWritesOnItsNewThread) {
  Meter meter;
  meter.count();
  meter.hand_over();
  std::thread([&] { meter.count(); }).join();
  EXPECT_EQ(meter.read(), 2u);
}
#endif

}  // namespace
}  // namespace chappe::sync
