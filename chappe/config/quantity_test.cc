#include "chappe/config/quantity.h"

#include <gtest/gtest.h>

#include <string>

namespace chappe::config {
namespace {

TEST(Quantity, ReadsFrequenciesToTheHertz) {
  EXPECT_EQ(parse_frequency("869.618 MHz").value(), Hertz{869'618'000});
  EXPECT_EQ(parse_frequency("869.618001MHz").value(), Hertz{869'618'001});
  EXPECT_EQ(parse_frequency("0.869618 GHz").value(), Hertz{869'618'000});
  EXPECT_EQ(parse_frequency("62.5   kHz").value(), Hertz{62'500});
  EXPECT_EQ(parse_frequency("4294967295 Hz").value(), Hertz{4'294'967'295});
  EXPECT_EQ(parse_frequency("0 Hz").value(), Hertz{0});
}

TEST(Quantity, RefusesWhatIsNoFrequency) {
  for (const char* text : {"",
                           " ",
                           "MHz",
                           "869.618",
                           "869,618 MHz",
                           " 869 MHz",
                           "869 MHz ",
                           "-869 MHz",
                           "+869 MHz",
                           ".5 MHz",
                           "5. MHz",
                           "1e3 Hz",
                           "0x10 Hz",
                           "0.5 Hz",
                           "62.50001 Hz",
                           "1.0000001 GHz",
                           "4294967296 Hz",
                           "4.294968 GHz",
                           "99999999999999999999 Hz",
                           "1 s",
                           "1 mhz",
                           "1 %"}) {
    EXPECT_FALSE(parse_frequency(text)) << text;
  }
}

TEST(Quantity, ReadsDurationsToTheMicrosecond) {
  EXPECT_EQ(parse_duration("1h").value(), hours(1));
  EXPECT_EQ(parse_duration("1.5 min").value(), seconds(90));
  EXPECT_EQ(parse_duration("0.000001s").value(), microseconds(1));
  EXPECT_EQ(parse_duration("7d").value(), hours(168));
  EXPECT_EQ(parse_duration("250ms").value(), milliseconds(250));
  EXPECT_FALSE(parse_duration("1 m"));
  EXPECT_FALSE(parse_duration("1.5us"));
  EXPECT_FALSE(parse_duration("9999999999d"));
}

TEST(Quantity, ReadsSharesAndRoundsThemDown) {
  EXPECT_EQ(parse_share("10 %", hours(1)).value(), seconds(360));
  EXPECT_EQ(parse_share("0.1%", hours(1)).value(), milliseconds(3600));
  EXPECT_EQ(parse_share("100 %", hours(24)).value(), hours(24));
  EXPECT_EQ(parse_share("36s", hours(1)).value(), seconds(36));
  EXPECT_EQ(parse_share("50 %", microseconds(3)).value(), microseconds(1));
  EXPECT_EQ(parse_share("33.333333 %", microseconds(100'000'000)).value(),
            microseconds(33'333'333));
  EXPECT_FALSE(parse_share("100.000001 %", hours(1)));
  EXPECT_FALSE(parse_share("101 %", hours(1)));
  EXPECT_FALSE(parse_share("10", hours(1)));
}

TEST(Quantity, PrintsWhatReadsBackEqual) {
  EXPECT_EQ(print(Hertz{869'618'000}), "869.618 MHz");
  EXPECT_EQ(print(Hertz{62'500}), "62.5 kHz");
  EXPECT_EQ(print(Hertz{0}), "0 Hz");
  EXPECT_EQ(print(Duration(seconds(3600))), "1h");
  EXPECT_EQ(print(Duration(seconds(90))), "90s");
  EXPECT_EQ(print(Duration(microseconds(1'000'001))), "1000001us");
  EXPECT_EQ(print(Duration::zero()), "0us");
  for (const std::uint32_t count :
       {1u, 999u, 1'000u, 1'001u, 999'999u, 1'000'001u, 869'618'001u, 4'294'967'295u}) {
    EXPECT_EQ(parse_frequency(print(Hertz{count})).value(), Hertz{count});
  }
  for (const std::int64_t count : {1, 999, 1'000, 59'999'999, 60'000'000, 86'399'999}) {
    EXPECT_EQ(parse_duration(print(Duration(count))).value(), Duration(count));
  }
}

}  // namespace
}  // namespace chappe::config
