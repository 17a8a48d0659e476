#include "chappe/client/kiss_modem.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "chappe/base/random.h"
#include "chappe/mesh/envelope.h"

namespace chappe::client {
namespace {

using Frame = std::vector<std::uint8_t>;

mesh::Identity identity_from(std::uint8_t byte) {
  mesh::Seed seed;
  seed.fill(byte);
  return mesh::identity_of(seed);
}

struct Host final : KissHost {
  bool transmit(Bytes frame) override {
    on_air.emplace_back(frame.begin(), frame.end());
    return takes_frames;
  }
  bool is_channel_busy() override { return busy; }
  Duration airtime(std::size_t) const override { return milliseconds(200); }
  bool set_channel(const radio::kiss::Tuning& channel) override {
    return channel.frequency_hz == 869'618'000;
  }
  std::string_view name() const override { return "test"; }
  KissCounts counts() const override { return {1, 2, 3}; }
  void fill_random(std::span<std::uint8_t> bytes) override { std::ranges::fill(bytes, chance); }

  std::vector<Frame> on_air;
  bool takes_frames = true;
  bool busy = false;
  std::uint8_t chance = 0;
};

class KissModemTest : public testing::Test {
 protected:
  void say(const Frame& frame) { modem_.receive(radio::kiss::encode(frame), now_); }
  // What the modem said since the last call.
  std::vector<Frame> hear() {
    std::vector<Frame> frames;
    radio::kiss::Decoder decoder;
    for (const char letter : std::exchange(modem_.output(), {})) {
      const Bytes frame = decoder.push(static_cast<std::uint8_t>(letter));
      if (!frame.empty()) frames.emplace_back(frame.begin(), frame.end());
    }
    return frames;
  }
  std::vector<Frame> ask(std::uint8_t request, Bytes arguments = {}) {
    Frame frame{0x06, request};
    frame.insert(frame.end(), arguments.begin(), arguments.end());
    say(frame);
    return hear();
  }
  void pass(Duration span) {
    const Time until = now_ + span;
    while (modem_.due() <= until) {
      now_ = std::max(now_, modem_.due());
      modem_.poll(now_);
    }
    now_ = until;
  }

