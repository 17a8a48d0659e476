#include "chappe/mesh/link_score.h"

#include <gtest/gtest.h>

namespace chappe::mesh {
namespace {

TEST(LinkScore, IsZeroBelowTheThresholdAndAtShortSymbols) {
  EXPECT_EQ(link_score(8, -10.25F, 20), 0.0F);
  EXPECT_GE(link_score(8, -9.75F, 20), 0.0F);
  EXPECT_EQ(link_score(6, 20.0F, 20), 0.0F);
}

TEST(LinkScore, NeverLeavesZeroToOne) {
  EXPECT_EQ(link_score(12, 30.0F, 0), 1.0F);
  EXPECT_EQ(link_score(8, 5.0F, 256), 0.0F);
}

TEST(ReceiveDelay, IsOffAtBaseZeroAndBelow) {
  EXPECT_EQ(raw_receive_delay_ms(0, 0, 1000), 0);
  EXPECT_EQ(raw_receive_delay_ms(-1, 0, 1000), 0);
}

TEST(ReceiveDelay, HasAFloorAndACap) {
  EXPECT_EQ(applied_receive_delay(-5), Duration::zero());
  EXPECT_EQ(applied_receive_delay(49), Duration::zero());
  EXPECT_EQ(applied_receive_delay(50), milliseconds(50));
  EXPECT_EQ(applied_receive_delay(32'000), milliseconds(32'000));
  EXPECT_EQ(applied_receive_delay(32'001), milliseconds(32'000));
}

}  // namespace
}  // namespace chappe::mesh
