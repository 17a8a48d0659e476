#include <gtest/gtest.h>

#include "chappe/mesh/advert.h"
#include "chappe/node/repeater.h"
#include "tests/node/test_node.h"

namespace chappe::node {
namespace {

Settings quiet() {
  Settings settings;
  settings.rules.flood_delay_factor = 0;
  return settings;
}

radio::Frame group_text(std::uint8_t serial) {
  radio::Frame frame;
  frame.bytes = radio::FrameBytes(std::array<std::uint8_t, 7>{0x15, 0, 1, 2, 3, 4, serial});
  frame.snr = Decibels{23};
  frame.rssi = Dbm{-80 * 4};
  return frame;
}

mesh::Advert advert_of(const std::vector<std::uint8_t>& frame) {
  return *mesh::parse_advert(mesh::parse(frame)->payload);
}

// --- Neighbours ----------------------------------------------------------------------------------

TEST(Neighbours, AreRepeatersHeardWithoutAnybodyBetween) {
  TestNode node(quiet());
  const auto other = mesh::identity_of({5});
  node.run_for(seconds(10));
  node.hear_advert(mesh::identity_of({4}), mesh::NodeType::chat, Decibels{10});
  node.hear_advert(other, mesh::NodeType::repeater, Decibels{-13});
  ASSERT_EQ(node.repeater.neighbours().all().size(), 1u);
  const mesh::Neighbour& heard = node.repeater.neighbours().all()[0];
  EXPECT_EQ(heard.key, other.pub);
  EXPECT_EQ(heard.heard_at, TestNode::kStart + 10);
  EXPECT_EQ(heard.snr, Decibels{-13});
}

// --- The clock -----------------------------------------------------------------------------------

TEST(WallClock, CountsSecondsFromWhatItWasSetTo) {
  WallClock clock;
  clock.start(1000, at_ms(500));
  EXPECT_EQ(clock.now(at_ms(1499)), 1000u);
  EXPECT_EQ(clock.now(at_ms(1500)), 1001u);
  clock.set(0xffffffff, at_ms(2000));
  EXPECT_EQ(clock.now(at_ms(3000)), 0xffffffffu);
  EXPECT_EQ(clock.now(at_ms(3001)), 0u);
}

TEST(Limiter, OpensAWindowWithTheFirstAndCountsEverybody) {
  Limiter limiter(2, 100);
  EXPECT_TRUE(limiter.allows(0));
  EXPECT_TRUE(limiter.allows(99));
  EXPECT_FALSE(limiter.allows(99));
  EXPECT_TRUE(limiter.allows(100));
  EXPECT_TRUE(limiter.allows(100));
  EXPECT_FALSE(limiter.allows(199));
  EXPECT_TRUE(limiter.allows(200));
}

// --- Own adverts ---------------------------------------------------------------------------------

TEST(Adverts, AreGenuineAndSayWhoAndWhere) {
  Settings settings = quiet();
  settings.preferences.name = "Relais";
  settings.preferences.latitude = -33.86;
  TestNode node(settings);
  node.repeater.adverts().send(Reach::zero_hop, seconds(1));
  node.run_for(seconds(3));
  ASSERT_EQ(node.radio.log.size(), 1u);
  const mesh::Advert advert = advert_of(node.radio.log[0].frame);
  EXPECT_TRUE(advert.is_genuine());
  EXPECT_EQ(advert.key, node.identity.pub);
  EXPECT_EQ(advert.timestamp, TestNode::kStart);
  const auto appdata = mesh::parse_appdata(advert.appdata);
  EXPECT_EQ(appdata->name, "Relais");
  EXPECT_EQ(appdata->position->latitude_e6, -33'860'000);
}

TEST(Adverts, APolicyOfNoPositionSendsNone) {
  Settings settings = quiet();
  settings.preferences.latitude = 5;
  settings.preferences.position = PositionPolicy::none;
  TestNode node(settings);
  node.repeater.adverts().send(Reach::flood, Duration::zero());
  node.run_for(seconds(3));
  ASSERT_EQ(node.radio.log.size(), 1u);
  const auto appdata = mesh::parse_appdata(advert_of(node.radio.log[0].frame).appdata);
  EXPECT_FALSE(appdata->position);
}

TEST(Adverts, ATimerThatRunsFiresOnceMoreAfterItsIntervalWasTakenAway) {
  Settings settings = quiet();
  settings.preferences.local_advert_minutes = 2;
  TestNode node(settings);
  node.run_for(minutes(3));
  EXPECT_EQ(node.radio.log.size(), 1u);
  node.type("set name X");  // less than an hour is for new installations only
  EXPECT_EQ(node.type("get advert.interval"), "> 0");
  node.run_for(minutes(30));
  EXPECT_EQ(node.radio.log.size(), 2u);
}

TEST(Adverts, AFloodStartsTheLocalTimerAgain) {
  Settings settings = quiet();
  settings.preferences.local_advert_minutes = 120;
  settings.preferences.flood_advert_hours = 3;
  TestNode node(settings);
  node.run_for(hours(5) + minutes(1));
  ASSERT_EQ(node.radio.log.size(), 3u);
  EXPECT_EQ(node.radio.log[0].from, Time(hours(2)));
  EXPECT_EQ(node.radio.log[1].from, Time(hours(3)));
  EXPECT_EQ(node.radio.log[2].from, Time(hours(5)));
  EXPECT_EQ(mesh::parse(node.radio.log[1].frame)->route, mesh::Route::flood);
}

TEST(Adverts, ASilentNodeSendsNoneAndItsBooksSayWhy) {
  Settings settings = quiet();
  settings.mode = Mode::no_tx;
  settings.boot_advert = BootAdvert::on;
  TestNode node(settings);
  node.run_for(minutes(1));
  EXPECT_TRUE(node.radio.log.empty());
  EXPECT_EQ(
      node.repeater.statistics().refused_early[static_cast<std::size_t>(tx::Why::not_permitted)],
      1u);
}

TEST(Adverts, AnEchoOfOurOwnIsNoNews) {
  TestNode node(quiet());
  node.repeater.adverts().send(Reach::flood, Duration::zero());
  node.run_for(seconds(3));
  radio::Frame echo;
  echo.bytes = radio::FrameBytes(node.radio.log[0].frame);
  node.radio.hear(echo);
  node.run_for(seconds(3));
  EXPECT_EQ(node.radio.log.size(), 1u);
  EXPECT_TRUE(node.repeater.neighbours().all().empty());
}

// --- Discovery -----------------------------------------------------------------------------------

TEST(Discovery, AnsweringStopsAtTheLimit) {
  TestNode node(quiet());
  for (std::uint8_t i = 0; i < 6; ++i) {
    radio::Frame request;
    request.bytes = radio::FrameBytes(std::array<std::uint8_t, 8>{0x2e, 0, 0x80, 0x04, i, 0, 0, 0});
    node.radio.hear(request);
    node.run_for(seconds(2));
  }
  EXPECT_EQ(node.radio.log.size(), 4u);
  EXPECT_EQ(node.radio.log[0].frame.size(), 2u + 6 + 32);
}

// --- Counters and the pool -----------------------------------------------------------------------

TEST(Counters, CountAsTheReferenceDoes) {
  TestNode node(quiet());
  node.radio.hear(group_text(1));
  node.radio.hear(group_text(1));
  radio::Frame noise;
  noise.bytes = radio::FrameBytes(std::array<std::uint8_t, 1>{0xff});
  node.radio.hear(noise);
  node.run_for(seconds(5));
  const Counters& counters = node.repeater.counters();
  EXPECT_EQ(counters.received, 3u);
  EXPECT_EQ(counters.heard.flood, 2u);
  EXPECT_EQ(counters.duplicates.flood, 1u);
  EXPECT_EQ(counters.sent, 1u);
  EXPECT_EQ(counters.sent_by.flood, 1u);
  EXPECT_EQ(counters.receive_airtime_ms, 2 * node.repeater.rules().estimates_ms[7]);
  EXPECT_GT(counters.transmit_airtime_ms, 0u);
  const std::uint64_t airtime_ms = counters.transmit_airtime_ms;
  EXPECT_EQ(node.type("clear stats"), "(OK - stats reset)");
  EXPECT_EQ(counters.received + counters.sent + counters.heard.flood + counters.duplicates.flood,
            0u);
  EXPECT_EQ(counters.transmit_airtime_ms, airtime_ms);
}

TEST(Pool, AFullOneLosesWhatIsHeardAndSaysSoOfWhatIsOurs) {
  Settings settings = quiet();
  settings.packet_pool = 3;
  TestNode node(settings);
  node.radio.busy_until = Time(seconds(2));
  for (std::uint8_t i = 0; i < 5; ++i) node.radio.hear(group_text(i));
  node.run_for(milliseconds(10));
  const auto lost = static_cast<std::size_t>(mesh::Why::packet_pool_empty);
  EXPECT_EQ(node.repeater.books().dropped_by_judge[lost], 2u);
  EXPECT_EQ(node.repeater.counters().heard.flood, 3u);
  EXPECT_EQ(node.repeater.counters().errors, 0u);
  node.repeater.adverts().send(Reach::zero_hop, Duration::zero());
  EXPECT_EQ(node.repeater.counters().errors, 1u);
  node.run_for(seconds(30));
  EXPECT_EQ(node.radio.log.size(), 3u);
}

TEST(Pool, WhatIsHeldBeforeJudgingIsInItToo) {
  Settings settings = quiet();
  settings.packet_pool = 2;
  settings.rules.receive_delay_base = 10;
  TestNode node(settings);
  for (std::uint8_t i = 0; i < 3; ++i) {
    radio::Frame weak = group_text(i);
    weak.snr = Decibels{-9 * 4};
    node.radio.hear(weak);
  }
  node.run_for(milliseconds(1));
  const auto lost = static_cast<std::size_t>(mesh::Why::packet_pool_empty);
  EXPECT_EQ(node.repeater.books().dropped_by_judge[lost], 1u);
}

}  // namespace
}  // namespace chappe::node
