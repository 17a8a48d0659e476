#include "chappe/mesh/judge.h"

#include <gtest/gtest.h>

#include <optional>
#include <ostream>
#include <vector>

#include "chappe/mesh/identity.h"
#include "chappe/mesh/payload.h"

namespace chappe::mesh {

void PrintTo(Why why, std::ostream* out) {
  *out << to_string(why);
}

namespace {

using Frame = std::vector<std::uint8_t>;

Frame operator+(Frame a, const Frame& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Frame bytes_of(const Outgoing& out) {
  return Frame(out.frame.view().begin(), out.frame.view().end());
}

class CountingDelivery final : public LocalDelivery {
 public:
  std::optional<Why> try_handle(const Packet&, const Heard&, const Region*) override {
    ++handled;
    return answer;
  }
  void hear_advert(const Packet&, const Advert&, const Heard&) override { ++adverts; }
  void hear_control(const Packet&, const Heard&) override { ++controls; }

  std::optional<Why> answer;
  int handled = 0;
  int adverts = 0;
  int controls = 0;
};

class Judge : public testing::Test {
 protected:
  Judge() {
    Seed seed;
    seed.fill(0x11);
    self_ = identity_of(seed);  // its key starts d0 4a b2
    rules_.own = self_.pub;
    rules_.estimates_ms.fill(100);
  }

  Judgement hear(const Frame& frame) {
    const auto packet = parse(frame);
    EXPECT_TRUE(packet.has_value());
    const Heard heard{Decibels{-7}, Dbm{-360}, frame.size(), at_ms(0)};
    return judge(*packet, heard, {rules_, regions_, seen_, random_, local_});
  }
  Why why(const Frame& frame) { return hear(frame).why; }
  bool is_seen(const Frame& frame) const { return seen_.contains(seen_key(*parse(frame))); }

  Frame advert_of(std::uint8_t who) const {
    Seed seed;
    seed.fill(who);
    const Identity node = identity_of(seed);
    const auto payload = build_advert(node.prv, node.pub, 1, Frame{0x02});
    return Frame{0x11, 0x00} + Frame(payload.view().begin(), payload.view().end());
  }

  Identity self_;
  Rules rules_;
  RegionTable regions_;
  SeenTable seen_;
  ConstantRandom random_{0};
  CountingDelivery local_;
};

const Frame kGroupText = {0x15, 0x01, 0xaa, 0x01, 0x02, 0x03, 0x04};

TEST_F(Judge, AFloodGoesOnWithOurHashAppended) {
  const Judgement judged = hear(kGroupText);
  EXPECT_EQ(judged.verdict, Verdict::forward);
  EXPECT_EQ(judged.why, Why::flood);
  ASSERT_EQ(judged.outgoing().size(), 1u);
  EXPECT_EQ(bytes_of(judged.outgoing()[0]),
            (Frame{0x15, 0x02, 0xaa, 0xd0, 0x01, 0x02, 0x03, 0x04}));
  EXPECT_EQ(judged.outgoing()[0].priority, 2);  // hops after appending
}

TEST_F(Judge, ASecondCopyByAnyOtherWayIsADuplicate) {
  hear(kGroupText);
  const Judgement again = hear({0x15, 0x02, 0xbb, 0xcc, 0x01, 0x02, 0x03, 0x04});
  EXPECT_EQ(again.why, Why::duplicate);
  EXPECT_TRUE(again.outgoing().empty());
}

TEST_F(Judge, AForgottenPacketIsForwardedWhenHeardAgain) {
  seen_.forget(hear(kGroupText).key);
  EXPECT_EQ(why(kGroupText), Why::flood);
}

TEST_F(Judge, AForgottenMultipartAcknowledgementTooIsForwardedWhenHeardAgain) {
  const Frame frame = {0x2a, 0x01, 0xd0, 0x13, 1, 2, 3, 4};
  const Judgement judged = hear(frame);
  EXPECT_EQ(judged.why, Why::direct_ack);
  seen_.forget(judged.key);
  EXPECT_EQ(why(frame), Why::direct_ack);
}

// Protocol 19: the firmware's hop counter overflows into the hash size there.
TEST_F(Judge, AFloodWith63HopsIsFullAndNotCorrupted) {
  const Frame frame = Frame{0x15, 0x3f} + Frame(63, 0xaa) + Frame{1, 2, 3, 4};
  const Judgement judged = hear(frame);
  EXPECT_EQ(judged.why, Why::path_full);
  EXPECT_TRUE(judged.outgoing().empty());
  EXPECT_EQ(why(Frame{0x15, 0x3e} + Frame(62, 0xaa) + Frame{5, 6, 7, 8}), Why::flood);
}

TEST_F(Judge, ATraceWith63HopsIsFullAndNotCorrupted) {
  const Frame hashes = Frame(63, 0xaa) + Frame{0xd0};
  const Frame head = {1, 2, 3, 4, 5, 6, 7, 8, 0};
  EXPECT_EQ(why(Frame{0x26, 0x3f} + Frame(63, 0x10) + head + hashes), Why::trace_path_full);
  EXPECT_EQ(why(Frame{0x26, 0x3e} + Frame(62, 0x10) + head + Frame(62, 0xaa) + Frame{0xd0}),
            Why::trace_hop);
}

TEST_F(Judge, ATraceShorterThanItsHeaderIsNotReadPastItsEnd) {
  EXPECT_EQ(why({0x26, 0x00}), Why::incomplete);
  EXPECT_EQ(why({0x26, 0x00, 1, 2, 3, 4, 5, 6, 7, 8}), Why::incomplete);
}

TEST_F(Judge, ATraceEndingInAPieceOfOurHashIsNotOurs) {
  const Frame head = {1, 2, 3, 4, 5, 6, 7, 8, 1};  // hashes of two bytes
  // The rest of our hash lies behind the end of the frame, where stale memory might hold it.
  const Frame whole = Frame{0x26, 0x00} + head + Frame{0xd0, 0x4a};
  const auto cut = parse(Bytes(whole).first(whole.size() - 1));
  const Judgement judged = judge(*cut, {}, {rules_, regions_, seen_, random_, local_});
  EXPECT_EQ(judged.why, Why::not_next_hop);
  EXPECT_EQ(why(whole), Why::trace_hop);
}

TEST_F(Judge, ATraceCollectsTheStrengthItWasHeardWith) {
  const Judgement judged = hear({0x26, 0x01, 0x30, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0xaa, 0xd0});
  ASSERT_EQ(judged.outgoing().size(), 1u);
  EXPECT_EQ(bytes_of(judged.outgoing()[0]),
            (Frame{0x26, 0x02, 0x30, 0xf9, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0xaa, 0xd0}));
  EXPECT_EQ(judged.outgoing()[0].priority, 5);
}

TEST_F(Judge, AControlWithoutPayloadIsNotLookedInto) {
  EXPECT_EQ(why({0x2e, 0x00}), Why::unhandled_type);
}

TEST_F(Judge, AZeroHopControlIsHandedOverAndNotRecorded) {
  const Frame frame = {0x2e, 0x00, 0x80, 4, 1, 2, 3, 4};
  EXPECT_EQ(why(frame), Why::control_zero_hop);
  EXPECT_EQ(why(frame), Why::control_zero_hop);
  EXPECT_EQ(local_.controls, 2);
}

TEST_F(Judge, ADirectPacketLosesOurHashAndGoesFirst) {
  const Judgement judged = hear({0x0a, 0x42, 0xd0, 0x4a, 0xcc, 0xdd, 9});
  EXPECT_EQ(judged.why, Why::direct_next_hop);
  ASSERT_EQ(judged.outgoing().size(), 1u);
  EXPECT_EQ(bytes_of(judged.outgoing()[0]), (Frame{0x0a, 0x41, 0xcc, 0xdd, 9}));
  EXPECT_EQ(judged.outgoing()[0].priority, 0);
}

TEST_F(Judge, APacketForAnotherHopIsNotRecorded) {
  const Frame for_another = {0x0a, 0x02, 0xaa, 0xd0, 9};
  EXPECT_EQ(why(for_another), Why::not_next_hop);
  EXPECT_FALSE(is_seen(for_another));
  EXPECT_EQ(why({0x0a, 0x01, 0xd0, 9}), Why::direct_next_hop);  // now the next hop is us
}

TEST_F(Judge, WhatAFloodIsDroppedForIsRecordedAllTheSame) {
  rules_.flood_max = 1;
  EXPECT_EQ(why(kGroupText), Why::hop_limit);
  EXPECT_TRUE(is_seen(kGroupText));
  rules_.flood_max = 64;
  EXPECT_EQ(why(kGroupText), Why::duplicate);
}

TEST_F(Judge, WhatIsIncompleteOrNotForwardedAtAllIsNotRecorded) {
  for (const Frame& frame : {Frame{0x15, 0x00, 1, 2, 3},           // group text of three
                             Frame{0x0d, 0x00, 1, 2, 3},           // acknowledgement of three
                             Frame{0x3d, 0x00, 1, 2, 3},           // raw by flood
                             Frame{0x31, 0x00, 1, 2, 3},           // unassigned
                             Frame{0x25, 0x00, 1, 2, 3},           // trace by flood
                             Frame{0x29, 0x00, 0x13, 1, 2, 3}}) {  // too short inside
    const Judgement judged = hear(frame);
    EXPECT_EQ(judged.verdict, Verdict::drop) << to_string(judged.why);
    EXPECT_NE(judged.why, Why::duplicate);
    EXPECT_FALSE(is_seen(frame)) << to_string(judged.why);
  }
}

TEST_F(Judge, WithForwardingOffADirectPacketIsNotRecordedButAFloodIs) {
  rules_.forwarding = Forwarding::off;
  const Frame direct = {0x0a, 0x01, 0xd0, 9};
  EXPECT_EQ(why(direct), Why::forwarding_disabled);
  EXPECT_FALSE(is_seen(direct));
  EXPECT_EQ(why(kGroupText), Why::forwarding_disabled);
  EXPECT_TRUE(is_seen(kGroupText));
}

TEST_F(Judge, LimitsCountHopsAndTheUnscopedOneSparesRegions) {
  (*regions_.put("fr", 0))->floods = Floods::allowed;
  rules_.flood_max_unscoped = 1;
  const Frame payload = {1, 2, 3, 4};
  EXPECT_EQ(why(Frame{0x15, 0x81, 1, 2, 3} + payload), Why::hop_limit);
  const std::uint16_t code =
      transport_code(region_key("fr"), PayloadType::group_text, Frame{9, 9, 9, 9});
  const Frame scoped = Frame{0x14,
                             static_cast<std::uint8_t>(code),
                             static_cast<std::uint8_t>(code >> 8),
                             0,
                             0,
                             0x01,
                             0xaa} +
                       Frame{9, 9, 9, 9};
  const Judgement judged = hear(scoped);
  EXPECT_EQ(judged.why, Why::flood);
  ASSERT_NE(judged.region, nullptr);
  EXPECT_EQ(judged.region->name(), "fr");
}

TEST_F(Judge, AFloodOfAnUnknownRegionStopsHere) {
  EXPECT_EQ(why({0x14, 1, 2, 0, 0, 0x00, 9, 9, 9, 9}), Why::region_not_allowed);
  regions_.wildcard().floods = Floods::denied;
  EXPECT_EQ(why(kGroupText), Why::region_not_allowed);
}

TEST_F(Judge, ALoopIsOurHashTooOftenForItsSize) {
  const auto with_own = [](std::uint8_t times, std::uint8_t tag) {
    return Frame{0x15, times} + Frame(times, 0xd0) + Frame{tag, 2, 3, 4};
  };
  rules_.loop_detection = LoopDetection::minimal;
  EXPECT_EQ(why(with_own(3, 1)), Why::flood);
  EXPECT_EQ(why(with_own(4, 2)), Why::loop_detected);
  rules_.loop_detection = LoopDetection::moderate;
  EXPECT_EQ(why(with_own(1, 3)), Why::flood);
  EXPECT_EQ(why(with_own(2, 4)), Why::loop_detected);
  rules_.loop_detection = LoopDetection::strict;
  EXPECT_EQ(why(with_own(1, 5)), Why::loop_detected);
  EXPECT_EQ(why({0x15, 0x41, 0xd0, 0x00, 6, 2, 3, 4}), Why::flood);  // half of our hash
  EXPECT_EQ(why({0x15, 0x41, 0xd0, 0x4a, 7, 2, 3, 4}), Why::loop_detected);
}

TEST_F(Judge, AnAcknowledgementIsMadeAnewWithItsCopies) {
  rules_.multi_acks = 1;
  const Judgement judged = hear({0x0e, 0x02, 0xd0, 0xaa, 1, 2, 3, 4});
  EXPECT_EQ(judged.why, Why::direct_ack);
  ASSERT_EQ(judged.outgoing().size(), 2u);
  EXPECT_EQ(bytes_of(judged.outgoing()[0]), (Frame{0x2a, 0x01, 0xaa, 0x13, 1, 2, 3, 4}));
  EXPECT_EQ(judged.outgoing()[0].delay, milliseconds(300));
  EXPECT_EQ(bytes_of(judged.outgoing()[1]), (Frame{0x0e, 0x01, 0xaa, 1, 2, 3, 4}));
  EXPECT_EQ(judged.outgoing()[1].delay, milliseconds(300));
}

TEST_F(Judge, AnAcknowledgementWithoutCopiesGoesAtOnce) {
  const Judgement judged = hear({0x0f, 7, 7, 7, 7, 0x01, 0xd0, 1, 2, 3, 4});
  ASSERT_EQ(judged.outgoing().size(), 1u);
  EXPECT_EQ(judged.outgoing()[0].delay, Duration::zero());
  EXPECT_EQ(bytes_of(judged.outgoing()[0]), (Frame{0x0e, 0x00, 1, 2, 3, 4}));  // codes are lost
}

TEST_F(Judge, MoreCopiesThanAreBoundedForAreNotMade) {
  rules_.multi_acks = 200;  // the firmware stores whatever it is told
  EXPECT_EQ(hear({0x0e, 0x01, 0xd0, 1, 2, 3, 4}).outgoing().size(), kOutgoingMax);
}

TEST_F(Judge, AnAcknowledgementTooLongForAMultipartIsSentPlain) {
  rules_.multi_acks = 1;
  EXPECT_EQ(hear(Frame{0x0e, 0x01, 0xd0} + Frame(184, 1)).outgoing().size(), 1u);
  EXPECT_EQ(hear(Frame{0x0e, 0x01, 0xd0} + Frame(183, 1)).outgoing().size(), 2u);
}

TEST_F(Judge, CopiesOfOneMultipartAcknowledgementAreTheSame) {
  EXPECT_EQ(hear({0x2a, 0x01, 0xd0, 0x23, 1, 2, 3, 4}).outgoing()[0].delay, milliseconds(900));
  EXPECT_EQ(why({0x2a, 0x01, 0xd0, 0x13, 1, 2, 3, 4}), Why::duplicate);
  EXPECT_EQ(why({0x2a, 0x01, 0xd0, 0x12, 9, 9, 9, 9}), Why::multipart_not_an_ack);
}

TEST_F(Judge, AnAdvertIsHeardBeforeItIsForwarded) {
  const Frame advert = advert_of(0x22);
  EXPECT_EQ(why(advert), Why::flood);
  EXPECT_EQ(local_.adverts, 1);
  EXPECT_EQ(why(advert), Why::duplicate);
  EXPECT_EQ(local_.adverts, 1);
}

TEST_F(Judge, AForgedAdvertIsRecordedSoThatItsCopiesCostNothing) {
  Frame forged = advert_of(0x22);
  forged[40] ^= 1;
  EXPECT_EQ(why(forged), Why::bad_signature);
  EXPECT_EQ(why(forged), Why::duplicate);
  EXPECT_EQ(local_.adverts, 0);
}

TEST_F(Judge, AnOwnAdvertIsDroppedAndNotRecorded) {
  const Frame own = advert_of(0x11);
  EXPECT_EQ(why(own), Why::own_advert);
  EXPECT_EQ(why(own), Why::own_advert);
}

TEST_F(Judge, APacketForUsIsDeliveredAndGoesNoFurther) {
  local_.answer = Why::addressed_here_known_client;
  const Judgement judged = hear({0x09, 0x00, 0xd0, 0x22, 1, 2, 3});
  EXPECT_EQ(judged.verdict, Verdict::deliver);
  EXPECT_TRUE(judged.outgoing().empty());
}

TEST_F(Judge, APacketForAnotherOfOurHashIsForwarded) {
  EXPECT_EQ(why({0x09, 0x00, 0xd0, 0x22, 1, 2, 3}), Why::flood);
  EXPECT_EQ(local_.handled, 1);
  EXPECT_EQ(why({0x09, 0x00, 0xd1, 0x22, 1, 2, 3}), Why::flood);
  EXPECT_EQ(local_.handled, 1);  // not asked
}

TEST_F(Judge, ADirectPacketAtItsEndGoesNoFurther) {
  EXPECT_EQ(why({0x0a, 0x00, 0xaa, 0xbb, 1, 2, 3}), Why::zero_hop);
  EXPECT_EQ(why({0x0a, 0x40, 0xaa, 0xbb, 1, 2, 3}), Why::duplicate);
}

TEST_F(Judge, TheRandomDelayIsDrawnFromTheFrameThatWillBeSent) {
  rules_.estimates_ms.fill(0);
  rules_.estimates_ms[2 + 4 + 2] = 101;  // two hops, four bytes of payload
  rules_.flood_delay_factor = 0.5F;
  class Largest final : public Random {
   public:
    std::uint32_t next() noexcept override { return 250; }
  } largest;  // 250 modulo (5 * 50 + 1): the upper end
  const auto packet = parse(kGroupText);
  const Judgement judged = judge(*packet, {}, {rules_, regions_, seen_, largest, local_});
  EXPECT_EQ(judged.outgoing()[0].delay, milliseconds(250));
}

TEST_F(Judge, OnlyFloodsAreHeldBeforeJudging) {
  rules_.receive_delay_base = 10;
  rules_.estimates_ms.fill(246);
  const Frame direct = {0x0a, 0x01, 0xd0, 9};
  EXPECT_GT(receive_hold(rules_, *parse(kGroupText), Decibels{-40}, 24), milliseconds(50));
  EXPECT_EQ(receive_hold(rules_, *parse(direct), Decibels{-40}, 24), Duration::zero());
  rules_.receive_delay_base = 0;
  EXPECT_EQ(receive_hold(rules_, *parse(kGroupText), Decibels{-40}, 24), Duration::zero());
}

TEST(Why, EveryReasonHasItsOwnName) {
  for (std::size_t a = 0; a < kWhyCount; ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      EXPECT_NE(to_string(static_cast<Why>(a)), to_string(static_cast<Why>(b)));
    }
  }
  EXPECT_EQ(to_string(Why::unhandled_type), "unhandled_type");
  EXPECT_EQ(to_string(Why::incomplete), "incomplete");
}

}  // namespace
}  // namespace chappe::mesh
