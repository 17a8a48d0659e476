#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <thread>

#include "chappe/sync/channel.h"
#include "chappe/sync/published.h"

namespace chappe::sync {
namespace {

TEST(Channel, KeepsTheOrderAndRefusesWhatItHasNoRoomFor) {
  Channel<int, 4> channel;
  int item = 0;
  EXPECT_FALSE(channel.try_take(item));
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(channel.try_put(i));
  EXPECT_FALSE(channel.try_put(9));
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(channel.try_take(item));
    EXPECT_EQ(item, i);
  }
  EXPECT_FALSE(channel.try_take(item));
  EXPECT_TRUE(channel.try_put(5));
}

// Items larger than any word: a place handed over too early would tear them.
TEST(Channel, HandsWholeItemsFromThreadToThread) {
  using Item = std::array<std::uint32_t, 16>;
  constexpr std::uint32_t kItems = 20'000;
  Channel<Item, 8> channel;
  std::thread producer([&] {
    for (std::uint32_t i = 0; i < kItems; ++i) {
      Item item;
      item.fill(i);
      while (!channel.try_put(item)) std::this_thread::yield();
    }
  });
  for (std::uint32_t i = 0; i < kItems; ++i) {
    Item item;
    while (!channel.try_take(item)) std::this_thread::yield();
    Item expected;
    expected.fill(i);
    ASSERT_EQ(item, expected);
  }
  producer.join();
}

struct Story {
  std::uint64_t first = 0;
  std::uint64_t middle = 0;
  std::uint64_t last = 0;
};

TEST(Published, IsReadAsAWholeWhileItIsWritten) {
  Published<Story> published(Story{1, 2, 3});
  EXPECT_EQ(published.read().last, 3u);
  constexpr std::uint64_t kTimes = 50'000;
  std::thread writer([&] {
    for (std::uint64_t i = 1; i <= kTimes; ++i) published.publish({i, 2 * i, 3 * i});
  });
  std::uint64_t newest = 0;
  while (newest < kTimes) {
    const Story story = published.read();
    ASSERT_EQ(story.middle, 2 * story.first);
    ASSERT_EQ(story.last, 3 * story.first);
    ASSERT_GE(story.first, newest);
    newest = story.first;
  }
  writer.join();
}

}  // namespace
}  // namespace chappe::sync
