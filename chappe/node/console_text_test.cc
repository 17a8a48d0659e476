#include "chappe/node/console_text.h"

#include <gtest/gtest.h>

#include <string>

namespace chappe::node {
namespace {

template <class Append, class Value>
std::string written(Append append, Value value) {
  Reply reply;
  append(reply, value);
  return std::string(reply.view());
}

// Recorded: what `get` showed after `set` of the same number.
TEST(ConsoleText, FloatsAreSinglePrecisionAndCutAfterSevenDecimals) {
  EXPECT_EQ(written(append_float, 868.1F), "868.0999755");
  EXPECT_EQ(written(append_float, 48.8566F), "48.8566017");
  EXPECT_EQ(written(append_float, -33.86F), "-33.8600006");
  EXPECT_EQ(written(append_float, 0.000001F), "0.0000009");
  EXPECT_EQ(written(append_float, 3.3F), "3.2999999");
  EXPECT_EQ(written(append_float, 0.3F), "0.3");
  EXPECT_EQ(written(append_float, 2.0F), "2.0");
  EXPECT_EQ(written(append_float, 1e30F), "4000000000.0");
}

TEST(ConsoleText, BandwidthsHaveUpToThreeDecimals) {
  EXPECT_EQ(written(append_bandwidth, 62.5), "62.5");
  EXPECT_EQ(written(append_bandwidth, 125.0), "125");
  EXPECT_EQ(written(append_bandwidth, 7.8125), "7.813");
  EXPECT_EQ(written(append_bandwidth, 31.05), "31.05");
}

TEST(ConsoleText, DatesCountAsTheReferenceDoes) {
  EXPECT_EQ(written(append_date, 1'700'000'000U), "22:13 - 14/11/2023 UTC");
  EXPECT_EQ(written(append_date, 1'709'164'800U), "00:00 - 29/2/2024 UTC");
  EXPECT_EQ(written(append_date, 4'294'967'295U), "06:28 - 6/2/2106 UTC");
  EXPECT_EQ(written(append_date, 5U), "06:28 - 6/2/2106 UTC");
}

TEST(ConsoleText, ANumberIsReadFromTheFrontOrNotAtAll) {
  EXPECT_EQ(leading_number(" 2.5x"), 2.5);
  EXPECT_EQ(leading_number("1e2"), 100);
  EXPECT_EQ(leading_number("+3"), 3);
  EXPECT_EQ(leading_number("abc"), 0);
  EXPECT_EQ(leading_number("inf"), 0);
  EXPECT_EQ(leading_number("-nan"), 0);
  EXPECT_EQ(leading_integer("-9"), -9);
  EXPECT_EQ(leading_integer("33.3"), 33);
  EXPECT_EQ(leading_integer("99999999999"), 2147483647);
  EXPECT_EQ(whole_number("2.5"), 2.5);
  EXPECT_EQ(whole_number("2.5x"), std::nullopt);
  EXPECT_EQ(whole_number(""), std::nullopt);
  EXPECT_EQ(whole_number("- 1"), std::nullopt);
}

TEST(ConsoleText, WordsAreTakenFromTheFront) {
  std::string_view rest = "  put  eu ";
  EXPECT_EQ(take_word(rest), "put");
  EXPECT_EQ(take_word(rest), "eu");
  EXPECT_EQ(take_word(rest), "");
}

}  // namespace
}  // namespace chappe::node
