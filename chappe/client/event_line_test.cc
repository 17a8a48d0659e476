#include "chappe/client/event_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

namespace chappe::client {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

/// A flood of two hops, each of two bytes, and events about it.
class EventLineTest : public testing::Test {
 protected:
  EventLineTest() {
    packet_.type = mesh::PayloadType::group_text;
    packet_.hash_size = 2;
    packet_.hop_count = 2;
    packet_.path = path_;
    packet_.payload = frame_;
    event_.at = at_us(12'345'678);
    event_.id = 7;
    event_.frame = frame_;
    event_.packet = &packet_;
    event_.hash.word = 0x0102030405060708;
    event_.snr = Decibels{29};
    event_.rssi = Dbm{-352};
  }

  std::string line(Colours colours = Colours::off) const {
    std::string out;
    append_line(event_, at_us(2'000'000), colours, out);
    return out;
  }

  std::array<std::uint8_t, 4> path_{0xaa, 0xbb, 0x99, 0x0c};
  std::array<std::uint8_t, 2> frame_{0x15, 0x01};
  mesh::Packet packet_;
  node::Event event_;
};

TEST_F(EventLineTest, HeardTellsWhenWhatFromWhereAndHowWell) {
  event_.kind = node::EventKind::heard;
  event_.airtime = microseconds(612'345);
  EXPECT_EQ(line(),
            "     10.345      #7  heard     GRP_TXT    FLOOD             2 hops  from 990c    "
            "7.25 dB  612.3 ms on air\n");
  event_.delay = microseconds(310'000);
  EXPECT_THAT(line(), EndsWith("612.3 ms on air, held 310.0 ms\n"));
  event_.snr = Decibels{-1};
  EXPECT_THAT(line(), HasSubstr(" -0.25 dB"));
}

TEST_F(EventLineTest, JudgedTellsVerdictReasonAndDelay) {
  event_.kind = node::EventKind::judged;
  event_.verdict = mesh::Verdict::forward;
  event_.why = "flood";
  event_.delay = microseconds(310'000);
  event_.priority = 3;
  EXPECT_THAT(line(), EndsWith("  7.25 dB  forward: flood, in 310.0 ms, priority 3\n"));
  event_.verdict = mesh::Verdict::drop;
  event_.why = "duplicate";
  EXPECT_THAT(line(), EndsWith("  7.25 dB  drop: duplicate\n"));
  event_.region = "#alps";
  EXPECT_THAT(line(), EndsWith("drop: duplicate, region #alps\n"));
}

TEST_F(EventLineTest, SentAndRefusedTellTheBudget) {
  event_.kind = node::EventKind::sent;
  event_.airtime = milliseconds(700);
  event_.spent_ppm = 123'456;
  EXPECT_THAT(line(), EndsWith("   700.0 ms on air, budget 12.34 % spent\n"));
  event_.delay = milliseconds(20);
  event_.attempts = 2;
  event_.forced = true;
  EXPECT_THAT(line(),
              EndsWith("700.0 ms on air, waited 20.0 ms, attempt 2, over a busy channel, budget "
                       "12.34 % spent\n"));
  event_.kind = node::EventKind::refused;
  event_.why = "expired";
  event_.delay = seconds(9);
  event_.spent_ppm = 1'000'000;
  EXPECT_THAT(line(), EndsWith("expired, could start in 9000.0 ms, budget 100.00 % spent\n"));
}

TEST_F(EventLineTest, OwnFramesAreMarked) {
  event_.kind = node::EventKind::submitted;
  event_.local = true;
  event_.delay = seconds(16);
  EXPECT_THAT(line(), HasSubstr("*7  submitted GRP_TXT"));
  EXPECT_THAT(line(), EndsWith("in 16000.0 ms, priority 0\n"));
}

TEST_F(EventLineTest, ColumnsLineUpWhateverHappened) {
  event_.airtime = milliseconds(5);
  event_.why = "x";
  const auto check = [&] {
    const std::string text = line();
    constexpr std::size_t kResult = 90;
    EXPECT_EQ(text.substr(kResult - 2, 2), "  ") << text;
    EXPECT_NE(text[kResult], ' ') << text;
    if (event_.packet != nullptr) {
      EXPECT_EQ(text[58], ' ') << text;  // between route and hops
    }
  };
  for (const auto kind : {node::EventKind::heard,
                          node::EventKind::judged,
                          node::EventKind::submitted,
                          node::EventKind::sent,
                          node::EventKind::refused}) {
    event_.kind = kind;
    event_.packet = &packet_;
    check();
    packet_.route = mesh::Route::transport_direct;
    packet_.hop_count = 63;
    packet_.type = mesh::PayloadType::raw_custom;
    check();
    event_.packet = nullptr;
    check();
    packet_.route = mesh::Route::flood;
    packet_.hop_count = 1;
  }
}

TEST_F(EventLineTest, WhatIsNoPacketIsStillALine) {
  event_.kind = node::EventKind::judged;
  event_.packet = nullptr;
  event_.why = "parse:truncated";
  EXPECT_THAT(line(), HasSubstr("judged    no packet "));
  EXPECT_THAT(line(), EndsWith("drop: parse:truncated\n"));
}

TEST_F(EventLineTest, NamesFromTheMeshCannotCommandTheTerminal) {
  event_.kind = node::EventKind::judged;
  event_.region = "a\x1b[31mb\x9b\x7f\n\\";
  EXPECT_THAT(line(), HasSubstr("region a\\x1b[31mb\\x9b\\x7f\\x0a\\x5c"));
  EXPECT_THAT(line(Colours::off), Not(HasSubstr("\x1b")));
}

TEST_F(EventLineTest, ColoursDoNotMoveTheColumns) {
  const auto without_colours = [](std::string text) {
    for (std::size_t at = text.find('\x1b'); at != std::string::npos; at = text.find('\x1b')) {
      text.erase(at, text.find('m', at) - at + 1);
    }
    return text;
  };
  for (const auto kind : {node::EventKind::heard,
                          node::EventKind::judged,
                          node::EventKind::submitted,
                          node::EventKind::sent,
                          node::EventKind::refused}) {
    event_.kind = kind;
    EXPECT_EQ(without_colours(line(Colours::on)), line(Colours::off));
  }
  event_.kind = node::EventKind::sent;
  EXPECT_THAT(line(Colours::on), HasSubstr("\x1b[32msent\x1b[0m"));
}

TEST_F(EventLineTest, AFrameThatWasNotReceivedHasNoNumber) {
  event_.kind = node::EventKind::judged;
  event_.not_received = true;
  event_.id = 0;
  event_.verdict = mesh::Verdict::forward;
  event_.why = "radio_transmitting";
  EXPECT_THAT(line(), EndsWith("not_received: radio_transmitting\n"));
  EXPECT_THAT(line(), Not(HasSubstr("#")));
}

}  // namespace
}  // namespace chappe::client
