// What the model refuses and tells, byte by byte, as the data sheet has it.
#include "chappe/sim/sx1262_chip.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "chappe/port/virtual/virtual_port.h"

namespace chappe::sim {
namespace {

using Wire = std::vector<std::uint8_t>;
using radio::sx126x::BusStatus;

class Sx1262ChipTest : public testing::Test, private radio::sx126x::Dio1Listener {
 protected:
  Sx1262ChipTest() {
    chip_.listen(this);
    run_for(milliseconds(10));
  }

  void run_for(Duration span) { port_.run(executor_, executor_.now() + span); }

  // One transaction, and the time the chip is busy with it.
  Wire wire(Wire bytes, Duration after = milliseconds(10)) {
    wire_ = bytes;
    executor_.spawn(slot_, "host", &Sx1262ChipTest::exchange, this);
    run_for(microseconds(1100));
    run_for(after);
    return wire_;
  }
  std::uint8_t status() { return wire({0xc0, 0})[1]; }
  int mode() { return status() >> 4 & 7; }
  int command_status() { return status() >> 1 & 7; }
  std::uint16_t irq() {
    const Wire answer = wire({0x12, 0, 0, 0});
    return static_cast<std::uint16_t>(answer[2] << 8 | answer[3]);
  }
  // A working set-up for SF 8 at 62.5 kHz.
  void set_up() {
    for (const Wire& each : {Wire{0x8a, 1},
                             Wire{0x86, 0x36, 0x59, 0xe3, 0x54},
                             Wire{0x8b, 8, 3, 4, 0},
                             Wire{0x8c, 0, 32, 0, 20, 1, 0},
                             Wire{0x95, 4, 7, 0, 1},
                             Wire{0x8e, 22, 4},
                             Wire{0x0d, 0x08, 0xd8, 0xde},
                             Wire{0x0d, 0x08, 0x89, 0x05},
                             Wire{0x08, 0x03, 0xff, 0x03, 0xff, 0, 0, 0, 0}}) {
      wire(each);
    }
  }

  async::Task<> exchange() {
    const BusStatus done = co_await chip_.transfer(wire_);
    done_ = done;
  }
  void on_dio1(Time) noexcept override { ++edges_; }

