#include "chappe/radio/kiss/framing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "chappe/base/random.h"

namespace chappe::radio::kiss {
namespace {

using List = std::vector<std::uint8_t>;

std::vector<List> decode(Decoder& decoder, const List& line) {
  std::vector<List> frames;
  for (const std::uint8_t byte : line) {
    const Bytes frame = decoder.push(byte);
    if (!frame.empty()) frames.emplace_back(frame.begin(), frame.end());
  }
  return frames;
}

std::vector<List> decode(const List& line) {
  Decoder decoder;
  return decode(decoder, line);
}

List line_of(const List& frame) {
  const LineBuffer line = encode(frame);
  return List(line.view().begin(), line.view().end());
}

TEST(KissFraming, EscapesTheMarkAndTheEscapeAndNothingElse) {
  EXPECT_EQ(line_of({0x00, 0xc0, 0xdb, 0xdc, 0xdd}),
            (List{0xc0, 0x00, 0xdb, 0xdc, 0xdb, 0xdd, 0xdc, 0xdd, 0xc0}));
}

TEST(KissFraming, EveryFrameComesBackFromTheLine) {
  SeededRandom random(1);
  Decoder decoder;
  for (int round = 0; round < 500; ++round) {
    List frame(1 + random.up_to(kFrameBytesMax - 1));
    for (std::uint8_t& byte : frame) {
      // Half of them are bytes that need an escape, or look like one.
      constexpr std::uint8_t kHard[] = {kFend, kFesc, kTfend, kTfesc};
      const std::uint32_t word = random.next();
      byte = (word & 0x100) != 0 ? kHard[word & 3] : static_cast<std::uint8_t>(word);
    }
    const auto frames = decode(decoder, line_of(frame));
    ASSERT_EQ(frames.size(), 1u) << round;
    EXPECT_EQ(frames[0], frame) << round;
  }
}

TEST(KissFraming, OneMarkMayEndAFrameAndBeginTheNext) {
  EXPECT_EQ(decode({0xc0, 1, 0xc0, 2, 0xc0}), (std::vector<List>{{1}, {2}}));
}

TEST(KissFraming, NoiseBeforeTheFirstMarkAndEmptyFramesAreNothing) {
  EXPECT_EQ(decode({7, 0xdb, 8, 0xc0, 0xc0, 0xc0, 1, 0xc0}), (std::vector<List>{{1}}));
}

TEST(KissFraming, AByteBehindAnEscapeThatIsNoneIsLeftOut) {
  EXPECT_EQ(decode({0xc0, 1, 0xdb, 9, 2, 0xc0}), (std::vector<List>{{1, 2}}));
  EXPECT_EQ(decode({0xc0, 1, 0xdb, 0xc0, 2, 0xc0}), (std::vector<List>{{1}, {2}}));
  EXPECT_EQ(decode({0xc0, 1, 0xdb, 0xdb, 0xdc, 0xc0}), (std::vector<List>{{1, 0xc0}}));
}

TEST(KissFraming, AFrameThatIsTooLongIsLeftOutWholeAndCountedAndTheNextOneIsThere) {
  List line(kFrameBytesMax + 2, 5);
  line.front() = line.back() = kFend;
  EXPECT_EQ(decode(line), (std::vector<List>{List(kFrameBytesMax, 5)}));

  line = List(kFrameBytesMax + 5, 5);  // one byte too many, then a frame of one
  line.front() = line[kFrameBytesMax + 2] = line.back() = kFend;
  line[kFrameBytesMax + 3] = 1;
  Decoder decoder;
  EXPECT_EQ(decode(decoder, line), (std::vector<List>{{1}}));
  EXPECT_EQ(decoder.too_long_count(), 1u);
}

TEST(KissFraming, AResetForgetsTheFrameThatHadBegun) {
  Decoder decoder;
  EXPECT_TRUE(decode(decoder, {0xc0, 1, 2}).empty());
  decoder.reset();
  EXPECT_EQ(decode(decoder, {3, 0xc0, 4, 0xc0}), (std::vector<List>{{4}}));
}

}  // namespace
}  // namespace chappe::radio::kiss
