// Every fault at every step: nothing is sampled. A step is a transaction with the chip, or a moment
// between two of them while a frame is on the air.
#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "chappe/base/random.h"
#include "chappe/tx/ledger.h"
#include "chappe/tx/transmitter.h"
#include "tests/sx126x/chip_world.h"

namespace chappe::radio::sx126x {
namespace {

using sim::ChipFault;
using sim::FaultPlan;

enum class Story { start, idle, receive, transmit, look_and_transmit };
constexpr std::array<Story, 5> kStories = {
    Story::start, Story::idle, Story::receive, Story::transmit, Story::look_and_transmit};

std::string_view to_string(Story story) {
  constexpr std::array<std::string_view, 5> kNames = {
      "start", "idle", "receive", "transmit", "look and transmit"};
  return kNames[static_cast<std::size_t>(story)];
}

constexpr std::array<std::uint8_t, 20> kOurs = {0x11, 0x22};
constexpr std::array<std::uint8_t, 20> kTheirs = {0x33, 0x44};

// How much later a receiver has to be one again.
constexpr Duration kBackWithin = seconds(1);

// What a flipped bit may make the chip radiate before it is stopped, in no ledger: SetTx for SetRx.
constexpr Duration kStray = milliseconds(5);

class Case : private tx::Observer {
 public:
  explicit Case(Story story)
      : story_(story),
        world_(board(story), {.has_power_line = story == Story::receive}),
        transmitter_(world_.executor(), world_.radio(), ledger_, random_, policy(story)) {
    transmitter_.observe(this);
    transmitter_.start();
    if (story_ != Story::start) world_.begun();
  }

  ChipWorld& world() { return world_; }
  const tx::Ledger& ledger() const { return ledger_; }
  const tx::Transmitter& transmitter() const { return transmitter_; }
  const std::vector<tx::Outcome>& outcomes() const { return outcomes_; }

  void begin() {
    switch (story_) {
      case Story::start:
        world_.driver().start();
        break;
      case Story::idle:
        break;
      case Story::receive:
        world_.stranger_sends(kTheirs);
        break;
      case Story::transmit:
      case Story::look_and_transmit:
        submit();
        break;
    }
  }
  // As long as the story takes if nothing goes wrong.
  Duration lasts() const { return milliseconds(story_ == Story::start ? 100 : 600); }

  void submit() {
    tx::Submission submission;
    submission.frame = kOurs;
    transmitter_.submit(submission);
  }

 private:
  static Board board(Story story) {
    Board board;
    if (story == Story::look_and_transmit) board.sensing = Sensing::always;
    return board;
  }
  static tx::Policy policy(Story story) {
    tx::Policy policy;
    if (story == Story::transmit) policy.listening = tx::Listening::off;
    return policy;
  }
  void on_outcome(std::uint64_t, Bytes, const tx::Outcome& outcome) noexcept override {
    outcomes_.push_back(outcome);
  }

