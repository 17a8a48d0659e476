#include "chappe/radio/sx126x/commands.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <vector>

namespace chappe::radio::sx126x {
namespace {

using Wire = std::vector<std::uint8_t>;

Wire wire(const Command& command) {
  return {command.view().begin(), command.view().end()};
}

// The bytes that working drivers were seen to send for MeshCore's narrow European channel.
TEST(Commands, AreTheBytesThatWorkingDriversSend) {
  const Modulation narrow;
  EXPECT_EQ(wire(write_sync_word()), (Wire{0x0d, 0x07, 0x40, 0x14, 0x24}));
  EXPECT_EQ(wire(write_register(reg::kRxGain, 0x96)), (Wire{0x0d, 0x08, 0xac, 0x96}));
  EXPECT_EQ(wire(set_frequency(narrow.frequency)), (Wire{0x86, 0x36, 0x59, 0xe3, 0x54}));
  EXPECT_EQ(wire(set_modulation(narrow)), (Wire{0x8b, 0x08, 0x03, 0x04, 0x00}));
  EXPECT_EQ(wire(set_packet(narrow, 255)), (Wire{0x8c, 0x00, 0x20, 0x00, 0xff, 0x01, 0x00}));
  EXPECT_EQ(wire(set_pa_config(ChipKind::sx1262, 22)), (Wire{0x95, 0x04, 0x07, 0x00, 0x01}));
  EXPECT_EQ(wire(set_tx_params(ChipKind::sx1262, 22)), (Wire{0x8e, 0x16, 0x04}));
  EXPECT_EQ(wire(set_rx_continuous()), (Wire{0x82, 0xff, 0xff, 0xff}));
  EXPECT_EQ(wire(calibrate_image(narrow.frequency)), (Wire{0x98, 0xd7, 0xdb}));
  EXPECT_EQ(wire(set_tcxo(TcxoVoltage::v1_8, milliseconds(5))),
            (Wire{0x97, 0x02, 0x00, 0x01, 0x40}));
  EXPECT_EQ(wire(set_dio_irq(0x0276, 0x0002)),
            (Wire{0x08, 0x02, 0x76, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00}));
  EXPECT_EQ(wire(get_irq()), (Wire{0x12, 0x00, 0x00, 0x00}));
  EXPECT_EQ(wire(clear_irq(0x43ff)), (Wire{0x02, 0x43, 0xff}));
}

TEST(Commands, FrequenciesAreExactToTheNearestStep) {
  EXPECT_EQ(frequency_word(Hertz{869'525'000}), 0x36586666u);
  EXPECT_EQ(frequency_word(Hertz{910'525'000}), 0x38e86666u);
  EXPECT_EQ(frequency_word(Hertz{433'650'000}), 0x1b1a6666u);
  EXPECT_EQ(frequency_word(Hertz{869'432'000}), 0x3656e979u);
  EXPECT_EQ(frequency_word(Hertz{915'800'000}), 0x393ccccdu);
  EXPECT_EQ(frequency_word(Hertz{868'000'000}), 0x36400000u);
}

TEST(Commands, EachBandwidthHasItsCode) {
  const std::vector<std::pair<std::uint32_t, int>> table = {{7'810, 0x00},
                                                            {10'420, 0x08},
                                                            {15'630, 0x01},
                                                            {20'830, 0x09},
                                                            {31'250, 0x02},
                                                            {41'670, 0x0a},
                                                            {62'500, 0x03},
                                                            {125'000, 0x04},
                                                            {250'000, 0x05},
                                                            {500'000, 0x06}};
  for (const auto& [hertz, code] : table) {
    EXPECT_EQ(bandwidth_code(*Bandwidth::from_nominal(Hertz{hertz})), code) << hertz;
  }
}

TEST(Commands, LowDataRateIsOptimisedWhereSymbolsAreLong) {
  Modulation slow;
  slow.spreading = 11;
  slow.bandwidth = *Bandwidth::from_nominal(Hertz{125'000});
  EXPECT_EQ(set_modulation(slow)[4], 1);
  slow.spreading = 10;
  EXPECT_EQ(set_modulation(slow)[4], 0);
}

TEST(Commands, EachPowerHasTheAmplifierShapeThatTheDataSheetGives) {
  struct Row {
    ChipKind chip;
    std::int8_t dbm;
    Wire shape;
    std::int8_t told;
  };
  const std::vector<Row> rows = {{ChipKind::sx1262, 22, {0x95, 4, 7, 0, 1}, 22},
                                 {ChipKind::sx1262, 20, {0x95, 3, 5, 0, 1}, 22},
                                 {ChipKind::sx1262, 17, {0x95, 2, 3, 0, 1}, 22},
                                 {ChipKind::sx1262, 14, {0x95, 2, 2, 0, 1}, 22},
                                 {ChipKind::sx1268, 21, {0x95, 4, 7, 0, 1}, 21},
                                 {ChipKind::sx1262, 10, {0x95, 2, 2, 0, 1}, 18},
                                 {ChipKind::sx1262, -40, {0x95, 2, 2, 0, 1}, -9},
                                 {ChipKind::sx1262, 30, {0x95, 4, 7, 0, 1}, 22},
                                 {ChipKind::sx1261, 15, {0x95, 6, 0, 1, 1}, 14},
                                 {ChipKind::sx1261, 14, {0x95, 4, 0, 1, 1}, 14},
                                 {ChipKind::sx1261, 10, {0x95, 1, 0, 1, 1}, 13},
                                 {ChipKind::sx1261, -40, {0x95, 1, 0, 1, 1}, -17}};
  for (const Row& row : rows) {
    EXPECT_EQ(wire(set_pa_config(row.chip, row.dbm)), row.shape) << int{row.dbm};
    EXPECT_EQ(static_cast<std::int8_t>(set_tx_params(row.chip, row.dbm)[1]), row.told)
        << int{row.dbm};
  }
}

TEST(Commands, ImageBandsHoldTheirFrequencyAndEndOdd) {
  for (std::uint32_t mhz = 150; mhz <= 960; ++mhz) {
    const auto [from, to] = image_band(Hertz{mhz * 1'000'000});
    EXPECT_LE(from * 4u, mhz + 4) << mhz;
    EXPECT_GE(to * 4u + 4, mhz) << mhz;
    EXPECT_LT(from, to) << mhz;
    EXPECT_EQ(from & to & 1, 1) << mhz;
  }
}

TEST(Commands, ATimeoutNeverBecomesForEver) {
  EXPECT_EQ(chip_steps(milliseconds(5)), 320u);
  EXPECT_EQ(chip_steps(microseconds(1)), 1u);
  EXPECT_EQ(chip_steps(hours(1)), 0xfffffeu);
}

TEST(Commands, AStatusTellsAChipFromAFloatingLine) {
  EXPECT_TRUE(ChipStatus{0x00}.silent());
  EXPECT_TRUE(ChipStatus{0xff}.silent());
  EXPECT_FALSE(ChipStatus{0x52}.silent());
  EXPECT_TRUE(ChipStatus{0x52}.is(ChipMode::rx));
  EXPECT_TRUE(ChipStatus{0x2a}.refused());
  EXPECT_FALSE(ChipStatus{0x22}.refused());
}

}  // namespace
}  // namespace chappe::radio::sx126x
