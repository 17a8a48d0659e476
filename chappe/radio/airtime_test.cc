#include "chappe/radio/airtime.h"

#include <gtest/gtest.h>

namespace chappe::radio {
namespace {

Modulation of(std::uint32_t bandwidth_hz,
              std::uint8_t spreading,
              std::uint8_t coding,
              std::uint16_t preamble) {
  Modulation modulation;
  modulation.bandwidth = *Bandwidth::from_nominal(Hertz{bandwidth_hz});
  modulation.spreading = spreading;
  modulation.coding = coding;
  modulation.preamble = preamble;
  return modulation;
}

// The worked examples of lora-phy 1.5 and of Semtech's calculator.
TEST(Airtime, AgreesWithWorkedExamples) {
  EXPECT_EQ(in_us(time_on_air(of(125'000, 8, 5, 8), 30)), 123'392);
  EXPECT_EQ(in_us(time_on_air(of(125'000, 8, 8, 8), 30)), 172'544);
  EXPECT_EQ(in_us(time_on_air(of(62'500, 8, 8, 32), 184)), 1'721'344);
  EXPECT_EQ(in_us(time_on_air(of(500'000, 5, 5, 12), 20)), 4'560);
}

TEST(Airtime, ATinyPayloadFitsIntoTheFirstBlock) {
  Modulation modulation = of(125'000, 12, 5, 8);
  modulation.header = Header::implicit;
  modulation.crc = PayloadCrc::off;
  EXPECT_EQ(time_on_air(modulation, 0), time_on_air(modulation, 1));
  EXPECT_EQ(in_us(time_on_air(modulation, 0)), 663'552);
}

TEST(Airtime, TheLowDataRateRuleSwitchesAtSixteenMilliseconds) {
  EXPECT_FALSE(of(62'500, 9, 5, 16).optimised());
  EXPECT_TRUE(of(62'500, 10, 5, 16).optimised());
  EXPECT_TRUE(of(7'800, 7, 5, 32).optimised());
}

TEST(Airtime, TheLongestPossibleFrameDoesNotOverflow) {
  const Modulation longest = of(7'800, 12, 8, 0xffff);
  EXPECT_GT(time_on_air(longest, 255), hours(9));
}

TEST(Airtime, OnlyTheExactOneKnowsTheExactBandwidth) {
  const Modulation modulation = of(41'700, 8, 5, 32);
  EXPECT_EQ(in_us(modulation.symbol()), 256 * 24);
  EXPECT_LT(reference_airtime(modulation, 50), time_on_air(modulation, 50));
}

TEST(Bandwidth, IsRecognisedByItsRoundedNames) {
  EXPECT_EQ(Bandwidth::from_nominal(Hertz{7'800})->chip(), microseconds(128));
  EXPECT_EQ(Bandwidth::from_nominal(Hertz{7'812})->chip(), microseconds(128));
  EXPECT_EQ(Bandwidth::from_nominal(Hertz{500'000})->chip(), microseconds(2));
  EXPECT_FALSE(Bandwidth::from_nominal(Hertz{100'000}).has_value());
  EXPECT_FALSE(Bandwidth::from_nominal(Hertz{0}).has_value());
}

TEST(Estimates, AreTheReferencesMillisecondsByLength) {
  const auto table = reference_estimates_ms(of(62'500, 8, 5, 32));
  EXPECT_EQ(table[2], 201u);
  EXPECT_EQ(table[10], 242u);
  EXPECT_EQ(table[255], 1512u);
}

TEST(Preamble, IsLongWhereSymbolsAreShort) {
  EXPECT_EQ(preamble_for(8), 32);
  EXPECT_EQ(preamble_for(9), 16);
}

}  // namespace
}  // namespace chappe::radio