  port::VirtualPort port_;
  async::Executor executor_{port_};
  Air air_{executor_, 1};
  Sx1262Chip chip_{executor_, air_};
  Wire wire_;
  std::optional<BusStatus> done_;
  int edges_ = 0;
  async::TaskSlot<2048> slot_;
};

TEST_F(Sx1262ChipTest, StartsInStandbyWithItsResetValues) {
  EXPECT_EQ(mode(), 2);
  const Wire sync = wire({0x1d, 0x07, 0x40, 0, 0, 0});
  EXPECT_EQ(sync[4], 0x14);
  EXPECT_EQ(sync[5], 0x24);
  const Wire version = wire({0x1d, 0x03, 0x20, 0, 0, 0, 0, 0, 0, 0});
  EXPECT_EQ(std::string(version.begin() + 4, version.end()), "SX1261");
  EXPECT_EQ(irq(), 0);
}

TEST_F(Sx1262ChipTest, RefusesWhatTheChipRefuses) {
  wire({0x99, 0});
  EXPECT_EQ(command_status(), 4) << "no such command";
  wire({0x8b, 8, 3});
  EXPECT_EQ(command_status(), 4) << "parameters are missing";
  wire({0x8b, 8, 3, 4, 0});
  EXPECT_EQ(command_status(), 5) << "no packet type yet";
  wire({0x82, 0xff, 0xff, 0xff});
  EXPECT_EQ(command_status(), 5) << "nothing is set up";
  set_up();
  wire({0x82, 0xff, 0xff, 0xff});
  EXPECT_EQ(mode(), 5);
  wire({0x89, 0x7f});
  EXPECT_EQ(command_status(), 5) << "calibration is for standby";
  wire({0x84, 4});
  EXPECT_EQ(command_status(), 5) << "sleep is, too";
  wire({0x8a, 1});
  EXPECT_EQ(command_status(), 5) << "and the packet type";
}

TEST_F(Sx1262ChipTest, HearsNothingWhileItIsBusyAndSaysSo) {
  set_up();
  wire({0x80, 0});
  wire({0x89, 0x7f}, Duration{});
  EXPECT_TRUE(chip_.busy());
  wire({0x80, 1});
  EXPECT_EQ(chip_.complaints().size(), 1u);
  EXPECT_EQ(mode(), 2) << "it took the command";
}

TEST_F(Sx1262ChipTest, LatchesWhatTheMaskAllowsAndHoldsDio1UntilAllOfItIsCleared) {
  set_up();
  wire({0x08, 0x00, 0x81, 0x00, 0x80, 0, 0, 0, 0});  // CadDone and TxDone, on DIO1 CadDone
  wire({0x88, 1, 22, 10, 0, 0, 0, 0});
  wire({0xc5}, milliseconds(20));
  EXPECT_EQ(irq(), 0x0080);
  EXPECT_TRUE(chip_.dio1());
  EXPECT_EQ(edges_, 1);
  wire({0x02, 0x00, 0x01});
  EXPECT_TRUE(chip_.dio1()) << "another flag was cleared";
  wire({0x02, 0x00, 0x80});
  EXPECT_FALSE(chip_.dio1());
  wire({0x08, 0x00, 0x01, 0x00, 0x01, 0, 0, 0, 0});
  wire({0xc5}, milliseconds(20));
  EXPECT_EQ(irq(), 0) << "masked out";
}

TEST_F(Sx1262ChipTest, RadiatesForAsLongAsItsRegistersSay) {
  set_up();
  wire({0x83, 0, 0, 0}, Duration{});
  EXPECT_TRUE(chip_.is_keyed());
  run_for(seconds(1));
  EXPECT_EQ(air_.airtime(chip_.station()), microseconds(377'856));
  EXPECT_EQ(irq(), 0x0001);
  EXPECT_EQ(mode(), 2) << "it falls back to standby";
  wire({0x8b, 8, 3, 1, 0});  // 4/5
  wire({0x83, 0, 0, 0}, seconds(1));
  EXPECT_EQ(air_.airtime(chip_.station()), microseconds(377'856 + 304'128));
}

TEST_F(Sx1262ChipTest, ItsTimerEndsATransmissionThatLastsTooLong) {
  set_up();
  wire({0x83, 0x00, 0x19, 0x00}, seconds(1));  // 100 ms
  EXPECT_EQ(air_.airtime(chip_.station()), milliseconds(100));
  EXPECT_EQ(irq(), 0x0200);
}

TEST_F(Sx1262ChipTest, ForgetsEverythingInAReset) {
  set_up();
  wire({0x82, 0xff, 0xff, 0xff});
  chip_.set_reset(true);
  run_for(milliseconds(1));
  EXPECT_TRUE(chip_.busy());
  chip_.set_reset(false);
  run_for(milliseconds(10));
  EXPECT_EQ(mode(), 2);
  EXPECT_EQ(chip_.register_at(0x08d8), 0xc8);
  wire({0x82, 0xff, 0xff, 0xff});
  EXPECT_EQ(command_status(), 5);
}

TEST_F(Sx1262ChipTest, SaysWhatItWouldSufferInSilence) {
  set_up();
  wire({0x0d, 0x08, 0x89, 0x01});
  wire({0x0d, 0x08, 0xd8, 0xc8});
  wire({0x83, 0, 0, 0}, seconds(1));
  EXPECT_EQ(chip_.complaints().size(), 2u);  // both errata
}

TEST(Sx1262ChipWithTcxo, DoesNotStartItsClockBeforeItIsToldOfIt) {
  port::VirtualPort port;
  async::Executor executor(port);
  Air air(executor, 1);
  Sx1262Chip chip(executor, air, {.has_tcxo = true});
  port.run(executor, at_ms(10));
  struct Host {
    async::Task<> run(Sx1262Chip& on) {
      for (Wire* each : {&xosc, &errors, &tell, &clear, &again, &status}) {
        const bool ready = co_await on.wait_ready(kNever);
        EXPECT_TRUE(ready);
        co_await on.transfer(*each);
      }
    }
    Wire xosc{0x80, 1};
    Wire errors{0x17, 0, 0, 0};
    Wire tell{0x97, 2, 0, 1, 0x40};
    Wire clear{0x07, 0, 0};
    Wire again{0x80, 1};
    Wire status{0xc0, 0};
    async::TaskSlot<2048> slot;
  };
  Host host;
  executor.spawn(host.slot, "host", &Host::run, &host, chip);
  port.run(executor, at_ms(50));
  EXPECT_EQ(host.errors[3] & 0x20, 0x20);
  EXPECT_EQ(host.status[1] >> 4 & 7, 3);
}

}  // namespace
}  // namespace chappe::sim
