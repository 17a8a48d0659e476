// More and more than the channel carries, with and without a failing chip: nothing drifts.
//
// Short here; CHAPPE_SOAK=1 in the environment makes each step the ten minutes it is meant to be.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <string>

#include "chappe/async/sleep.h"
#include "chappe/base/random.h"
#include "chappe/tx/ledger.h"
#include "chappe/tx/transmitter.h"
#include "tests/sx126x/chip_world.h"

namespace chappe::radio::sx126x {
namespace {

Duration step_lasts() {
  return std::getenv("CHAPPE_SOAK") != nullptr ? minutes(10) : seconds(20);
}

enum class Supply { sound, failing };

class Stress {
 public:
  Stress(std::uint64_t seed, Supply supply)
      : random_(seed),
        supply_(supply),
        transmitter_(world_.executor(), world_.radio(), ledger_, random_, tx::Policy{}) {
    world_.begun();
    transmitter_.start();
  }

  void load(std::uint32_t times_capacity) {
    const Duration airtime = time_on_air(Modulation{}, kFrame.size());
    const Time end = world_.now() + step_lasts();
    std::uint64_t turn = 0;
    while (world_.now() < end) {
      tx::Submission submission;
      submission.frame = kFrame;
      submission.priority = static_cast<std::uint8_t>(random_.up_to(5));
      submission.after = milliseconds(random_.up_to(2000));
      submission.expiry = world_.now() + seconds(10);
      transmitter_.submit(submission);
      ++submitted_;
      // Somebody else has something to say, too.
      if (random_.up_to(3) == 0 && !world_.stranger_is_sending()) world_.stranger_sends(kFrame);
      if (supply_ == Supply::failing && ++turn % 16 == 0) {
        const auto fault = static_cast<sim::ChipFault>(random_.up_to(sim::kChipFaultCount - 1));
        const auto bit = static_cast<std::uint16_t>(random_.up_to(64));
        world_.chip().strike({fault, 0, milliseconds(random_.up_to(300)), bit});
      }
      world_.run_for(airtime / times_capacity);
      Frame frame;
      while (world_.radio().take(frame)) {
      }
      const DriverReport report = world_.driver().report();
      ASSERT_TRUE(report.time.balances(world_.now()));
      ASSERT_TRUE(transmitter_.statistics().balances());
      ASSERT_LE(world_.radio().credits().read().total, 1u);
    }
  }

  void drain() {
    world_.run_for(seconds(15));
    const tx::Statistics& books = transmitter_.statistics();
    EXPECT_EQ(books.submitted, submitted_);
    EXPECT_EQ(books.waiting, 0u);
    EXPECT_TRUE(books.balances());
    EXPECT_EQ(world_.radio().credits().read().total, 0u);
    EXPECT_FALSE(world_.radio().right().is_held());
    const DriverCounters counters = world_.counters();
    EXPECT_EQ(counters.sent, books.sent);
    EXPECT_EQ(counters.frames, counters.known + counters.crossed + counters.overruns);
    EXPECT_TRUE(world_.listens());
    if (supply_ == Supply::sound) {
      EXPECT_EQ(ledger_.total(), world_.radiated_airtime());
      EXPECT_EQ(books.airtime, world_.radiated_airtime());
      EXPECT_EQ(world_.radiated_count(), books.sent);
      EXPECT_EQ(counters.stages, DriverCounters{}.stages);
      EXPECT_EQ(counters.unsure, 0u);
      EXPECT_EQ(counters.spurious_confirmations, 0u);
      EXPECT_TRUE(world_.chip().complaints().empty());
    }
    EXPECT_GT(books.sent, 20u);
  }

 private:
  static constexpr std::array<std::uint8_t, 30> kFrame{0x15, 0x16};

  ChipWorld world_;
  SeededRandom random_;
  const Supply supply_;
  tx::Ledger ledger_{{}};
  tx::Transmitter transmitter_;
  std::uint64_t submitted_ = 0;
};

class StressRamp : public testing::TestWithParam<std::uint64_t> {};

TEST_P(StressRamp, FromOnceToAHundredTimesTheChannelNothingDrifts) {
  Stress stress(GetParam(), Supply::sound);
  for (const std::uint32_t times : {1u, 3u, 10u, 30u, 100u}) {
    SCOPED_TRACE(std::to_string(times) + " times the channel");
    stress.load(times);
    if (HasFatalFailure()) return;
    stress.drain();
  }
}

TEST_P(StressRamp, AndNothingDriftsWhileTheChipFails) {
  Stress stress(GetParam(), Supply::failing);
  for (const std::uint32_t times : {1u, 10u, 100u}) {
    SCOPED_TRACE(std::to_string(times) + " times the channel");
    stress.load(times);
    if (HasFatalFailure()) return;
    stress.drain();
  }
}

INSTANTIATE_TEST_SUITE_P(Seed, StressRamp, testing::Values(1, 2, 3));

}  // namespace
}  // namespace chappe::radio::sx126x
