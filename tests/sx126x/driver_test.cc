// What the driver does with a sound chip, and what it tells of one that is not.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include "chappe/radio/radio_contract.h"
#include "tests/sx126x/chip_world.h"

namespace chappe::radio::sx126x {
namespace {

using contract::kOurs;
using contract::kTheirs;
using contract::Sending;
using sim::ChipFault;

Duration airtime(std::size_t bytes, const Modulation& modulation = {}) {
  return time_on_air(modulation, bytes);
}

Sending::Outcome send(ChipWorld& world, Bytes frame) {
  Sending sending(world.executor(), world.radio(), frame);
  sending.start();
  world.run_for(airtime(frame.size()) + seconds(1));
  EXPECT_TRUE(sending.ended());
  if (!sending.ended()) return Unexpected(TransmitFailure::unsure);
  return sending.outcome();
}

TEST(Sx126xDriver, SetsUpTheChipAsTheReferenceDoes) {
  ChipWorld world({.tcxo = TcxoVoltage::v1_8, .patch = RxPatch::on}, {.has_tcxo = true});
  world.chip().keep_trace();
  world.begun();
  EXPECT_TRUE(send(world, kOurs));
  using Wire = std::vector<std::uint8_t>;
  const std::vector<Wire> known = {{0x0d, 0x07, 0x40, 0x14, 0x24},
                                   {0x0d, 0x08, 0xac, 0x96},
                                   {0x86, 0x36, 0x59, 0xe3, 0x54},
                                   {0x8b, 0x08, 0x03, 0x04, 0x00},
                                   {0x8c, 0x00, 0x20, 0x00, 0xff, 0x01, 0x00},
                                   {0x95, 0x04, 0x07, 0x00, 0x01},
                                   {0x8e, 0x16, 0x04},
                                   {0x82, 0xff, 0xff, 0xff},
                                   {0x98, 0xd7, 0xdb},
                                   {0x97, 0x02, 0x00, 0x01, 0x40},
                                   {0x12, 0x00, 0x00, 0x00}};
  for (const Wire& wire : known) {
    const auto is_it = [&](const auto& transaction) { return transaction.out == wire; };
    EXPECT_TRUE(std::ranges::any_of(world.chip().trace(), is_it)) << int{wire[0]};
  }
  EXPECT_TRUE(world.listens());
  EXPECT_TRUE(world.chip().image_is_calibrated());
  EXPECT_EQ(world.chip().power_dbm(), 22);
  EXPECT_EQ(world.chip().register_at(0x08e7), 0x38);  // after SetPaConfig, which overwrites it
  EXPECT_EQ(world.chip().register_at(0x08b5), 0x05);
  EXPECT_EQ(world.chip().antenna(), AntennaSwitch::receive);
  EXPECT_TRUE(world.chip().complaints().empty());
}

TEST(Sx126xDriver, KeepsTheErrataAtEachBandwidth) {
  for (const std::uint32_t hertz : {62'500u, 125'000u, 500'000u}) {
    Modulation modulation;
    modulation.bandwidth = *Bandwidth::from_nominal(Hertz{hertz});
    ChipWorld world({}, {}, modulation);
    world.begun();
    Sending sending(world.executor(), world.radio(), kOurs);
    sending.start();
    world.run_for(seconds(1));
    ASSERT_TRUE(sending.ended());
    EXPECT_TRUE(sending.outcome());
    for (const std::string& complaint : world.chip().complaints()) ADD_FAILURE() << complaint;
  }
}

TEST(Sx126xDriver, IsDeafForLessThanFiveMillisecondsAroundATransmission) {
  ChipWorld world({.tcxo = TcxoVoltage::v1_8}, {.has_tcxo = true});
  world.begun();
  for (const std::size_t bytes : {1u, 20u, 255u}) {
    const std::vector<std::uint8_t> frame(bytes, 0x5a);
    const TimeBook before = world.driver().report().time;
    const Time from = world.now();
    const Duration heard_before = world.chip().receive_time();
    EXPECT_TRUE(send(world, frame));
    const DriverReport after = world.driver().report();
    const Duration turning =
        after.time.spent(Activity::turning, after.at) - before.spent(Activity::turning, from);
    EXPECT_LE(turning, milliseconds(5)) << bytes;
    EXPECT_GE(turning, microseconds(200)) << bytes;
    // The chip's own view: what is neither its listening nor its sending.
    const Duration all = after.time.deaf(world.now()) - before.deaf(from);
    EXPECT_LE(all, milliseconds(7)) << bytes;  // and four times half a millisecond for rewriting
    EXPECT_GE(world.chip().receive_time() - heard_before,
              world.now() - from - airtime(bytes) - milliseconds(7));
  }
}

TEST(Sx126xDriver, ListeningSendingAndDeafAreAllTheTimeThereIs) {
  ChipWorld world({.sensing = Sensing::always});
  world.driver().start();
  const Time begun = world.now();
  for (int i = 0; i < 40; ++i) {
    if (i % 5 == 2) world.stranger_sends(kTheirs);
    if (i % 7 == 3) {
      EXPECT_TRUE(send(world, kOurs));
    }
    world.run_for(milliseconds(613));
    const DriverReport report = world.driver().report();
    ASSERT_TRUE(report.time.balances(report.at));
    ASSERT_EQ(report.time.elapsed(report.at), report.at - begun);
    ASSERT_EQ(report.time.spent(Activity::listening, report.at) +
                  report.time.spent(Activity::transmitting, report.at) +
                  report.time.deaf(report.at),
              report.time.elapsed(report.at));
  }
  const Time now = world.now();
  const TimeBook book = world.driver().report().time;
  // What it believes is what the chip did.
  const Duration heard = book.spent(Activity::listening, now) - world.chip().receive_time();
  EXPECT_LE(std::abs(in_us(heard)), 100 * 200);
  const Duration sent = book.spent(Activity::transmitting, now) - world.radiated_airtime();
  EXPECT_LE(std::abs(in_us(sent)), 6 * 500);
}

TEST(Sx126xDriver, IdleItWakesTwiceASecond) {
  ChipWorld world;
  world.begun();
  const std::uint64_t before = world.counters().wakes;
  world.run_for(seconds(60));
  EXPECT_LE(world.counters().wakes - before, 120u);
  EXPECT_EQ(world.counters().stages, DriverCounters{}.stages);
}

TEST(Sx126xDriver, MeasuresTheNoiseOfAnEmptyChannel) {
  ChipWorld world({}, {.noise = Dbm{-117 * 4}});
  world.begun();
  world.run_for(seconds(10));
  EXPECT_EQ(world.driver().report().noise_floor, Dbm{-117 * 4});
}

struct Measuring {
  async::Task<> run(ChipWorld& world) {
    const Right right = co_await world.radio().right().take();
    const std::optional<Dbm> found = co_await world.radio().sense(right, milliseconds(5));
    level = found;
  }
  std::optional<Dbm> level;
  async::TaskSlot<4096> slot;
};

TEST(Sx126xDriver, SensesTheStrongestLevelWithoutLosingTheFrameThatMakesIt) {
  ChipWorld world;
  world.begun();
  Measuring empty;
  world.executor().spawn(empty.slot, "sensing", &Measuring::run, &empty, world);
  world.run_for(milliseconds(20));
  EXPECT_EQ(empty.level, Dbm{-119 * 4});
  world.stranger_sends(kTheirs);
  world.run_for(milliseconds(200));
  Measuring used;
  world.executor().spawn(used.slot, "sensing", &Measuring::run, &used, world);
  world.run_for(milliseconds(20));
  EXPECT_EQ(used.level, Dbm{-115 * 4});
  world.run_for(seconds(1));
  Frame frame;
  EXPECT_TRUE(world.radio().take(frame));
}

TEST(Sx126xDriver, MadeSafeInAPanicTheChipFallsSilentAtOnce) {
  ChipWorld world;
  world.begun();
  Sending sending(world.executor(), world.radio(), kOurs);
  sending.start();
  world.run_for(airtime(kOurs.size()) / 2);
  ASSERT_TRUE(world.chip().is_keyed());
  world.radio().make_safe();
  EXPECT_FALSE(world.chip().is_keyed());
  world.run_for(seconds(2));  // nobody else would run after a panic
}

TEST(Sx126xDriver, TellsStrengthAndTimeOfWhatItHears) {
  ChipWorld world;
  world.begun();
  const Time from = world.now();
  world.stranger_sends(kTheirs);
  world.run_for(seconds(1));
  Frame frame;
  ASSERT_TRUE(world.radio().take(frame));
  EXPECT_EQ(frame.snr, (Decibels{20}));
  EXPECT_EQ(frame.rssi, (Dbm{-115 * 4}));
  EXPECT_EQ(frame.at, from + airtime(kTheirs.size()));
}

TEST(Sx126xDriver, HearsTwoHundredFramesRoundTheBufferWithoutRearming) {
  ChipWorld world;
  world.begun();
  for (int i = 0; i < 200; ++i) {
    std::vector<std::uint8_t> theirs(static_cast<std::size_t>(30 + i),
                                     static_cast<std::uint8_t>(i));
    world.stranger_sends(theirs);
    world.run_for(airtime(theirs.size()) + milliseconds(3));
    Frame frame;
    ASSERT_TRUE(world.radio().take(frame)) << i;
    ASSERT_TRUE(std::ranges::equal(frame.bytes.view(), theirs)) << i;
  }
}

// Another flag is read and cleared while the frame ends, at each microsecond of it: the frame's own
// flag must survive that, and be looked at although the line never fell.
TEST(Sx126xDriver, AFrameThatEndsWhileFlagsAreClearedIsNeitherLostNorLate) {
  for (Duration before{}; before < microseconds(120); before += microseconds(1)) {
    ChipWorld world;
    world.begun();
    world.stranger_sends(kTheirs);
    world.run_for(airtime(kTheirs.size()) - before);
    world.chip().strike({ChipFault::tx_done_spurious, 0, milliseconds(1)});
    world.run_for(before + milliseconds(5));
    Frame frame;
    ASSERT_TRUE(world.radio().take(frame)) << in_us(before) << " us";
  }
}

TEST(Sx126xDriver, APreambleThatArrivesIsBusyAndIsNotCutOff) {
  ChipWorld world;
  world.begun();
  world.stranger_sends(kTheirs);
  world.run_for(milliseconds(60));  // in the preamble
  contract::Listening listening(world.executor(), world.radio());
  listening.start();
  world.run_for(milliseconds(10));
  EXPECT_EQ(listening.heard(), Channel::busy);
  world.run_for(seconds(1));
  Frame frame;
  EXPECT_TRUE(world.radio().take(frame)) << "looking cost the frame";
}

TEST(Sx126xDriver, AStalePreambleKeepsNobodySilentForLong) {
  ChipWorld world;
  world.begun();
  world.chip().strike({ChipFault::preamble_stale, 0, milliseconds(1)});
  world.run_for(seconds(2));
  contract::Listening listening(world.executor(), world.radio());
  listening.start();
  world.run_for(milliseconds(100));
  EXPECT_EQ(listening.heard(), Channel::clear);
  EXPECT_EQ(world.counters().stale_signals, 1u);
}

TEST(Sx126xDriver, ALostEdgeOfTxDoneCostsTwoMillisecondsAndNotTheFrame) {
  ChipWorld world;
  world.begun();
  world.chip().strike({ChipFault::dio1_lost, 0, seconds(2)});
  const auto outcome = send(world, kOurs);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->airtime, airtime(kOurs.size()));
  EXPECT_EQ(world.counters().edges_missed, 1u);
}

TEST(Sx126xDriver, ALateAndASpuriousConfirmationAreToldApartAndReleaseNothing) {
  ChipWorld world;
  world.begun();
  world.chip().strike({ChipFault::tx_done_late, 0, milliseconds(500)});
  const auto outcome = send(world, kOurs);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error(), TransmitFailure::unsure);
  world.run_for(seconds(2));
  EXPECT_EQ(world.counters().late_confirmations, 1u);
  EXPECT_EQ(world.counters().spurious_confirmations, 0u);

