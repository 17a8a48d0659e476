#include "chappe/mesh/owner_info.h"

#include <gtest/gtest.h>

#include <string>

namespace chappe::mesh {
namespace {

std::string text_of(const Answer& answer) {
  return {reinterpret_cast<const char*>(answer.data()) + 4, answer.size() - 4};
}

TEST(OwnerInfo, TellsTheTagThenVersionNameAndOwner) {
  const Answer answer = owner_info_answer(0x04030201, "v1", "roof", "me, here");
  EXPECT_EQ(text_of(answer), "v1\nroof\nme, here");
  EXPECT_EQ(answer[0], 1);
  EXPECT_EQ(answer[3], 4);
}

// The firmware builds a text that it then cannot send, and whoever asked waits in vain.
TEST(OwnerInfo, TooLongAnOwnerIsCutAndTheAnswerStillFitsIntoAPacket) {
  const std::string version(20, 'v');
  const std::string name(31, 'n');
  const std::string owner(119, 'o');
  const Answer answer = owner_info_answer(1, version, name, owner);
  EXPECT_EQ(answer.size(), 167u);
  EXPECT_TRUE(text_of(answer).starts_with(version + "\n" + name + "\no"));
  constexpr std::size_t kHashes = 2;
  EXPECT_LE(kHashes + seal(SharedSecret{}, answer).size(), kPayloadMax);
}

TEST(OwnerInfo, NoCharacterIsCutInTwo) {
  std::string owner = "x";
  for (int i = 0; i < 60; ++i) owner += "\xc3\xa9";  // é
  const std::string shown = text_of(owner_info_answer(1, std::string(40, 'v'), "n", owner));
  EXPECT_EQ(shown.back(), '\xa9');
  EXPECT_EQ(shown.size(), 162u) << "one byte less than fits";
}

}  // namespace
}  // namespace chappe::mesh
