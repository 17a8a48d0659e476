#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>

#include "chappe/mesh/delays.h"
#include "chappe/mesh/judge.h"
#include "chappe/play/scenario.h"
#include "chappe/play/vector_file.h"
#include "chappe/radio/airtime.h"

namespace chappe::play {
namespace {

const std::string kOracle = std::string(CHAPPE_SOURCE_DIR) + "/tests/vectors/oracle/";

/// Plays the server, which is not what is tested here: handles exactly what the recording says was
/// handled.
class RecordedDelivery final : public mesh::LocalDelivery {
 public:
  void expect(const ExpectedVerdict* verdict) { verdict_ = verdict; }

  std::optional<mesh::Why> try_handle(const mesh::Packet&,
                                      const mesh::Heard&,
                                      const mesh::Region*) override {
    using mesh::Why;
    if (verdict_ == nullptr) return std::nullopt;
    for (const Why why : {Why::addressed_here_anonymous,
                          Why::addressed_here_known_client,
                          Why::path_return_stored,
                          Why::command_halts_node}) {
      if (verdict_->why == to_string(why)) return why;
    }
    return std::nullopt;
  }

 private:
  const ExpectedVerdict* verdict_ = nullptr;
};

// The power in the receive delay may round the other way on another library.
void expect_within_a_millisecond(std::int64_t expected_ms, std::int64_t actual_ms) {
  EXPECT_LE(std::abs(expected_ms - actual_ms), 1)
      << "expected " << expected_ms << " ms, got " << actual_ms << " ms";
}

struct Due {
  Time at;
  Duration hold{};
  const ScenarioInput* input;
};

class Player {
 public:
  explicit Player(const Scenario& scenario) : scenario_(scenario) {
    const RecordedNode& node = scenario.node;
    rules_.own = node.pub;
    rules_.forwarding = node.prefs.disable_fwd ? mesh::Forwarding::off : mesh::Forwarding::on;
    rules_.loop_detection = static_cast<mesh::LoopDetection>(node.prefs.loop_detect);
    rules_.flood_max = static_cast<std::uint8_t>(node.prefs.flood_max);
    rules_.flood_max_unscoped = static_cast<std::uint8_t>(node.prefs.flood_max_unscoped);
    rules_.flood_max_advert = static_cast<std::uint8_t>(node.prefs.flood_max_advert);
    rules_.multi_acks = static_cast<std::uint8_t>(node.prefs.multi_acks);
    rules_.spreading = static_cast<std::uint8_t>(node.radio.sf);
    rules_.receive_delay_base = static_cast<float>(node.prefs.rx_delay_base);
    rules_.flood_delay_factor = static_cast<float>(node.prefs.tx_delay_factor);
    rules_.direct_delay_factor = static_cast<float>(node.prefs.direct_tx_delay_factor);
    radio::Modulation modulation;
    modulation.bandwidth = *radio::Bandwidth::from_nominal(
        Hertz{static_cast<std::uint32_t>(std::lround(node.radio.bw_khz * 1000))});
    modulation.spreading = rules_.spreading;
    modulation.coding = static_cast<std::uint8_t>(node.radio.cr);
    modulation.preamble = radio::preamble_for(modulation.spreading);
    rules_.estimates_ms = radio::reference_estimates_ms(modulation);
    for (const ConsoleCommand& line : node.setup) console(line.command);
  }

  void run() {
    std::vector<Due> due;
    for (const ScenarioInput& input : scenario_.inputs) {
      Duration hold{};
      if (const auto packet = mesh::parse(input.frame)) {
        hold = receive_hold(rules_, *packet, input.snr, input.frame.size());
      }
      due.push_back({input.at + hold, hold, &input});
    }
    std::ranges::sort(due, {}, [](const Due& one) { return std::pair(one.at, one.input->index); });
    for (const Due& next : due) {
      if (next.input->kind == ScenarioInput::Kind::frame) judge_one(next);
      if (next.input->kind == ScenarioInput::Kind::console) console(next.input->text);
      record_own(next.input->index);
    }
  }

  int judged() const { return judged_; }
  int sent() const { return sent_; }

 private:
  // What changes a judgement, and no more: the console itself is not tested here.
  void console(const std::string& line) {
    std::istringstream words(line);
    std::string command;
    std::string verb;
    std::string name;
    std::string parent;
    words >> command >> verb >> name >> parent;
    if (command == "set" && verb == "repeat") {
      rules_.forwarding = name == "off" ? mesh::Forwarding::off : mesh::Forwarding::on;
    }
    if (command != "region") return;
    mesh::Region* const known = regions_.find_prefix(name);
    if (verb == "put") {
      const mesh::Region* const above = parent.empty() ? nullptr : regions_.find_prefix(parent);
      if (!parent.empty() && above == nullptr) return;
      const auto put = regions_.put(name, above == nullptr ? std::uint16_t{0} : above->id);
      if (put) (*put)->floods = mesh::Floods::allowed;
    } else if (verb == "allowf" && known != nullptr) {
      known->floods = mesh::Floods::allowed;
    } else if (verb == "denyf" && known != nullptr) {
      known->floods = mesh::Floods::denied;
    } else if (verb == "default" && known != nullptr) {
      known->floods = mesh::Floods::allowed;
    } else if (verb == "remove" && known != nullptr && !regions_.has_children(known->id)) {
      regions_.remove(known->id);
    }
  }