  const Story story_;
  ChipWorld world_;
  SeededRandom random_{1};
  tx::Ledger ledger_{{}};
  std::vector<tx::Outcome> outcomes_;
  tx::Transmitter transmitter_;
};

// All that must be true afterwards, whatever the fault was.
void expect_back(Case& run, std::size_t submitted) {
  ChipWorld& world = run.world();
  // Its settings may just be written again, which takes half a millisecond.
  if (!world.listens()) world.run_for(milliseconds(1));
  const DriverReport report = world.driver().report();
  EXPECT_TRUE(world.listens()) << "mode " << static_cast<int>(world.chip().mode());
  EXPECT_FALSE(report.alarm);
  EXPECT_TRUE(report.time.balances(world.now()));
  EXPECT_EQ(world.radio().credits().read().total, 0u);

  // Sent or refused by name, once.
  EXPECT_EQ(run.outcomes().size(), submitted);
  EXPECT_TRUE(run.transmitter().statistics().balances());
  Duration unsure{};
  for (const tx::Outcome& outcome : run.outcomes()) {
    if (outcome || !outcome.error().perhaps_sent) continue;
    // What a transmission may last beyond its airtime before it is cut.
    unsure += milliseconds(160);
  }
  EXPECT_GE(run.ledger().total() + kStray + unsure, world.radiated_airtime());
  if (submitted == 1 && !run.outcomes().empty()) {
    const tx::Outcome& outcome = run.outcomes()[0];
    if (outcome) {
      EXPECT_GE(world.radiated_count(), 1u);
    } else if (!outcome.error().perhaps_sent) {
      EXPECT_EQ(run.ledger().total(), Duration::zero());
      EXPECT_LE(world.radiated_airtime(), kStray);
    }
  }
}

// What a flipped bit makes of a command is not the driver's fault.
enum class Wires { sound, flipped };

// It is no use to look like a receiver.
void expect_works(Case& run, Wires wires) {
  ChipWorld& world = run.world();
  Frame frame;
  while (world.radio().take(frame)) {
  }
  const std::size_t outcomes = run.outcomes().size();
  world.stranger_sends(kTheirs);
  world.run_for(milliseconds(500));
  ASSERT_TRUE(world.radio().take(frame));
  EXPECT_TRUE(std::ranges::equal(frame.bytes.view(), kTheirs));
  run.submit();
  world.run_for(milliseconds(600));
  ASSERT_EQ(run.outcomes().size(), outcomes + 1);
  EXPECT_TRUE(run.outcomes().back());
  ASSERT_FALSE(world.stranger().heard.empty());
  EXPECT_TRUE(std::ranges::equal(world.stranger().heard.back(), kOurs));
  for (const std::string& complaint : world.chip().complaints()) {
    const bool hasty = complaint.ends_with("NSS fell while BUSY was high");
    if (wires == Wires::sound || hasty) ADD_FAILURE() << complaint;
  }
}

// What the story's transactions are when nothing goes wrong: the length of each.
std::vector<std::size_t> steps_of(Story story, std::uint64_t& first) {
  Case run(story);
  run.world().chip().keep_trace();
  first = run.world().chip().transaction_count();
  run.begin();
  run.world().run_for(run.lasts());
  std::vector<std::size_t> lengths;
  for (const auto& transaction : run.world().chip().trace())
    lengths.push_back(transaction.out.size());
  EXPECT_EQ(lengths.size(), run.world().chip().transaction_count() - first);
  return lengths;
}

void run_case(Story story, const FaultPlan& plan) {
  Case run(story);
  ChipWorld& world = run.world();
  world.chip().plan(plan);
  run.begin();
  world.run_for(run.lasts());
  ASSERT_EQ(world.chip().strike_count(), 1u);
  if (world.now() < world.chip().faults_end() + kBackWithin) {
    world.run_for(world.chip().faults_end() + kBackWithin - world.now());
  } else {
    world.run_for(kBackWithin);
  }
  const bool sends = story == Story::transmit || story == Story::look_and_transmit;
  expect_back(run, sends ? 1 : 0);
  const bool flips = plan.fault == ChipFault::spi_flip_out || plan.fault == ChipFault::spi_flip_in;
  expect_works(run, flips ? Wires::flipped : Wires::sound);
}

struct Lasting {
  ChipFault fault;
  std::vector<Duration> spans;
};

// Shorter than any patience of the driver's, and longer than all its stages together.
const std::vector<Lasting>& faults() {
  static const std::vector<Lasting> all = {
      {ChipFault::dio1_lost, {milliseconds(1500)}},
      {ChipFault::dio1_late, {milliseconds(1500)}},
      {ChipFault::dio1_doubled, {milliseconds(1500)}},
      {ChipFault::dio1_spurious, {milliseconds(1)}},
      {ChipFault::dio1_stuck, {milliseconds(1500)}},
      {ChipFault::busy_stuck, {milliseconds(5), milliseconds(100), milliseconds(2500)}},
      {ChipFault::spi_unheard, {microseconds(1), milliseconds(2), milliseconds(1200)}},
      {ChipFault::spi_reported, {milliseconds(2), milliseconds(1200)}},
      {ChipFault::silent, {milliseconds(1), milliseconds(1200)}},
      {ChipFault::tx_done_missing, {milliseconds(3000)}},
      {ChipFault::tx_done_late, {milliseconds(1500)}},
      {ChipFault::tx_done_spurious, {milliseconds(1)}},
      {ChipFault::brown_out, {microseconds(1), milliseconds(30), milliseconds(1200)}},
      {ChipFault::rx_overrun, {milliseconds(600)}},
      {ChipFault::crc_storm, {milliseconds(1500)}},
      {ChipFault::header_storm, {milliseconds(1500)}},
      {ChipFault::preamble_stale, {milliseconds(1)}}};
  return all;
}

class EveryStep : public testing::TestWithParam<Story> {};

TEST_P(EveryStep, SurvivesEveryFaultThere) {
  std::uint64_t first = 0;
  const std::vector<std::size_t> steps = steps_of(GetParam(), first);
  EXPECT_GE(steps.size(), 6u);
  for (const Lasting& each : faults()) {
    for (const Duration span : each.spans) {
      for (std::size_t step = 0; step < steps.size(); ++step) {
        SCOPED_TRACE(std::string(to_string(each.fault)) + " for " + std::to_string(in_us(span)) +
                     " us at step " + std::to_string(step));
        run_case(GetParam(), {each.fault, first + step, span});
        if (HasFailure()) return;
      }
    }
  }
}

// Each bit of each command, and of each answer.
TEST_P(EveryStep, SurvivesEveryFlippedBitThere) {
  std::uint64_t first = 0;
  const std::vector<std::size_t> steps = steps_of(GetParam(), first);
  for (const ChipFault fault : {ChipFault::spi_flip_out, ChipFault::spi_flip_in}) {
    for (std::size_t step = 0; step < steps.size(); ++step) {
      for (std::size_t bit = 0; bit < 8 * std::min<std::size_t>(steps[step], 10); ++bit) {
        SCOPED_TRACE(std::string(to_string(fault)) + " of bit " + std::to_string(bit) +
                     " at step " + std::to_string(step));
        run_case(GetParam(), {fault, first + step, Duration{}, static_cast<std::uint16_t>(bit)});
        if (HasFailure()) return;
      }
    }
  }
}

// The moments at which nobody talks to the chip.
TEST_P(EveryStep, SurvivesEveryFaultWhileAFrameIsOnTheAir) {
  for (const Lasting& each : faults()) {
    for (const Duration span : each.spans) {
      for (Duration at{}; at < milliseconds(450); at += milliseconds(25)) {
        SCOPED_TRACE(std::string(to_string(each.fault)) + " for " + std::to_string(in_us(span)) +
                     " us after " + std::to_string(in_us(at)) + " us");
        Case run(GetParam());
        ChipWorld& world = run.world();
        run.begin();
        world.run_for(at);
        world.chip().strike({each.fault, 0, span});
        const Time over = std::max(world.now() + run.lasts(), world.chip().faults_end());
        world.run_for(over + kBackWithin - world.now());
        const bool sends = GetParam() == Story::transmit || GetParam() == Story::look_and_transmit;
        expect_back(run, sends ? 1 : 0);
        expect_works(run, Wires::sound);
        if (HasFailure()) return;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Story, EveryStep, testing::ValuesIn(kStories), [](const auto& story) {
  std::string name(to_string(story.param));
  std::ranges::replace(name, ' ', '_');
  return name;
});

}  // namespace
}  // namespace chappe::radio::sx126x
