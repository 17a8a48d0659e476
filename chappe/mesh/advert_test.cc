#include "chappe/mesh/advert.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "chappe/mesh/identity.h"
#include "chappe/mesh/neighbours.h"

namespace chappe::mesh {
namespace {

Seed seed_of(std::uint8_t byte) {
  Seed seed;
  seed.fill(byte);
  return seed;
}

ByteBuffer<kAppdataMax> repeater_appdata() {
  Appdata fields;
  fields.type = NodeType::repeater;
  fields.name = "Chappe";
  return build_appdata(fields);
}

TEST(Advert, AnOwnOneIsGenuine) {
  const Identity node = identity_of(seed_of(0x11));
  const auto payload = build_advert(node.prv, node.pub, 1'700'000'000, repeater_appdata());
  const auto advert = parse_advert(payload);
  ASSERT_TRUE(advert.has_value());
  EXPECT_TRUE(advert->is_genuine());
  EXPECT_EQ(advert->timestamp, 1'700'000'000u);
}

TEST(Advert, AnyChangedByteMakesItForged) {
  const Identity node = identity_of(seed_of(0x11));
  const auto genuine = build_advert(node.prv, node.pub, 1'700'000'000, repeater_appdata());
  for (std::size_t at = 0; at < genuine.size(); at += 7) {
    auto forged = genuine;
    forged[at] ^= 1;
    EXPECT_FALSE(parse_advert(forged)->is_genuine()) << at;
  }
}

TEST(Advert, BytesBeyondThe32OfAppdataAreNotSigned) {
  const Identity node = identity_of(seed_of(0x11));
  Appdata fields;
  fields.type = NodeType::repeater;
  fields.name = std::string_view("0123456789012345678901234567890");
  const auto payload = build_advert(node.prv, node.pub, 1, build_appdata(fields));
  ByteBuffer<kPayloadMax> longer(payload);
  longer.append(std::uint8_t{0x77});
  ASSERT_EQ(payload.size(), kAdvertHeader + kAppdataMax);
  EXPECT_TRUE(parse_advert(longer)->is_genuine());
}

TEST(Advert, ShorterThanItsFixedPartIsNone) {
  EXPECT_FALSE(parse_advert(std::vector<std::uint8_t>(99)).has_value());
  EXPECT_TRUE(parse_advert(std::vector<std::uint8_t>(100)).has_value());
}

// The firmware's software check takes a second form of the same signature, S + L.
TEST(Advert, ASignatureHasOneFormOnly) {
  const Identity node = identity_of(seed_of(0x11));
  const std::vector<std::uint8_t> message = {1, 2, 3};
  Signature signature = crypto::sign(node.prv, node.pub, message);
  ASSERT_TRUE(crypto::verify(node.pub, signature, message));
  const std::array<std::uint8_t, 32> order = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                              0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                              0,    0,    0,    0,    0,    0,    0,    0,
                                              0,    0,    0,    0,    0,    0,    0,    0x10};
  unsigned carry = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    carry += signature[32 + i] + unsigned{order[i]};
    signature[32 + i] = static_cast<std::uint8_t>(carry);
    carry >>= 8;
  }
  EXPECT_FALSE(crypto::verify(node.pub, signature, message));
}

TEST(Appdata, FlagsThatPromiseMoreThanThereIsAreInvalid) {
  using Bytes8 = std::vector<std::uint8_t>;
  EXPECT_FALSE(parse_appdata(Bytes8{}).has_value());
  EXPECT_FALSE(parse_appdata(Bytes8{0x10, 1, 2, 3, 4, 5, 6, 7}).has_value());
  EXPECT_TRUE(parse_appdata(Bytes8{0x10, 1, 2, 3, 4, 5, 6, 7, 8}).has_value());
  EXPECT_FALSE(parse_appdata(Bytes8{0x60, 1, 2, 3}).has_value());
  EXPECT_TRUE(parse_appdata(Bytes8{0x80}).has_value());
}

TEST(Appdata, ANameEndsAtItsFirstZero) {
  const std::vector<std::uint8_t> bytes = {0x81, 'a', 'b', 0, 'c'};
  EXPECT_EQ(parse_appdata(bytes)->name, "ab");
}

TEST(Appdata, ANameIsCutBetweenCharacters) {
  Appdata fields;
  fields.position = Position{1, 2};
  fields.name = "ABCDEFGHIJKLMNOPQRSTUV\xf0\x9f\x98\x80Z";
  const auto built = build_appdata(fields);
  EXPECT_EQ(parse_appdata(built)->name, "ABCDEFGHIJKLMNOPQRSTUV");
}

TEST(Appdata, AnInvalidCharacterEndsTheName) {
  Appdata fields;
  fields.name = "ab\xff|cd";
  EXPECT_EQ(parse_appdata(build_appdata(fields))->name, "ab");
  fields.name = "\xc3";
  EXPECT_EQ(build_appdata(fields).size(), 1u);  // nothing is left, so no flag either
}

TEST(Appdata, DegreesAreCutTowardsZero) {
  EXPECT_EQ(to_e6(1.9999999), 1'999'999);
  EXPECT_EQ(to_e6(-1.9999999), -1'999'999);
  EXPECT_EQ(to_e6(1e300), 2'000'000'000);
}

class NeighbourTable : public testing::Test {
 protected:
  Packet zero_hop() const {
    Packet packet;
    packet.type = PayloadType::advert;
    return packet;
  }
  void hear(const Packet& packet, std::uint8_t who, std::uint32_t now, Decibels snr = {0}) {
    const Identity node = identity_of(seed_of(who));
    const auto payload = build_advert(node.prv, node.pub, 5, repeater_appdata());
    table_.hear(packet, *parse_advert(payload), snr, now);
  }
  PublicKey key_of(std::uint8_t who) const { return identity_of(seed_of(who)).pub; }

  Neighbours table_{2};
};

TEST_F(NeighbourTable, ARepeaterHeardDirectlyIsANeighbour) {
  hear(zero_hop(), 1, 100, {14});
  ASSERT_EQ(table_.all().size(), 1u);
  EXPECT_EQ(table_.all()[0].key, key_of(1));
  EXPECT_EQ(table_.all()[0].heard_at, 100u);
  EXPECT_EQ(table_.all()[0].advert_timestamp, 5u);
  EXPECT_EQ(table_.all()[0].snr, Decibels{14});
}

TEST_F(NeighbourTable, OneHopAwayIsNoNeighbour) {
  Packet packet = zero_hop();
  packet.hop_count = 1;
  hear(packet, 1, 100);
  EXPECT_TRUE(table_.all().empty());
}

TEST_F(NeighbourTable, ASharedContactIsNoNeighbour) {
  Packet packet = zero_hop();
  packet.route = Route::transport_direct;
  hear(packet, 1, 100);
  EXPECT_TRUE(table_.all().empty());
  packet.codes = {1, 0};
  hear(packet, 1, 100);
  EXPECT_EQ(table_.all().size(), 1u);
}

TEST_F(NeighbourTable, AChatNodeIsNoNeighbour) {
  const Identity node = identity_of(seed_of(1));
  Appdata fields;
  fields.type = NodeType::chat;
  const auto payload = build_advert(node.prv, node.pub, 5, build_appdata(fields));
  table_.hear(zero_hop(), *parse_advert(payload), {}, 100);
  EXPECT_TRUE(table_.all().empty());
}

TEST_F(NeighbourTable, TheOneHeardLongestAgoMakesRoom) {
  hear(zero_hop(), 1, 100);
  hear(zero_hop(), 2, 101);
  hear(zero_hop(), 1, 102);  // known: updated in its place
  hear(zero_hop(), 3, 103);
  ASSERT_EQ(table_.all().size(), 2u);
  EXPECT_EQ(table_.all()[0].key, key_of(1));
  EXPECT_EQ(table_.all()[1].key, key_of(3));
}

TEST_F(NeighbourTable, RemovingGoesByPrefix) {
  hear(zero_hop(), 1, 100);
  hear(zero_hop(), 2, 101);
  EXPECT_EQ(table_.remove(Bytes(key_of(1)).first(4)), 1u);
  ASSERT_EQ(table_.all().size(), 1u);
  EXPECT_EQ(table_.all()[0].key, key_of(2));
  EXPECT_EQ(table_.remove({}), 1u);
}

}  // namespace
}  // namespace chappe::mesh
