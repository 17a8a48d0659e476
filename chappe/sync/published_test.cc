#include "chappe/sync/published.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <thread>

namespace chappe::sync {
namespace {

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
