#include "chappe/tx/bucket.h"

#include <gtest/gtest.h>

#include "chappe/port/virtual/virtual_port.h"

namespace chappe::tx {
namespace {

class BucketTest : public testing::Test {
 protected:
  static radio::Modulation narrow() {
    radio::Modulation modulation;
    modulation.coding = 5;
    return modulation;
  }
  void at(std::int64_t now_ms) { port_.run(executor_, at_ms(now_ms)); }
  void send(Bucket& bucket, Duration airtime) {
    auto reservation = bucket.reserve(airtime, executor_.now());
    ASSERT_TRUE(reservation);
    port_.run(executor_, executor_.now() + airtime);
    reservation->commit(executor_.now(), airtime);
  }

  port::VirtualPort port_;
  async::Executor executor_{port_};
};

// Times and airtimes of the recorded session duty_cycle/budget_exhaustion/5: half a percent.
TEST_F(BucketTest, StartsWhenTheRecordedNodeDid) {
  Bucket bucket(executor_, narrow(), 199);
  EXPECT_EQ(bucket.tx_budget_ms(), 18'000);
  constexpr std::int64_t kStarts[] = {1500,
                                      3538,
                                      5683,
                                      7731,
                                      9753,
                                      11804,
                                      13766,
                                      15901,
                                      17955,
                                      19921,
                                      22009,
                                      24126,
                                      26265,
                                      28421,
                                      30486,
                                      32495,
                                      34491};
  const Duration airtime = microseconds(1'061'888);
  for (const std::int64_t start : kStarts) {
    at(start);
    EXPECT_EQ(in_us(bucket.earliest(airtime, executor_.now())), start * 1000);
    send(bucket, airtime);
  }
  at(36'491);
  EXPECT_EQ(in_us(bucket.earliest(airtime, executor_.now())) / 1000, 164'291);
  EXPECT_FALSE(bucket.reserve(airtime, executor_.now()));
  at(164'291);
  send(bucket, airtime);
  const Time next = bucket.earliest(airtime, executor_.now());
  EXPECT_NEAR(static_cast<double>(in_us(next)) / 1000, 316'752, 2);
}

TEST_F(BucketTest, IsRefilledWhenSomebodyLooksAndNotBefore) {
  Bucket bucket(executor_, narrow(), 9);
  at(1000);
  send(bucket, milliseconds(2000));
  // Full at 1000; what was earned while sending came after it was full.
  EXPECT_EQ(bucket.tx_budget_ms(), 360'000 - 2000);
  at(13'000);
  EXPECT_EQ(bucket.tx_budget_ms(), 360'000 - 2000);
  EXPECT_EQ(bucket.earliest(milliseconds(1), executor_.now()), executor_.now());
  EXPECT_EQ(bucket.tx_budget_ms(), 360'000 - 2000 + 1000);
}

TEST_F(BucketTest, AForecastIsNoLook) {
  Bucket bucket(executor_, narrow(), 9);
  at(1000);
  send(bucket, milliseconds(2000));
  bucket.earliest(milliseconds(1), executor_.now() + seconds(10));
  EXPECT_EQ(bucket.tx_budget_ms(), 358'000);
}

TEST_F(BucketTest, ALookEachMillisecondLosesWhatAStepEarnsTooMuch) {
  Bucket bucket(executor_, narrow(), 2.5F);  // 3 ms earn 0.857, 4 ms earn 1.14
  at(1000);
  send(bucket, milliseconds(100'000));
  const std::int64_t left = bucket.tx_budget_ms();
  bucket.earliest(milliseconds(1), executor_.now());  // something is due now, but it is not sent
  at(101'000 + 4000);
  EXPECT_EQ(bucket.tx_budget_ms(), left + 1000);  // 1142 if nobody had looked meanwhile
  for (std::int64_t ms = 1; ms <= 400; ++ms) {
    at(105'000 + ms);
    bucket.earliest(milliseconds(1), executor_.now());
  }
  EXPECT_EQ(bucket.tx_budget_ms(), left + 1100);  // one long wait and many short ones are the same
}

TEST_F(BucketTest, WhatIsLeftIsFreshWhileSomethingWaits) {
  Bucket bucket(executor_, narrow(), 9);
  at(1000);
  bucket.reserve(seconds(300), executor_.now())->commit(executor_.now(), seconds(300));
  at(301'000);
  const std::int64_t left = bucket.tx_budget_ms();
  at(311'000);
  EXPECT_EQ(bucket.tx_budget_ms(), left);  // nobody looks
  bucket.earliest(milliseconds(1), executor_.now());
  const std::int64_t looked = bucket.tx_budget_ms();
  EXPECT_GT(looked, left);
  at(321'000);
  EXPECT_EQ(bucket.tx_budget_ms(), looked + 1000);
}

TEST_F(BucketTest, ACancelledReservationCostsNothingAndAKeptOneIsSpent) {
  Bucket bucket(executor_, narrow(), 9);
  bucket.reserve(seconds(5), executor_.now())->cancel();
  at(1);
  EXPECT_EQ(bucket.tx_budget_ms(), 360'000);
  bucket.reserve(seconds(5), executor_.now())->keep(executor_.now());
  at(5001);
  EXPECT_GT(bucket.spent_ppm(executor_.now()), 0u);
  at(5002);
  bucket.reserve(milliseconds(1), executor_.now())->keep(executor_.now());
  EXPECT_EQ(bucket.tx_budget_ms(), 360'000 - 5000);
}

TEST_F(BucketTest, AFactorThatIsNoFactorLimitsNothing) {
  Bucket bucket(executor_, narrow(), -3);
  EXPECT_EQ(bucket.tx_budget_ms(), 3'600'000);
  bucket.set_factor(99);
  EXPECT_EQ(bucket.earliest(milliseconds(1), executor_.now()), executor_.now());
}

// What the law is about, and why the exact ledger is the default: at 10 %, with something always
// due, the first hour holds twice what is allowed.
TEST_F(BucketTest, LetsTwiceTheShareThroughInItsFirstHour) {
  Bucket bucket(executor_, narrow(), 9);
  const Duration airtime = milliseconds(700);
  Duration sent{};
  while (executor_.now() < at_ms(3'600'000)) {
    port_.run(executor_, bucket.earliest(airtime, executor_.now()));
    send(bucket, airtime);
    sent += airtime;
  }
  EXPECT_NEAR(static_cast<double>(in_ms(sent)), 720'000, 3000);
}

}  // namespace
}  // namespace chappe::tx
