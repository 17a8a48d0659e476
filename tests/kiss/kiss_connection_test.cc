// The node as a KISS modem to several programs at once.
#include "chappe/client/kiss_connection.h"

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <string>
#include <vector>

#include "chappe/port/virtual/virtual_port.h"
#include "chappe/sim/scripted_radio.h"
#include "chappe/tx/ledger.h"
#include "tests/kiss/memory_line.h"

namespace chappe::client {
namespace {

using Frame = std::vector<std::uint8_t>;

/// A program at the other end of a line.
class Program {
 public:
  explicit Program(async::Executor& executor)
      : stream_(std::make_unique<test::MemoryLine>(executor.wakes())), line_(stream_.get()) {
    line_->be_open();
    line_->far_end = [this](Bytes bytes) {
      for (const std::uint8_t byte : bytes) {
        const Bytes frame = decoder_.push(byte);
        if (!frame.empty()) heard_.emplace_back(frame.begin(), frame.end());
      }
      said_ += std::string(bytes.begin(), bytes.end());
    };
  }
  std::unique_ptr<async::Stream> stream() { return std::move(stream_); }

  void say(const Frame& frame) {
    const auto encoded = radio::kiss::encode(frame);
    say_raw(std::string(encoded.view().begin(), encoded.view().end()));
  }
  void say_raw(std::string bytes) { line_->put(bytes); }
  void hang_up() { line_->hang_up(); }
  /// What came since the last call.
  std::vector<Frame> hear() { return std::exchange(heard_, {}); }

 private:
  std::unique_ptr<test::MemoryLine> stream_;
  test::MemoryLine* line_;
  radio::kiss::Decoder decoder_;
  std::vector<Frame> heard_;
  std::string said_;
};

class KissConnectionTest : public testing::Test {
 protected:
  KissConnectionTest() {
    repeater_.start();
    server_.start();
    guarded_.start();
  }
  ~KissConnectionTest() override {
    server_.stop();
    guarded_.stop();
    repeater_.stop();
  }

  void run(Duration span = seconds(5)) { port_.run(executor_, executor_.now() + span); }
  Program& connect() {
    Program& program = programs_.emplace_back(executor_);
    server_.adopt_local(program.stream());
    run(milliseconds(10));
    return program;
  }
  Program& connect_remote() {
    Program& program = programs_.emplace_back(executor_);
    guarded_.adopt_remote(program.stream());
    run(milliseconds(10));
    return program;
  }
  static Frame flood(std::uint8_t serial) {
    return {0x15, 1, 0x99, 0x11, 0x22, 0x33, 0x44, 0x55, serial};
  }
  static Frame data(std::uint8_t serial) { return {0x00, 0x15, 0x00, 1, 2, 3, 4, 5, serial}; }
  void air(const Frame& bytes) {
    radio::Frame frame;
    frame.bytes.append(bytes);
    frame.snr = Decibels{20};
    frame.rssi = Dbm{-90 * 4};
    radio_.hear(frame);
  }
  // Whether this frame of a program was keyed.
  std::size_t keyed(const Frame& data_frame) const {
    const Frame frame(data_frame.begin() + 1, data_frame.end());
    return static_cast<std::size_t>(
        std::ranges::count(radio_.log, frame, &sim::ScriptedRadio::Keyed::frame));
  }

  const Frame kSent = {0x06, 0xf8, 1};
  const Frame kFailed = {0x06, 0xf8, 0};
  const Frame kPing = {0x06, 0x17};
  const std::vector<Frame> kPong = {{0x06, 0x97}};

