#include "chappe/sim/captured.h"

#include <gtest/gtest.h>

#include <string>

#include "chappe/mesh/packet.h"
#include "chappe/mesh/packet_hash.h"

namespace chappe::sim {
namespace {

struct Expected {
  std::string_view route;
  std::string_view type;
  std::string_view hash;
};

// From the conformance vectors of the same names.
constexpr Expected kExpected[] = {
    {"FLOOD", "ACK", "bbf95563c6eec9fe"},
    {"FLOOD", "TXT_MSG", "ed5d121dc09272c4"},
    {"FLOOD", "GRP_TXT", "b35e8ec0e974a30b"},
    {"DIRECT", "REQ", "fc4fbaaf45d5a195"},
    {"FLOOD", "GRP_TXT", "2d2b4afd44a43d0e"},
    {"TRANSPORT_FLOOD", "GRP_TXT", "de517617e6b2504c"},
    {"DIRECT", "PATH", "a57d0241d2aed116"},
    {"FLOOD", "GRP_TXT", "b73bca1f3704ab16"},
    {"FLOOD", "ADVERT", "75b10cb12c391078"},
    {"DIRECT", "CONTROL", "c96d16c340a6a15c"},
    {"FLOOD", "GRP_TXT", "d6fc7dd34dfd54ad"},
    {"DIRECT", "ANON_REQ", "be4aa8ae6f57b72a"},
};

std::string hex(mesh::PacketHash hash) {
  std::string text;
  for (const std::uint8_t byte : hash.bytes()) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 0xf];
  }
  return text;
}

TEST(Captured, AreTheVectorsPackets) {
  ASSERT_EQ(captured().size(), std::size(kExpected));
  for (std::size_t i = 0; i < captured().size(); ++i) {
    const auto packet = mesh::parse(captured()[i].frame);
    ASSERT_TRUE(packet) << captured()[i].name;
    EXPECT_EQ(to_string(packet->route), kExpected[i].route) << captured()[i].name;
    EXPECT_EQ(to_string(packet->type), kExpected[i].type) << captured()[i].name;
    EXPECT_EQ(hex(mesh::packet_hash(*packet)), kExpected[i].hash) << captured()[i].name;
  }
}

}  // namespace
}  // namespace chappe::sim