  Host host_;
  const mesh::Identity identity_ = identity_from(0x11);
  KissModem modem_{host_, identity_};
  Time now_{};
};

const std::vector<Frame> kDone = {{0x06, 0xf0}};
std::vector<Frame> error(std::uint8_t code) {
  return {{0x06, 0xf1, code}};
}

TEST_F(KissModemTest, SignsSoThatItsOwnIdentityVerifiesIt) {
  const Frame message = {1, 2, 3};
  const auto signature = ask(0x04, message);
  ASSERT_EQ(signature.size(), 1u);
  ASSERT_EQ(signature[0].size(), 2u + 64);
  Frame claim(identity_.pub.begin(), identity_.pub.end());
  claim.insert(claim.end(), signature[0].begin() + 2, signature[0].end());
  claim.insert(claim.end(), message.begin(), message.end());
  EXPECT_EQ(ask(0x03, claim), (std::vector<Frame>{{0x06, 0x83, 1}}));
  claim.back() ^= 1;
  EXPECT_EQ(ask(0x03, claim), (std::vector<Frame>{{0x06, 0x83, 0}}));
  claim.resize(32 + 64);
  EXPECT_EQ(ask(0x03, claim), error(1)) << "no message";
}

TEST_F(KissModemTest, AgreesWithAPeerOnASecretAndSealsWhatThePeerOpens) {
  const mesh::Identity peer = identity_from(0x22);
  const auto exchanged = ask(0x07, peer.pub);
  ASSERT_EQ(exchanged.size(), 1u);
  const auto secret = mesh::crypto::shared_secret(peer.prv, identity_.pub);
  ASSERT_TRUE(secret);
  EXPECT_TRUE(std::ranges::equal(Bytes(exchanged[0]).subspan(2), *secret));

  Frame plain(secret->begin(), secret->end());
  plain.insert(plain.end(), {'h', 'i'});
  auto sealed = ask(0x05, plain);
  ASSERT_EQ(sealed.size(), 1u);
  EXPECT_TRUE(mesh::open(*secret, Bytes(sealed[0]).subspan(2)));

  Frame cipher(secret->begin(), secret->end());
  cipher.insert(cipher.end(), sealed[0].begin() + 2, sealed[0].end());
  const auto opened = ask(0x06, cipher);
  ASSERT_EQ(opened.size(), 1u);
  EXPECT_EQ(opened[0][2], 'h');
  cipher.back() ^= 1;
  EXPECT_EQ(ask(0x06, cipher), error(4));
  EXPECT_EQ(ask(0x06, Bytes(cipher).first(34)), error(1));
}

TEST_F(KissModemTest, RefusesToSealWhatFitsNoPacket) {
  Frame plain(32 + mesh::kPlainMax + 1, 7);
  EXPECT_EQ(ask(0x05, plain), error(6));
  plain.pop_back();
  EXPECT_EQ(ask(0x05, plain)[0][1], 0x85);
}

TEST_F(KissModemTest, HashesWithSha256) {
  const Frame abc = {'a', 'b', 'c'};
  const auto hash = ask(0x08, abc);
  ASSERT_EQ(hash.size(), 1u);
  EXPECT_TRUE(std::ranges::equal(Bytes(hash[0]).subspan(2), mesh::crypto::sha256(abc)));
}

TEST_F(KissModemTest, SaysWhatIsNotAvailable) {
  for (const std::uint8_t request : Frame{0x0d, 0x10, 0x13, 0x14})
    EXPECT_EQ(ask(request), error(3));
}

TEST_F(KissModemTest, ReportsAChannelThatWasSetAndRefusesOneThatCannotBeHad) {
  const Frame ours = {0x50, 0x51, 0xd5, 0x33, 0x24, 0xf4, 0, 0, 8, 8};
  EXPECT_EQ(ask(0x09, ours), kDone);
  Frame answer = {0x06, 0x8b};
  answer.insert(answer.end(), ours.begin(), ours.end());
  EXPECT_EQ(ask(0x0b), (std::vector<Frame>{answer}));

  Frame other = ours;
  other[0] ^= 1;
  EXPECT_EQ(ask(0x09, other), error(2));
  EXPECT_EQ(ask(0x0b), (std::vector<Frame>{answer})) << "what was refused is not reported";
}

TEST_F(KissModemTest, SendsAtOnceWithTheSettingsOfARepeater) {
  say({0x01, 0});
  say({0x02, 255});
  host_.chance = 255;
  say({0x00, 9, 8});
  EXPECT_EQ(host_.on_air, (std::vector<Frame>{{9, 8}}));
  EXPECT_TRUE(hear().empty());
  modem_.transmitted(true);
  EXPECT_EQ(hear(), (std::vector<Frame>{{0x06, 0xf8, 1}}));
}

TEST_F(KissModemTest, WaitsASlotWhenTheDiceSaySoAndThenItsDelay) {
  say({0x02, 100});
  say({0x03, 3});
  say({0x01, 2});
  host_.chance = 101;
  say({0x00, 9});
  pass(milliseconds(59));
  EXPECT_TRUE(host_.on_air.empty());
  host_.chance = 100;
  pass(milliseconds(20));
  EXPECT_TRUE(host_.on_air.empty());
  pass(milliseconds(1));
  EXPECT_EQ(host_.on_air.size(), 1u) << "two slots of 30 ms, then 20 ms";
}

TEST_F(KissModemTest, WaitsForAClearChannelButNotForEver) {
  say({0x01, 0});
  host_.busy = true;
  say({0x00, 9});
  pass(milliseconds(299));
  EXPECT_TRUE(host_.on_air.empty());
  pass(milliseconds(1));
  EXPECT_EQ(host_.on_air.size(), 1u) << "one and a half times the longest frame's airtime";
}

TEST_F(KissModemTest, InFullDuplexLooksAtNoChannel) {
  say({0x05, 1});
  say({0x01, 0});
  host_.busy = true;
  say({0x00, 9});
  EXPECT_EQ(host_.on_air.size(), 1u);
}

TEST_F(KissModemTest, HoldsOneFrameAndSaysBusyToASecond) {
  say({0x00, 9});
  say({0x00, 8});
  EXPECT_EQ(hear(), error(7));
  pass(seconds(1));
  say({0x00, 8});
  EXPECT_EQ(hear(), error(7)) << "on the air";
  modem_.transmitted(true);
  EXPECT_EQ(host_.on_air, (std::vector<Frame>{{9}}));
  say({0x00, 8});
  pass(seconds(1));
  EXPECT_EQ(host_.on_air.size(), 2u);
}

TEST_F(KissModemTest, ReportsAFrameThatTheHostDoesNotTakeAsFailed) {
  host_.takes_frames = false;
  say({0x01, 0});
  say({0x00, 9});
  EXPECT_EQ(hear(), (std::vector<Frame>{{0x06, 0xf8, 0}}));
}

TEST_F(KissModemTest, IsSilentAboutDataThatIsNoFrame) {
  say({0x00});
  say(Frame(1 + 256, 0));
  EXPECT_TRUE(hear().empty());
  EXPECT_EQ(modem_.due(), kNever);
}

TEST_F(KissModemTest, LeavesOtherPortsAndTheReturnCommandAlone) {
  say({0x10, 1});
  say({0x16, 0x17});
  say({0xff});
  EXPECT_TRUE(hear().empty());
  EXPECT_TRUE(host_.on_air.empty());
}

TEST_F(KissModemTest, ARebootForgetsSettingsAndTheFrameThatWaits) {
  say({0x06, 0x19, 0});
  hear();
  say({0x00, 9});
  EXPECT_EQ(ask(0x18), kDone);
  pass(seconds(5));
  EXPECT_TRUE(host_.on_air.empty());
  EXPECT_EQ(ask(0x1a), (std::vector<Frame>{{0x06, 0x9a, 1}}));
}

TEST_F(KissModemTest, ASignalBeyondOneByteIsTheNearestThereIs) {
  modem_.heard(Frame{1}, Decibels{200}, Dbm{-140 * 4});
  EXPECT_EQ(hear(), (std::vector<Frame>{{0x00, 1}, {0x06, 0xf9, 127, 0x80}}));
}

TEST_F(KissModemTest, AnswersTheSameHoweverTheLineIsCut) {
  Frame line;
  for (const Frame& frame : {Frame{0x06, 0x17}, Frame{0x06, 0x02, 4}, Frame{0x06, 0x1a}}) {
    const auto encoded = radio::kiss::encode(frame);
    line.insert(line.end(), encoded.view().begin(), encoded.view().end());
  }
  modem_.receive(line, now_);
  const auto whole = hear();
  ASSERT_EQ(whole.size(), 3u);
  for (const std::uint8_t byte : line) modem_.receive(Bytes(&byte, 1), now_);
  EXPECT_EQ(hear(), whole);
}

}  // namespace
}  // namespace chappe::client
