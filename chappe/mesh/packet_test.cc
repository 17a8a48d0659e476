#include "chappe/mesh/packet.h"

#include <gtest/gtest.h>

#include <vector>

#include "chappe/base/random.h"

namespace chappe::mesh {
namespace {

using Frame = std::vector<std::uint8_t>;

Frame joined(Frame head, std::size_t count, std::uint8_t fill = 0x5a) {
  head.insert(head.end(), count, fill);
  return head;
}

ParseError error_of(const Frame& frame) {
  const auto packet = parse(frame);
  EXPECT_FALSE(packet.has_value());
  return packet ? ParseError{} : packet.error();
}

TEST(Packet, AFloodIsTakenApart) {
  const Frame frame = {0x15, 0x42, 0xaa, 0xbb, 0xcc, 0xdd, 0x01, 0x02, 0x03};
  const auto packet = parse(frame);
  ASSERT_TRUE(packet.has_value());
  EXPECT_EQ(packet->route, Route::flood);
  EXPECT_EQ(packet->type, PayloadType::group_text);
  EXPECT_EQ(packet->hash_size, 2);
  EXPECT_EQ(packet->hop_count, 2);
  EXPECT_EQ(packet->path.size(), 4u);
  EXPECT_EQ(packet->payload.size(), 3u);
  EXPECT_EQ(packet->payload[0], 0x01);
}

TEST(Packet, TransportCodesAreLittleEndian) {
  const Frame frame = {0x14, 0x34, 0x12, 0x78, 0x56, 0x00, 0x01};
  const auto packet = parse(frame);
  ASSERT_TRUE(packet.has_value());
  EXPECT_EQ(packet->codes, (TransportCodes{0x1234, 0x5678}));
}

TEST(Packet, TheHashSizeOfAnEmptyPathIsKept) {
  const Frame frame = {0x0a, 0x40, 0x01};
  const auto packet = parse(frame);
  ASSERT_TRUE(packet.has_value());
  EXPECT_EQ(packet->hash_size, 2);
  EXPECT_EQ(packet->hop_count, 0);
  EXPECT_EQ(write(*packet)[1], 0x40);
}

TEST(Packet, AnEmptyPayloadIsAccepted) {
  const Frame frame = {0x0a, 0x01, 0xaa};
  const auto packet = parse(frame);
  ASSERT_TRUE(packet.has_value());
  EXPECT_TRUE(packet->payload.empty());
}

TEST(Packet, EveryTruncationOfItsHeadIsNamed) {
  EXPECT_EQ(error_of({}), ParseError::truncated);
  EXPECT_EQ(error_of({0x15}), ParseError::truncated);
  EXPECT_EQ(error_of({0x14, 1, 2, 3}), ParseError::truncated);
  EXPECT_EQ(error_of({0x14, 1, 2, 3, 4}), ParseError::truncated);
  EXPECT_EQ(error_of({0x15, 0x02, 0xaa}), ParseError::truncated);
  EXPECT_EQ(error_of({0x15, 0x81, 0xaa, 0xbb}), ParseError::truncated);
}

TEST(Packet, AnUnknownVersionComesBeforeEverythingElse) {
  EXPECT_EQ(error_of({0x55}), ParseError::unsupported_version);
  EXPECT_EQ(error_of({0x95, 0xc1}), ParseError::unsupported_version);
  const Frame later = {0x55, 0x00, 0x01};
  const auto packet = parse_any_version(later);
  ASSERT_TRUE(packet.has_value());
  EXPECT_EQ(packet->version, 1);
  EXPECT_EQ(packet->type, PayloadType::group_text);
  EXPECT_EQ(write(*packet)[0], 0x55);
}

TEST(Packet, TheReservedHashSizeIsRejected) {
  EXPECT_EQ(error_of(joined({0x15, 0xc0}, 8)), ParseError::reserved_path_mode);
}

TEST(Packet, APathEndsAtSixtyFourBytes) {
  EXPECT_TRUE(parse(joined({0x15, 0x3f}, 63 + 1)).has_value());
  EXPECT_TRUE(parse(joined({0x15, 0x60}, 64 + 1)).has_value());              // 32 of two bytes
  EXPECT_EQ(error_of(joined({0x15, 0x61}, 80)), ParseError::path_too_long);  // 33
  EXPECT_TRUE(parse(joined({0x15, 0x95}, 63 + 1)).has_value());              // 21 of three bytes
  EXPECT_EQ(error_of(joined({0x15, 0x96}, 80)), ParseError::path_too_long);  // 22
}

TEST(Packet, APayloadEndsAt184Bytes) {
  EXPECT_TRUE(parse(joined({0x15, 0x00}, 184)).has_value());
  EXPECT_EQ(error_of(joined({0x15, 0x00}, 185)), ParseError::payload_too_big);
}

TEST(Packet, WhateverIsAcceptedIsWrittenBackUnchanged) {
  SeededRandom random(0x1794);
  int accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    Frame frame(random.up_to(255));
    random.fill(frame);
    if (frame.size() > 1) frame[1] &= 0x8f;  // short paths, or hardly anything would be accepted
    const auto packet = parse_any_version(frame);
    if (!packet) continue;
    ++accepted;
    const FrameBytes written = write(*packet);
    ASSERT_EQ(Frame(written.view().begin(), written.view().end()), frame);
  }
  EXPECT_GT(accepted, 1000);
}

TEST(Packet, OneHopMoreGoesToTheEndOfThePath) {
  const Frame frame = {0x15, 0x41, 0xaa, 0xbb, 0x01};
  const Frame hop = {0xd0, 0x4a};
  const FrameBytes written = write_with_hop(*parse(frame), hop);
  EXPECT_EQ(Frame(written.view().begin(), written.view().end()),
            (Frame{0x15, 0x42, 0xaa, 0xbb, 0xd0, 0x4a, 0x01}));
}

using PacketDeathTest = testing::Test;

TEST(PacketDeathTest, AHopOfAnotherSizeIsABrokenPromise) {
  const Frame frame = {0x15, 0x41, 0xaa, 0xbb, 0x01};
  const Frame hop = {0xd0};
  const Packet packet = *parse(frame);
  EXPECT_DEATH(write_with_hop(packet, hop), "check failed");
}

TEST(PacketDeathTest, A64thHopNeverOverflowsIntoTheHashSize) {
  const Frame frame = joined({0x15, 0x3f}, 63 + 1);
  const Frame hop = {0xd0};
  const Packet packet = *parse(frame);
  EXPECT_DEATH(write_with_hop(packet, hop), "check failed");
}

}  // namespace
}  // namespace chappe::mesh