  // What the node itself sent because of this input is known to it from then on.
  void record_own(int index) {
    for (const ExpectedTransmission& sent : scenario_.transmissions) {
      if (sent.cause != index || sent.frame.empty()) continue;
      const auto packet = mesh::parse(sent.frame);
      ASSERT_TRUE(packet.has_value());
      const auto verdict = verdict_of(index);
      if (verdict != nullptr && verdict->verdict == "forward") continue;
      seen_.insert(mesh::packet_hash(*packet));
    }
  }

  const ExpectedVerdict* verdict_of(int index) const {
    const auto found = std::ranges::find(scenario_.verdicts, index, &ExpectedVerdict::input);
    return found == scenario_.verdicts.end() ? nullptr : &*found;
  }

  void judge_one(const Due& due) {
    const ScenarioInput& input = *due.input;
    const ExpectedVerdict* const expected = verdict_of(input.index);
    if (expected == nullptr || expected->verdict == "not_received" || input.patch) return;
    if (expected->why == "packet_pool_empty") return;  // a limit of the reference, not of judging
    SCOPED_TRACE(scenario_.id + " input " + std::to_string(input.index) + " " + input.note);
    const bool quirk = !input.quirk.empty();

    const auto packet = mesh::parse(input.frame);
    if (!packet) {
      EXPECT_EQ(expected->verdict, "drop");
      EXPECT_EQ(expected->why, to_string(mesh::why_of(packet.error())));
      ++judged_;
      return;
    }
    if (expected->rx_delay_ms) expect_within_a_millisecond(*expected->rx_delay_ms, in_ms(due.hold));
    local_.expect(expected);
    const mesh::Heard heard{input.snr, input.rssi, input.frame.size(), input.at};
    const mesh::Judgement judged =
        judge(*packet, heard, {rules_, regions_, seen_, random_, local_});
    ++judged_;
    if (quirk && expected->why != to_string(judged.why)) return;  // answered our way, see mesh/
    EXPECT_EQ(expected->verdict, to_string(judged.verdict));
    EXPECT_EQ(expected->why, to_string(judged.why));
    if (expected->has_region) {
      EXPECT_EQ(expected->region.has_value(), judged.region != nullptr);
      if (expected->region && judged.region != nullptr) {
        EXPECT_EQ(*expected->region, judged.region->name());
      }
    }
    if (judged.verdict == mesh::Verdict::forward && !quirk) compare_sent(input, due.hold, judged);
  }

  void compare_sent(const ScenarioInput& input, Duration hold, const mesh::Judgement& judged) {
    std::vector<const ExpectedTransmission*> expected;
    for (const ExpectedTransmission& sent : scenario_.transmissions) {
      // A frame that was never sent has no bytes recorded.
      if (sent.cause == input.index && !sent.frame.empty()) expected.push_back(&sent);
    }
    // What still waited when the recording ended may not be in it.
    ASSERT_LE(expected.size(), judged.outgoing().size());
    for (const ExpectedTransmission* const sent : expected) {
      const auto match = std::ranges::find_if(judged.outgoing(), [&](const mesh::Outgoing& out) {
        return std::ranges::equal(out.frame.view(), sent->frame);
      });
      ASSERT_NE(match, judged.outgoing().end()) << "nothing like " << hex(sent->frame);
      EXPECT_EQ(sent->priority, match->priority);
      expect_within_a_millisecond(in_ms(sent->after_min), in_ms(hold + match->delay));
      if (judged.why != mesh::Why::direct_ack) {
        const auto packet = mesh::parse(match->frame);
        ASSERT_TRUE(packet.has_value());
        const float factor =
            packet->is_flood() ? rules_.flood_delay_factor : rules_.direct_delay_factor;
        const std::uint32_t unit_ms =
            delay_unit_ms(rules_, factor, packet->path.size(), packet->payload.size());
        expect_within_a_millisecond(in_ms(sent->after_max), in_ms(hold) + 5 * unit_ms);
      }
      ++sent_;
    }
  }

  const Scenario& scenario_;
  mesh::Rules rules_;
  mesh::RegionTable regions_;
  mesh::SeenTable seen_{mesh::kSeenReference};
  ConstantRandom random_{0};
  RecordedDelivery local_;
  int judged_ = 0;
  int sent_ = 0;
};

class RecordedVerdicts : public testing::TestWithParam<const char*> {};

TEST_P(RecordedVerdicts, AreOurs) {
  int judged = 0;
  int sent = 0;
  const auto trouble = read_vectors(kOracle + GetParam() + ".jsonl", [&](const VectorItem& item) {
    const auto scenario = scenario_from(item.value);
    ASSERT_TRUE(scenario.has_value()) << item.name;
    if (HasFatalFailure() || HasNonfatalFailure()) return;  // the first one tells
    Player player(*scenario);
    player.run();
    judged += player.judged();
    sent += player.sent();
  });
  EXPECT_FALSE(trouble.has_value()) << *trouble;
  EXPECT_GT(judged, 0);
  RecordProperty("judged", judged);
  RecordProperty("sent", sent);
}

INSTANTIATE_TEST_SUITE_P(Oracle,
                         RecordedVerdicts,
                         testing::Values("acks",
                                         "adverts",
                                         "anon_requests",
                                         "channel_busy",
                                         "clock_wrap",
                                         "direct",
                                         "discover",
                                         "duplicates",
                                         "duty_cycle",
                                         "flood_forward",
                                         "hop_limits",
                                         "login",
                                         "loop_detect",
                                         "malformed",
                                         "path_return",
                                         "queue",
                                         "regions",
                                         "requests",
                                         "soak",
                                         "trace",
                                         "zero_hop"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace chappe::play
