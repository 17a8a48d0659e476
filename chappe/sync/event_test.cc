#include "chappe/sync/event.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "chappe/async/executor.h"
#include "chappe/async/sleep.h"
#include "chappe/port/linux/linux_port.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/sync/irq_edge.h"
#include "chappe/sync/spsc.h"

namespace chappe::sync {
namespace {

using async::Executor;
using async::Task;
using async::TaskSlot;

class EventTest : public testing::Test {
 protected:
  port::VirtualPort port_;
  Executor executor_{port_};
};

Task<> wait_for(Event& event, std::string& order, char name) {
  co_await event.wait();
  order += name;
}

TEST_F(EventTest, LetsEverybodyGoOnWhileItIsSet) {
  Event event(executor_.wakes());
  std::string order;
  TaskSlot<512> slots[3];
  executor_.spawn(slots[0], "a", wait_for, event, order, 'a');
  executor_.spawn(slots[1], "b", wait_for, event, order, 'b');
  port_.run(executor_);
  EXPECT_EQ(order, "");
  event.set();
  event.set();
  port_.run(executor_);
  EXPECT_EQ(order, "ab");
  executor_.spawn(slots[2], "c", wait_for, event, order, 'c');
  port_.run(executor_);
  EXPECT_EQ(order, "abc");
}

TEST_F(EventTest, StopsThemAfterItWasCleared) {
  Event event(executor_.wakes());
  std::string order;
  TaskSlot<512> slot;
  event.set();
  port_.run(executor_);
  event.clear();
  executor_.spawn(slot, "a", wait_for, event, order, 'a');
  port_.run(executor_);
  EXPECT_EQ(order, "");
  EXPECT_FALSE(event.is_set());
}

// The interrupt came after the executor looked and before it cleared.
TEST_F(EventTest, ClearingNeverEatsASetThatWasNotSeen) {
  Event event(executor_.wakes());
  std::string order;
  TaskSlot<512> slot;
  event.set();
  port_.run(executor_);
  event.set();
  event.clear();
  executor_.spawn(slot, "a", wait_for, event, order, 'a');
  port_.run(executor_);
  EXPECT_EQ(order, "a");
}

// --- Spsc ----------------------------------------------------------------------------------------

using Queue = Spsc<int, 4>;

Task<> pop_all(Queue& queue, std::string& order, char name) {
  for (;;) {
    const int item = co_await queue.pop();
    order += name;
    order += static_cast<char>('0' + item);
  }
}

TEST_F(EventTest, AQueueYieldsInOrderAndRefusesWhenFull) {
  Queue queue(executor_.wakes());
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(queue.push(i));
  EXPECT_FALSE(queue.push(9));
  std::string order;
  TaskSlot<512> slot;
  executor_.spawn(slot, "reader", pop_all, queue, order, 'r');
  port_.run(executor_);
  EXPECT_EQ(order, "r0r1r2r3");
  for (int round = 0; round < 3; ++round) EXPECT_TRUE(queue.push(5));
  port_.run(executor_);
  EXPECT_EQ(order, "r0r1r2r3r5r5r5");
  EXPECT_EQ(queue.size(), 0u);
}

TEST_F(EventTest, AnItemWakesOneWaiterAndTheOneWhoCameFirst) {
  Queue queue(executor_.wakes());
  std::string order;
  TaskSlot<512> slots[2];
  executor_.spawn(slots[0], "a", pop_all, queue, order, 'a');
  executor_.spawn(slots[1], "b", pop_all, queue, order, 'b');
  port_.run(executor_);
  const std::uint64_t before = executor_.resumed_count();
  EXPECT_TRUE(queue.push(1));
  port_.run(executor_);
  EXPECT_EQ(executor_.resumed_count() - before, 1u);
  EXPECT_TRUE(queue.push(2));
  EXPECT_TRUE(queue.push(3));
  port_.run(executor_);
  EXPECT_EQ(order, "a1b2a3");
}

TEST_F(EventTest, TheItemOfACancelledWaiterIsTheNextOnes) {
  Queue queue(executor_.wakes());
  std::string order;
  TaskSlot<512> slots[2];
  executor_.spawn(slots[0], "a", pop_all, queue, order, 'a');
  executor_.spawn(slots[1], "b", pop_all, queue, order, 'b');
  port_.run(executor_);
  EXPECT_TRUE(queue.push(1));
  executor_.wakes().drain();  // "a" is woken and has not run
  EXPECT_FALSE(queue.try_pop());
  slots[0].cancel();
  port_.run(executor_);
  EXPECT_EQ(order, "b1");
}

Task<> sum_up(Spsc<std::uint32_t, 64>& queue,
              std::uint32_t most,
              std::uint64_t& sum,
              bool& sorted) {
  for (std::uint32_t i = 0; i < most; ++i) {
    const std::uint32_t item = co_await queue.pop();
    sorted = sorted && item == i;
    sum += item;
  }
  async::this_executor().stop();
}

TEST(SpscThreads, AThreadsItemsArriveCompleteAndInOrder) {
  port::LinuxPort port;
  Executor executor(port);
  Spsc<std::uint32_t, 64> queue(executor.wakes());
  constexpr std::uint32_t kItems = 100'000;
  std::uint64_t sum = 0;
  bool sorted = true;
  TaskSlot<1024> slot;
  executor.spawn(slot, "sum", sum_up, queue, kItems, sum, sorted);
  std::thread producer([&] {
    for (std::uint32_t i = 0; i < kItems; ++i) {
      while (!queue.push(i)) std::this_thread::yield();
    }
  });
  executor.run();
  producer.join();
  EXPECT_TRUE(sorted);
  EXPECT_EQ(sum, std::uint64_t{kItems} * (kItems - 1) / 2);
}

// --- IrqEdge -------------------------------------------------------------------------------------

using Edge = IrqEdge::Edge;

class IrqEdgeTest : public EventTest {
 protected:
  static bool read(void* pin) { return *static_cast<bool*>(pin); }
  void rise() {
    high_ = true;
    line_.rose();
  }
  void fall() {
    high_ = false;
    line_.fell();
  }
  bool high_ = false;
  IrqEdge line_{executor_.wakes(), port_, &read, &high_};
  std::string order_;
};

Task<> next_edge(IrqEdge& line, Edge edge, std::string& order, Time* last) {
  const IrqEdge::Edges edges = co_await line.next(edge);
  order += "r" + std::to_string(edges.rising) + "f" + std::to_string(edges.falling) + " ";
  if (last != nullptr) *last = edges.last;
}

Task<> until(IrqEdge& line, bool high, std::string& order) {
  co_await line.until(high);
  order += high ? "high " : "low ";
}

TEST_F(IrqEdgeTest, CountsEachKindForWhoAsksForItAndStampsTheLast) {
  TaskSlot<512> slots[3];
  Time last{};
  executor_.spawn(slots[0], "rising", next_edge, line_, Edge::rising, order_, &last);
  executor_.spawn(slots[1], "falling", next_edge, line_, Edge::falling, order_, nullptr);
  executor_.spawn(slots[2], "both", next_edge, line_, Edge::both, order_, nullptr);
  port_.run(executor_, at_ms(7));
  rise();
  port_.run(executor_, at_ms(9));
  EXPECT_EQ(order_, "r1f0 r1f0 ");
  EXPECT_EQ(last, at_ms(7));
  for (int i = 0; i < 3; ++i) {
    fall();
    rise();
  }
  port_.run(executor_);
  EXPECT_EQ(order_, "r1f0 r1f0 r0f3 ");
}

TEST_F(IrqEdgeTest, KeepsEdgesThatNobodyWaitsForAlsoManyOfThem) {
  for (int i = 0; i < 70'000; ++i) rise();
  port_.run(executor_, at_ms(5));
  TaskSlot<512> slots[2];
  executor_.spawn(slots[0], "falling", next_edge, line_, Edge::falling, order_, nullptr);
  executor_.spawn(slots[1], "rising", next_edge, line_, Edge::rising, order_, nullptr);
  port_.run(executor_, at_ms(6));
  EXPECT_EQ(order_, "r70000f0 ");
}

TEST_F(IrqEdgeTest, ALevelThatIsThereNeedsNoEdgeAndAPulseIsNoLevel) {
  TaskSlot<512> slots[2];
  executor_.spawn(slots[0], "low", until, line_, false, order_);
  executor_.spawn(slots[1], "high", until, line_, true, order_);
  port_.run(executor_);
  EXPECT_EQ(order_, "low ");
  rise();
  fall();  // over before anybody looks
  port_.run(executor_);
  EXPECT_EQ(order_, "low ");
  rise();
  port_.run(executor_);
  EXPECT_EQ(order_, "low high ");
}

TEST_F(IrqEdgeTest, EdgesOfACancelledWaiterAreTheNextOnes) {
  TaskSlot<512> slot;
  executor_.spawn(slot, "rising", next_edge, line_, Edge::rising, order_, nullptr);
  port_.run(executor_);
  rise();
  executor_.wakes().drain();
  slot.cancel();
  executor_.spawn(slot, "rising", next_edge, line_, Edge::rising, order_, nullptr);
  port_.run(executor_);
  EXPECT_EQ(order_, "r1f0 ");
}

// --- A counter that is full ----------------------------------------------------------------------

struct Counter : WakeSource {
  explicit Counter(WakeList& list) : WakeSource(list, &deliver) {}
  ~Counter() { drain(); }
  using WakeSource::add_bits;
  using WakeSource::add_one;
  static void deliver(WakeSource& self, std::uint32_t word) noexcept {
    static_cast<Counter&>(self).delivered = word;
    ++static_cast<Counter&>(self).deliveries;
  }
  std::uint32_t delivered = 0;
  int deliveries = 0;
};

// Two thousand million sets while the executor is stuck: it must not wrap to 0, "in no list".
TEST_F(EventTest, ACounterThatIsFullStaysFullAndIsDeliveredOnce) {
  Counter counter(executor_.wakes());
  counter.add_bits(0x7fffffff);
  for (int i = 0; i < 1000; ++i) counter.add_one();
  executor_.wakes().drain();
  EXPECT_EQ(counter.delivered, 0x80000000u);
  EXPECT_EQ(counter.deliveries, 1);
  counter.add_one();
  executor_.wakes().drain();
  EXPECT_EQ(counter.delivered, 1u);
}

}  // namespace
}  // namespace chappe::sync
