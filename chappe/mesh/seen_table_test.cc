#include "chappe/mesh/seen_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <optional>

#include "chappe/base/random.h"

namespace chappe::mesh {
namespace {

TEST(SeenTable, RemembersWhatWasInserted) {
  SeenTable seen(3);
  EXPECT_FALSE(seen.contains({1}));
  EXPECT_TRUE(seen.insert({1}));
  EXPECT_TRUE(seen.contains({1}));
  EXPECT_FALSE(seen.insert({1}));
}

TEST(SeenTable, ForgetsTheOldestFirst) {
  SeenTable seen(3);
  for (std::uint64_t word = 1; word <= 4; ++word) seen.insert({word});
  EXPECT_FALSE(seen.contains({1}));
  for (std::uint64_t word = 2; word <= 4; ++word) EXPECT_TRUE(seen.contains({word}));
}

TEST(SeenTable, ADuplicateDoesNotMakeAnEntryYounger) {
  SeenTable seen(2);
  seen.insert({1});
  seen.insert({2});
  seen.insert({1});  // known, so nothing moves
  seen.insert({3});
  EXPECT_FALSE(seen.contains({1}));
  EXPECT_TRUE(seen.contains({2}));
}

TEST(SeenTable, AnEntryOfTheReferencesSizeLivesFor160NewerOnes) {
  SeenTable seen(kSeenReference);
  seen.insert({1'000'000});
  for (std::uint64_t word = 1; word < 160; ++word) seen.insert({word});
  EXPECT_TRUE(seen.contains({1'000'000}));
  seen.insert({160});
  EXPECT_FALSE(seen.contains({1'000'000}));
}

TEST(SeenTable, WhatIsForgottenGetsItsChanceAgain) {
  SeenTable seen(3);
  seen.insert({1});
  seen.insert({2});
  seen.forget({1});
  EXPECT_FALSE(seen.contains({1}));
  EXPECT_TRUE(seen.contains({2}));
  EXPECT_TRUE(seen.insert({1}));
}

TEST(SeenTable, ForgettingDoesNotShortenTheLivesOfOthers) {
  SeenTable seen(3);
  seen.insert({1});
  seen.insert({2});
  seen.insert({3});
  seen.forget({2});
  seen.insert({4});  // takes the slot of 1, whose turn it is
  EXPECT_TRUE(seen.contains({3}));
  EXPECT_FALSE(seen.contains({1}));
}

TEST(SeenTable, ForgettingTheUnknownChangesNothing) {
  SeenTable seen(3);
  seen.insert({1});
  seen.forget({2});
  EXPECT_TRUE(seen.contains({1}));
}

TEST(SeenTable, ZeroIsAHashLikeAnyOther) {
  SeenTable seen;
  EXPECT_FALSE(seen.contains({0}));
  EXPECT_TRUE(seen.insert({0}));
  EXPECT_TRUE(seen.contains({0}));
}

// The same as a plain list of slots would do, with hashes that collide in the index as much as an
// attacker could wish.
TEST(SeenTable, AgreesWithAPlainListWhateverCollides) {
  constexpr std::size_t kCapacity = 40;
  SeededRandom random(7);
  SeenTable seen(kCapacity);
  std::deque<std::optional<std::uint64_t>> list(kCapacity);  // oldest slot first
  for (int round = 0; round < 50'000; ++round) {
    const std::uint64_t word = (std::uint64_t{random.up_to(30)} << 32) + random.up_to(3) +
                               (random.up_to(1) == 0 ? 2046 : 0);  // around the end of the index
    const auto known = std::ranges::find(list, std::optional(word));
    ASSERT_EQ(seen.contains({word}), known != list.end()) << round;
    if (random.up_to(4) == 0) {
      seen.forget({word});
      if (known != list.end()) *known = std::nullopt;
    } else {
      ASSERT_EQ(seen.insert({word}), known == list.end());
      if (known == list.end()) {
        list.pop_front();
        list.push_back(word);
      }
    }
  }
}

}  // namespace
}  // namespace chappe::mesh