  port::VirtualPort port_;
  async::Executor executor_{port_};
  SeededRandom random_{1};
  sim::ScriptedRadio radio_{executor_};
  std::array<tx::Rule, 1> rules_{tx::Rule{hours(1), seconds(360)}};
  tx::Ledger ledger_{rules_};
  node::Repeater repeater_{
      executor_, radio_, ledger_, random_, node::Settings{}, mesh::identity_of(mesh::Seed{0x42})};
  std::deque<Program> programs_;
  Service service_{executor_, repeater_};
  KissServer server_{service_, random_, ""};
  KissServer guarded_{service_, random_, "geheim"};
};

TEST_F(KissConnectionTest, EveryProgramHearsEveryFrameWithItsReport) {
  Program& one = connect();
  Program& two = connect();
  air(flood(1));
  air(flood(2));
  run();
  Frame first = flood(1);
  first.insert(first.begin(), 0x00);
  Frame second = flood(2);
  second.insert(second.begin(), 0x00);
  const Frame report = {0x06, 0xf9, 20, static_cast<std::uint8_t>(-90)};
  const std::vector<Frame> expected = {first, report, second, report};
  EXPECT_EQ(one.hear(), expected);
  EXPECT_EQ(two.hear(), expected);
}

TEST_F(KissConnectionTest, AFrameIsSentAndItsEndIsToldToItsSenderAlone) {
  Program& sender = connect();
  Program& other = connect();
  sender.say(data(1));
  run(seconds(10));
  EXPECT_EQ(keyed(data(1)), 1u);
  EXPECT_EQ(sender.hear(), (std::vector<Frame>{kSent}));
  EXPECT_TRUE(other.hear().empty());
}

TEST_F(KissConnectionTest, AFrameThatTheNodeRefusesIsReportedAsFailed) {
  Program& program = connect();
  program.say({0x00, 0x15});  // no packet
  run(seconds(10));
  EXPECT_EQ(program.hear(), (std::vector<Frame>{kFailed}));

  radio_.script = {sim::ScriptedRadio::Next::fail_unkeyed, sim::ScriptedRadio::Next::fail_unkeyed};
  program.say(data(2));
  run(seconds(20));
  EXPECT_EQ(program.hear(), (std::vector<Frame>{kFailed}));
}

TEST_F(KissConnectionTest, TheProgramsDelayIsKept) {
  Program& program = connect();
  program.say({0x01, 200});
  program.say({0x02, 255});
  const Time asked = executor_.now();
  program.say(data(1));
  run(seconds(10));
  ASSERT_EQ(radio_.log.size(), 1u);
  EXPECT_GE(radio_.log[0].from, asked + seconds(2));
}

TEST_F(KissConnectionTest, TheNodesChannelIsNotAProgramsToChange) {
  Program& program = connect();
  program.say({0x06, 0x0b});
  run();
  const Frame ours = {0x50, 0x51, 0xd5, 0x33, 0x24, 0xf4, 0, 0, 8, 8};
  Frame answer = ours;
  answer.insert(answer.begin(), {0x06, 0x8b});
  EXPECT_EQ(program.hear(), (std::vector<Frame>{answer}));

  const auto set = [&](Frame tuning) {
    tuning.insert(tuning.begin(), {0x06, 0x09});
    program.say(tuning);
    run();
    return program.hear();
  };
  EXPECT_EQ(set(ours), (std::vector<Frame>{{0x06, 0xf0}}));
  Frame near = ours;
  --near[0];  // 869.617999 MHz, as programs cut it
  near[9] = 5;
  EXPECT_EQ(set(near), (std::vector<Frame>{{0x06, 0xf0}}));
  Frame other = ours;
  other[8] = 9;
  EXPECT_EQ(set(other), (std::vector<Frame>{{0x06, 0xf1, 2}}));
  other = ours;
  other[1] ^= 0x10;
  EXPECT_EQ(set(other), (std::vector<Frame>{{0x06, 0xf1, 2}}));
  EXPECT_EQ(radio_.modulation(), radio::Modulation{});
}

TEST_F(KissConnectionTest, TheModemsKeyIsNotTheNodesAndAlwaysTheSame) {
  Program& program = connect();
  program.say({0x06, 0x01});
  run();
  const auto answer = program.hear();
  ASSERT_EQ(answer.size(), 1u);
  const mesh::Identity expected = kiss_identity(repeater_.identity());
  EXPECT_TRUE(std::ranges::equal(Bytes(answer[0]).subspan(2), expected.pub));
  EXPECT_NE(expected.pub, repeater_.identity().pub);
  EXPECT_EQ(expected.pub, kiss_identity(repeater_.identity()).pub);
}

TEST_F(KissConnectionTest, AnyBytesHarmNobodyAndTheConnectionLivesOn) {
  Program& program = connect();
  Program& other = connect();
  for (int round = 0; round < 50; ++round) {
    std::string noise(1 + random_.up_to(600), '\0');
    for (char& letter : noise) letter = static_cast<char>(random_.next());
    program.say_raw(noise);
    run(seconds(1));
  }
  program.say_raw("\xc0");
  run(seconds(60));
  program.hear();
  program.say(kPing);
  other.say(kPing);
  run();
  EXPECT_EQ(program.hear(), kPong);
  EXPECT_EQ(other.hear(), kPong);
}

TEST_F(KissConnectionTest, AProgramThatHangsUpIsGoneAndWhatItSentGoesItsWay) {
  Program& program = connect();
  program.say(data(1));
  program.hang_up();
  run(seconds(10));
  EXPECT_EQ(keyed(data(1)), 1u);
  EXPECT_EQ(server_.connection_count(), 0u);
  EXPECT_EQ(service_.client_count(), 0u);
}

TEST_F(KissConnectionTest, ARestartOfTheServiceEndsWhatIsUnderWayAsFailedAndServesOn) {
  Program& program = connect();
  program.say({0x01, 0});
  program.say({0x02, 255});
  radio_.busy_until = executor_.now() + seconds(2);
  program.say(data(1));
  run(seconds(1));
  service_.restart();
  run(milliseconds(100));
  EXPECT_EQ(program.hear(), (std::vector<Frame>{kFailed}));
  run(seconds(20));
  EXPECT_TRUE(program.hear().empty()) << "an end is told once";
  program.say(data(2));
  run(seconds(10));
  EXPECT_EQ(program.hear(), (std::vector<Frame>{kSent}));
  air(flood(3));
  run();
  EXPECT_EQ(program.hear().size(), 2u);
}

TEST_F(KissConnectionTest, AnIdleProgramIsNeverWoken) {
  Program& program = connect();
  run(minutes(1));
  const std::uint64_t posts = service_.notifier().posts();
  const std::uint64_t sleeps = executor_.sleep_count();
  run(hours(1));
  EXPECT_EQ(service_.notifier().posts(), posts);
  EXPECT_LE(executor_.sleep_count() - sleeps, 1u);
  EXPECT_TRUE(program.hear().empty());
}

TEST_F(KissConnectionTest, AsManyIdleProgramsAsThereMayBeWakeTheNodeNotOnceMoreThanNone) {
  const auto of_an_hour = [&] {
    const std::uint64_t steps = executor_.step_count();
    run(hours(1));
    return executor_.step_count() - steps;
  };
  run(hours(1));
  const std::uint64_t alone = of_an_hour();
  for (std::size_t i = 0; i < Service::kRemote; ++i) connect();
  EXPECT_EQ(server_.connection_count(), Service::kRemote);
  EXPECT_EQ(of_an_hour(), alone);
}

TEST_F(KissConnectionTest, WithoutThePasswordNothingIsToldAndNothingIsSent) {
  Program& stranger = connect_remote();
  stranger.say(kPing);
  stranger.say(data(1));
  air(flood(1));
  run(seconds(9));
  EXPECT_TRUE(stranger.hear().empty());
  EXPECT_EQ(keyed(data(1)), 0u);
  run(seconds(2));
  EXPECT_EQ(guarded_.connection_count(), 0u) << "after ten seconds it is over";
}

TEST_F(KissConnectionTest, AWrongPasswordEndsTheConnectionAfterASecond) {
  Program& stranger = connect_remote();
  stranger.say_raw("guess\n");
  run(milliseconds(900));
  EXPECT_EQ(guarded_.connection_count(), 1u);
  stranger.say_raw("geheim\n");
  stranger.say(kPing);
  run(milliseconds(200));
  EXPECT_EQ(guarded_.connection_count(), 0u);
  EXPECT_TRUE(stranger.hear().empty());
}

TEST_F(KissConnectionTest, WithThePasswordItIsAModem) {
  Program& friendly = connect_remote();
  friendly.say_raw(std::string("geheim\n\xc0\x06\x17\xc0", 11));
  run();
  EXPECT_EQ(friendly.hear(), kPong);
  run(minutes(1));
  EXPECT_EQ(guarded_.connection_count(), 1u) << "its ten seconds are over and do not matter";
  air(flood(1));
  run();
  EXPECT_EQ(friendly.hear().size(), 2u);
}

TEST_F(KissConnectionTest, TooManyProgramsAreTurnedAwayAndTheOthersServed) {
  for (std::size_t i = 0; i < Service::kRemote; ++i) connect();
  connect();
  EXPECT_EQ(server_.turned_away(), 1u);
  programs_.front().say(kPing);
  run();
  EXPECT_EQ(programs_.front().hear(), kPong);
}

TEST_F(KissConnectionTest, AFloodOfRequestsIsServedAtItsAllowance) {
  Program& program = connect();
  for (int i = 0; i < 1000; ++i) program.say(kPing);
  run(seconds(1));
  const std::size_t served = program.hear().size();
  EXPECT_GE(served, 100u);
  EXPECT_LE(served, 100u + 1000 / 20 + 2);
}

}  // namespace
}  // namespace chappe::client
