#include "chappe/explore/litmus.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "chappe/explore/random_litmus.h"

namespace chappe::explore {
namespace {

std::string file(const std::string& path) {
  std::ifstream stream(std::string(CHAPPE_SOURCE_DIR) + "/" + path);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

Litmus row(const std::string& text) {
  LitmusFile parsed = parse_litmus(text);
  EXPECT_EQ(parsed.mistake, "");
  return parsed.rows.empty() ? Litmus{} : parsed.rows[0];
}

TEST(Litmus, EveryRowGivesItsVerdictAndItsExactCounts) {
  const LitmusFile rows = parse_litmus(file("tests/vectors/litmus/rows.litmus"));
  ASSERT_EQ(rows.mistake, "");
  ASSERT_EQ(rows.rows.size(), 62u);
  std::uint64_t complete = 0;
  std::uint64_t abandoned = 0;
  for (const Litmus& one : rows.rows) {
    const LitmusResult result = run_litmus(one);
    EXPECT_TRUE(result.as_stated(one))
        << one.name << ": " << result.executions << " executions, " << result.outcomes
        << " outcomes, shown " << result.shown << " " << result.trouble;
    if (!result.uses_seq_cst) {
      EXPECT_EQ(result.explored, result.executions) << one.name << " is explored twice";
    }
    complete += result.explored;
    abandoned += result.abandoned;
  }
  EXPECT_LE(2 * abandoned, complete);
}

TEST(Litmus, IncrementsOfOneWordHaveTheMultinomialNumberOfExecutions) {
  EXPECT_EQ(run_litmus(row("n F F - - A x 1 rlx a; A x 1 rlx b || A x 1 rlx c; A x 1 rlx d || "
                           "A x 1 rlx e; A x 1 rlx f => [x]=5"))
                .executions,
            90u);
  const LitmusResult three =
      run_litmus(row("n F F - - A x 1 rlx a; A x 1 rlx b; A x 1 rlx c || A x 1 rlx d; A x 1 rlx e; "
                     "A x 1 rlx f || A x 1 rlx g; A x 1 rlx h; A x 1 rlx i => [x]=8"));
  EXPECT_EQ(three.executions, 1680u);
  EXPECT_EQ(three.explored, 1680u);
}

TEST(Litmus, OneWriterOfThreeAndThreeReadersOfTwoHaveAThousand) {
  const LitmusResult result = run_litmus(
      row("n F F - - W x 1 rlx; W x 2 rlx; W x 3 rlx || R x rlx a; R x rlx b || R x rlx c; "
          "R x rlx d || R x rlx e; R x rlx f => a=3 b=2"));
  EXPECT_EQ(result.executions, 1000u);
  EXPECT_EQ(result.explored, 1000u);
  EXPECT_FALSE(result.shown);
}

TEST(Litmus, InitialValuesStandAnywhereInAThreadOrInOneOfTheirOwn) {
  EXPECT_TRUE(run_litmus(row("n A A 1 1 init n=2 m=-3; R n rlx a; R m rlx b => a=2 b=-3")).shown);
  EXPECT_TRUE(run_litmus(row("n A A 1 1 init n=2 || R n rlx a => a=2 [n]=2")).shown);
}

TEST(Litmus, AMistakeIsToldWithItsLine) {
  EXPECT_EQ(parse_litmus("# only a comment\n").mistake, "no row");
  EXPECT_EQ(parse_litmus("\nn F F 1 1 W x 1 rlx").mistake, "line 2: no question: '=>' is missing");
  EXPECT_EQ(parse_litmus("n F F 1 1 W x 1 acq => [x]=1").mistake,
            "line 1: order 'acq' is none of: rlx rel sc");
  EXPECT_EQ(parse_litmus("n F F 1 1 W x 1 => [x]=1").mistake,
            "line 1: 'W' takes 3 operands in 'W x 1'");
  EXPECT_EQ(parse_litmus("n F B 1 1 W x 1 rlx => [x]=1").mistake,
            "line 1: verdict 'A' or 'F' expected, not 'B'");
  EXPECT_EQ(parse_litmus("n F F 1 1 W x 1 rlx => a=1").mistake, "line 1: nobody sets register 'a'");
}

TEST(Litmus, AnExecutionThatNeedsTooMuchIsTroubleAndNotAVerdict) {
  std::string many = "n F F - - W x 0 rlx";
  for (int i = 0; i < 200; ++i) many += "; W x 1 rlx";
  const Litmus one = row(many + " => [x]=7");
  EXPECT_FALSE(run_litmus(one).as_stated(one));
}

class SelfTest : public testing::TestWithParam<int> {};

// The reduced search must see what the naive one sees, which tries every core at every step: the
// same outcomes, and the same number of different executions.
TEST_P(SelfTest, TheReducedSearchSeesWhatTheNaiveOneSees) {
  constexpr int kPrograms = 1000;
  constexpr std::uint64_t kNaiveMost = 2000;
  const auto group = static_cast<Group>(GetParam());
  int tried = 0;
  std::uint64_t naive_total = 0;
  std::uint64_t reduced_total = 0;
  for (std::uint64_t seed = 1; tried < kPrograms; ++seed) {
    const Litmus program = random_litmus(group, seed);
    const LitmusResult naive = run_litmus(program, Search::Reduction::none, kNaiveMost);
    if (!naive.trouble.empty()) continue;  // too long for the naive search
    const LitmusResult reduced = run_litmus(program);
    ASSERT_EQ(reduced.outcome_set, naive.outcome_set)
        << "seed " << seed << ": " << to_text(program);
    ASSERT_EQ(reduced.executions, naive.executions) << "seed " << seed << ": " << to_text(program);
    naive_total += naive.explored;
    reduced_total += reduced.explored;
    ++tried;
  }
  std::printf("%s: %d programs, %llu executions naive, %llu reduced\n",
              name_of(group),
              tried,
              static_cast<unsigned long long>(naive_total),
              static_cast<unsigned long long>(reduced_total));
}

INSTANTIATE_TEST_SUITE_P(Groups, SelfTest, testing::Range(0, kGroups));

}  // namespace
}  // namespace chappe::explore
