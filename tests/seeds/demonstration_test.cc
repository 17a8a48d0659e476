#include "tests/seeds/demonstration.h"

#include <gtest/gtest.h>

namespace chappe::seeds {
namespace {

void expect_shown(const Demonstration& shown) {
  EXPECT_TRUE(shown.naive_has_the_bug) << shown.naive;
  EXPECT_TRUE(shown.chappe_is_clean) << shown.chappe;
}

TEST(Demonstration, TransmitSerialisation) {
  expect_shown(demonstrate_000());
}
TEST(Demonstration, LockingThatCannotFail) {
  expect_shown(demonstrate_001());
}
TEST(Demonstration, EventsThreads) {
  expect_shown(demonstrate_002());
}
TEST(Demonstration, NotificationsWithoutNoise) {
  expect_shown(demonstrate_003());
}
TEST(Demonstration, ExactAccountingThreads) {
  expect_shown(demonstrate_004());
}

}  // namespace
}  // namespace chappe::seeds
