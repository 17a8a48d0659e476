#include "chappe/sync/heartbeat.h"

#include <gtest/gtest.h>

namespace chappe::sync {
namespace {

TEST(Heartbeat, AnExecutorThatComesRoundLooksDifferentEachTime) {
  Heartbeat heart;
  EXPECT_FALSE(heart.look().works());
  EXPECT_FALSE(heart.wake());
  const auto first = heart.look();
  EXPECT_TRUE(first.works());
  EXPECT_EQ(heart.look(), first) << "nothing happened";
  heart.beat();
  const auto second = heart.look();
  EXPECT_FALSE(second == first);
  heart.rest();
  EXPECT_FALSE(heart.look().works());
  EXPECT_FALSE(heart.wake());
  EXPECT_FALSE(heart.look() == second) << "a sleep between two looks is no silence";
}

TEST(Heartbeat, AParkedWatchdogIsWokenByTheNextWakeAndByThatAlone) {
  Heartbeat heart;
  EXPECT_FALSE(heart.wake());
  EXPECT_FALSE(heart.park(heart.look())) << "there is something to watch";
  heart.rest();
  EXPECT_TRUE(heart.park(heart.look()));
  EXPECT_TRUE(heart.wake());
  heart.rest();
  EXPECT_FALSE(heart.wake()) << "it was told already";
}

TEST(Heartbeat, AWatchdogDoesNotParkWhenTheExecutorHasJustComeBack) {
  Heartbeat heart;
  heart.rest();
  const auto asleep = heart.look();
  EXPECT_FALSE(heart.wake());
  EXPECT_FALSE(heart.park(asleep));
}

}  // namespace
}  // namespace chappe::sync
