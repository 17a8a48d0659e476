#include "chappe/base/short_string.h"

#include <gtest/gtest.h>

namespace chappe {
namespace {

TEST(ShortString, KeepsWhatFitsAndCutsTheRestWithoutAMark) {
  ShortString<5> word("abc");
  EXPECT_EQ(word.room(), 2u);
  word.append("defg");
  EXPECT_EQ(word.view(), "abcde");
  EXPECT_EQ(word.append('x').view(), "abcde");
  EXPECT_EQ(word.room(), 0u);
}

TEST(ShortString, AssigningReplacesTheWholeOfIt) {
  ShortString<5> word("abcde");
  word = "xy";
  EXPECT_EQ(word.view(), "xy");
  word.cut(1);
  EXPECT_EQ(word.view(), "x");
  word.cut(3);
  EXPECT_EQ(word.view(), "x");
  word.clear();
  EXPECT_TRUE(word.empty());
}

}  // namespace
}  // namespace chappe