  world.chip().strike({ChipFault::tx_done_spurious, 0, milliseconds(1)});
  world.run_for(seconds(1));
  EXPECT_EQ(world.counters().late_confirmations, 1u);
  EXPECT_EQ(world.counters().spurious_confirmations, 1u);
  EXPECT_EQ(world.radio().credits().read().total, 0u);
  EXPECT_TRUE(send(world, kOurs));
}

TEST(Sx126xDriver, ATransmissionWithoutEndIsCutOffAndUnsure) {
  ChipWorld world;
  world.begun();
  world.chip().strike({ChipFault::tx_done_missing, 0, seconds(5)});
  Sending sending(world.executor(), world.radio(), kOurs);
  sending.start();
  world.run_for(airtime(kOurs.size()) + milliseconds(200));
  ASSERT_TRUE(sending.ended());
  ASSERT_FALSE(sending.outcome());
  EXPECT_EQ(sending.outcome().error(), TransmitFailure::unsure);
  EXPECT_NE(world.chip().mode(), sim::Sx1262Chip::Mode::tx);
  EXPECT_TRUE(world.listens());
}

TEST(Sx126xDriver, AResetBeforeTheKeyEndsASendAsRestarted) {
  ChipWorld world;
  world.begun();
  EXPECT_EQ(world.radio().resets()->take(), 0u) << "a start is no reset";
  world.chip().strike({ChipFault::brown_out, 0, milliseconds(20)});
  Sending sending(world.executor(), world.radio(), kOurs);
  sending.start();
  world.run_for(seconds(1));
  ASSERT_TRUE(sending.ended());
  ASSERT_FALSE(sending.outcome());
  EXPECT_EQ(sending.outcome().error(), TransmitFailure::restarted);
  EXPECT_EQ(world.radiated_count(), 0u);
  const std::uint32_t generation = world.driver().report().generation;
  EXPECT_GE(generation, 1u);
  EXPECT_EQ(world.counters().restarted, 1u);
  EXPECT_EQ(world.radio().resets()->take(), 1u);
  EXPECT_EQ(world.radio().credits().read().total, 0u);
  EXPECT_TRUE(send(world, kOurs));
  EXPECT_EQ(world.driver().report().generation, generation);
}

TEST(Sx126xDriver, WhereNothingHelpsItHoldsTheChipInResetAlarmsOnceAndTriesOn) {
  ChipWorld world({}, {.has_power_line = true});
  world.begun();
  world.chip().strike({ChipFault::busy_stuck, 0, seconds(10)});
  world.run_for(seconds(9));
  DriverReport report = world.driver().report();
  EXPECT_TRUE(report.alarm);
  EXPECT_FALSE(report.listening);
  EXPECT_EQ(report.counters.alarms, 1u);
  for (const Stage stage : {Stage::standby, Stage::recalibrate}) {
    EXPECT_EQ(report.counters.stages[static_cast<std::size_t>(stage)], 1u) << to_string(stage);
  }
  for (const Stage stage : {Stage::reset, Stage::power}) {
    EXPECT_GE(report.counters.stages[static_cast<std::size_t>(stage)], 8u) << to_string(stage);
  }
  EXPECT_GE(report.time.spent(Activity::lost, report.at) +
                report.time.spent(Activity::recovering, report.at),
            seconds(8));
  EXPECT_FALSE(world.chip().is_keyed());
  EXPECT_EQ(world.radio().resets()->take(), 0u)
      << "told when the radio is back, not at each attempt";
  world.run_for(seconds(2));
  EXPECT_EQ(world.radio().resets()->take(), 1u);
  report = world.driver().report();
  EXPECT_FALSE(report.alarm);
  EXPECT_TRUE(world.listens());
  EXPECT_EQ(report.counters.alarms, 1u);
}

TEST(Sx126xDriver, TimeBetweenAFailureAndItsNoticingIsNotCalledListening) {
  ChipWorld world;
  world.begun();
  const Duration listened = world.chip().receive_time();
  world.chip().strike({ChipFault::brown_out, 0, microseconds(1)});
  world.run_for(seconds(1));
  EXPECT_TRUE(world.listens());
  const DriverReport report = world.driver().report();
  EXPECT_GE(report.time.spent(Activity::lost, report.at), milliseconds(100));
  EXPECT_LE(report.time.spent(Activity::listening, report.at),
            world.chip().receive_time() + milliseconds(5));
  EXPECT_GT(world.chip().receive_time(), listened);
}

struct Power {
  explicit Power(ChipWorld& of) : world(of) {}
  async::Task<> down_task() {
    const Right right = co_await world.radio().right().take();
    const Time deadline = world.now() + milliseconds(200);
    const bool ok = co_await world.driver().power_down(right, deadline);
    down = ok;
  }
  async::Task<> up_task() {
    const Right right = co_await world.radio().right().take();
    const bool ok = co_await world.driver().power_up(right);
    up = ok;
  }
  void go_down() { world.executor().spawn(slot, "power down", &Power::down_task, this); }
  void go_up() { world.executor().spawn(slot, "power up", &Power::up_task, this); }
  ChipWorld& world;
  std::optional<bool> down;
  std::optional<bool> up;
  async::TaskSlot<4096> slot;
};

TEST(Sx126xDriver, PoweringDownIsAClaimThatACreditHeldByAnybodyDefeats) {
  ChipWorld world;
  world.begun();
  Power power(world);
  flow::Credit held = world.radio().credits().try_take(0);
  power.go_down();
  world.run_for(seconds(1));
  EXPECT_EQ(power.down, false);
  EXPECT_FALSE(world.radio().credits().read().closed);
  EXPECT_TRUE(world.listens());
  held.give_back();

  power.go_down();
  world.run_for(seconds(1));
  EXPECT_EQ(power.down, true);
  EXPECT_EQ(world.chip().mode(), sim::Sx1262Chip::Mode::sleep);
  EXPECT_EQ(world.driver().report().time.activity(), Activity::off);

  // Who asks now waits, and is told when it goes on.
  Sending sending(world.executor(), world.radio(), kOurs);
  sending.start();
  world.run_for(seconds(30));
  EXPECT_FALSE(sending.ended());
  EXPECT_EQ(world.chip().mode(), sim::Sx1262Chip::Mode::sleep) << "nobody may wake it";
  power.go_up();
  world.run_for(seconds(1));
  EXPECT_EQ(power.up, true);
  ASSERT_TRUE(sending.ended());
  EXPECT_TRUE(sending.outcome());
}

struct Tuning {
  async::Task<> run(ChipWorld& world, Modulation modulation) {
    const Right right = co_await world.radio().right().take();
    const bool ok = co_await world.driver().tune(right, modulation);
    tuned = ok;
  }
  std::optional<bool> tuned;
  async::TaskSlot<4096> slot;
};

TEST(Sx126xDriver, TunedAnewItHearsTheNewChannelAndNoLongerTheOld) {
  ChipWorld world;
  world.begun();
  Modulation other;
  other.frequency = Hertz{433'650'000};
  other.spreading = 9;
  other.preamble = preamble_for(9);
  Tuning tuning;
  world.executor().spawn(tuning.slot, "tuning", &Tuning::run, &tuning, world, other);
  world.run_for(seconds(1));
  EXPECT_EQ(tuning.tuned, true);
  EXPECT_TRUE(world.chip().listens_to(other));
  EXPECT_TRUE(world.chip().image_is_calibrated());
  world.stranger_sends(kTheirs);
  world.run_for(seconds(1));
  Frame frame;
  EXPECT_FALSE(world.radio().take(frame));
}

}  // namespace
}  // namespace chappe::radio::sx126x
