#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "chappe/base/crc32.h"
#include "chappe/base/hex.h"
#include "chappe/base/list.h"
#include "chappe/base/pairing_heap.h"
#include "chappe/base/random.h"
#include "chappe/base/result.h"
#include "chappe/base/ring.h"
#include "chappe/base/text.h"

namespace chappe {
namespace {

enum class Trouble { none, deep };

TEST(Result, HoldsAValueOrAnError) {
  Result<int, Trouble> good = 7;
  Result<int, Trouble> bad = Unexpected(Trouble::deep);
  EXPECT_TRUE(good);
  EXPECT_EQ(*good, 7);
  EXPECT_FALSE(bad);
  EXPECT_EQ(bad.error(), Trouble::deep);
  EXPECT_EQ(bad.value_or(9), 9);
}

TEST(Result, MovesWhatItHoldsAndDestroysItOnce) {
  auto counted = std::make_shared<int>(1);
  {
    Result<std::shared_ptr<int>, Trouble> a = counted;
    Result<std::shared_ptr<int>, Trouble> b = std::move(a);
    EXPECT_EQ(counted.use_count(), 2);
    a = Unexpected(Trouble::deep);
    b = a;
    EXPECT_EQ(counted.use_count(), 1);
  }
  EXPECT_EQ(counted.use_count(), 1);
}

TEST(ResultDeathTest, AskingForTheWrongSidePanics) {
  Result<int, Trouble> bad = Unexpected(Trouble::deep);
  EXPECT_DEATH(static_cast<void>(bad.value()), "panic: check failed: has_value_");
}

TEST(Text, CutsWhatDoesNotFitAndSaysSo) {
  Text<8> text;
  text.add("0123456789");
  EXPECT_EQ(text.view(), "01234...");
  Text<40> numbers;
  numbers.add(-5).add(' ').add(std::numeric_limits<std::int64_t>::min()).add(' ').add_hex(255u);
  EXPECT_EQ(numbers.view(), "-5 -9223372036854775808 ff");
}

TEST(Hex, ReadsPairsAndRefusesTheRest) {
  std::array<std::uint8_t, 2> out{};
  EXPECT_EQ(from_hex("aB01", out), 2u);
  EXPECT_EQ(out[0], 0xab);
  EXPECT_FALSE(from_hex("abc", out));
  EXPECT_FALSE(from_hex("ag", out));
  EXPECT_FALSE(from_hex("aabbcc", out));
}

struct Item : ListNode {
  explicit Item(int n) : number(n) {}
  int number;
};

TEST(List, IsFirstInFirstOutAndForgetsWhatIsGone) {
  List<Item> list;
  Item one{1};
  Item three{3};
  {
    Item two{2};
    list.push_back(one);
    list.push_back(two);
    list.push_back(three);
  }
  EXPECT_EQ(list.pop_front()->number, 1);
  EXPECT_EQ(list.pop_front()->number, 3);
  EXPECT_EQ(list.pop_front(), nullptr);
}

TEST(List, SplicesInOrderAndLeavesTheOtherEmpty) {
  List<Item> a;
  List<Item> b;
  Item one{1};
  Item two{2};
  Item three{3};
  a.push_back(one);
  b.push_back(two);
  b.push_back(three);
  a.splice_back(b);
  EXPECT_TRUE(b.empty());
  std::string order;
  a.for_each([&](Item& item) { order += std::to_string(item.number); });
  EXPECT_EQ(order, "123");
}

TEST(ListDeathTest, ListingTwicePanics) {
  List<Item> list;
  Item one{1};
  list.push_back(one);
  EXPECT_DEATH(list.push_back(one), "linked");
}

struct Job : HeapNode {
  int due = 0;
  int order = 0;
};
struct Earlier {
  bool operator()(const Job& a, const Job& b) const {
    return a.due != b.due ? a.due < b.due : a.order < b.order;
  }
};

TEST(PairingHeap, PopsInOrderUnderRandomPushesAndRemovals) {
  SeededRandom random{42};
  std::vector<Job> jobs(500);
  PairingHeap<Job, Earlier> heap;
  for (int round = 0; round < 20000; ++round) {
    Job& job = jobs[random.up_to(499)];
    if (job.queued()) {
      heap.remove(job);
    } else {
      job.due = static_cast<int>(random.up_to(50));
      job.order = round;
      heap.push(job);
    }
    if (random.up_to(7) == 0 && !heap.empty()) {
      const Job* least = nullptr;
      for (const Job& other : jobs) {
        if (other.queued() && (least == nullptr || Earlier{}(other, *least))) least = &other;
      }
      ASSERT_EQ(heap.pop(), least);
    }
  }
  int last = -1;
  while (Job* job = heap.pop()) {
    ASSERT_LE(last, job->due);
    last = job->due;
  }
}

TEST(Ring, KeepsOrderAcrossItsEdge) {
  Ring<int, 3> ring;
  for (int n = 0; n < 10; ++n) {
    EXPECT_TRUE(ring.try_push(n));
    EXPECT_TRUE(ring.try_push(n + 100));
    EXPECT_EQ(ring.pop(), n);
    EXPECT_EQ(ring[0], n + 100);
    EXPECT_EQ(ring.pop(), n + 100);
  }
  EXPECT_TRUE(ring.empty());
  EXPECT_TRUE(ring.try_push(1) && ring.try_push(2) && ring.try_push(3));
  EXPECT_FALSE(ring.try_push(4));
}

TEST(Crc32, IsTheOneOfZip) {
  const std::string_view digits = "123456789";
  const Bytes bytes(reinterpret_cast<const std::uint8_t*>(digits.data()), digits.size());
  EXPECT_EQ(crc32(bytes), 0xcbf43926u);  // the check value of its catalogue entry
}

}  // namespace
}  // namespace chappe
