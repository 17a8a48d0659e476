#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "chappe/base/hex.h"
#include "chappe/node/console.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/sim/scripted_radio.h"

// What the reference did at its console, sent by itself and counted, against what we do. Nobody is
// logged in here: commands that came encrypted are typed by an administrator instead.
namespace chappe::node {
namespace {

using Json = nlohmann::json;

const std::string kOracle = std::string(CHAPPE_SOURCE_DIR) + "/tests/vectors/oracle/";

std::vector<std::uint8_t> bytes_of(const std::string& hex) {
  std::vector<std::uint8_t> bytes(hex.size() / 2);
  EXPECT_TRUE(from_hex(hex, bytes));
  return bytes;
}

std::string hex_of(Bytes bytes) {
  return std::string(Text<2 * mesh::kFrameMax>().add_hex(bytes).view());
}

template <std::size_t Size>
std::array<std::uint8_t, Size> array_of(const std::string& hex) {
  std::array<std::uint8_t, Size> array{};
  EXPECT_TRUE(from_hex(hex, array));
  return array;
}

std::vector<Json> scenarios_of(const std::string& group) {
  std::ifstream file(kOracle + group + ".jsonl");
  EXPECT_TRUE(file) << group;
  std::vector<Json> scenarios;
  for (std::string line; std::getline(file, line);) scenarios.push_back(Json::parse(line));
  return scenarios;
}

radio::Modulation recorded_modulation(const Json& radio) {
  RadioPreferences preferences;
  preferences.frequency_mhz = radio["freq_mhz"];
  preferences.bandwidth_khz = radio["bw_khz"];
  preferences.spreading = radio["sf"];
  preferences.coding = radio["cr"];
  return *modulation_of(preferences);
}

Settings recorded_settings(const Json& node) {
  Settings settings = Settings::reference();
  const Json& from = node["prefs"];
  settings.boot_advert = node.value("boot_advert", false) ? BootAdvert::on : BootAdvert::off;
  mesh::Rules& rules = settings.rules;
  rules.forwarding = from["disable_fwd"] != 0 ? mesh::Forwarding::off : mesh::Forwarding::on;
  rules.loop_detection = static_cast<mesh::LoopDetection>(from["loop_detect"].get<int>());
  rules.flood_max = from["flood_max"];
  rules.flood_max_unscoped = from["flood_max_unscoped"];
  rules.flood_max_advert = from["flood_max_advert"];
  rules.multi_acks = from["multi_acks"];
  rules.receive_delay_base = from["rx_delay_base"];
  rules.flood_delay_factor = from["tx_delay_factor"];
  rules.direct_delay_factor = from["direct_tx_delay_factor"];
  Preferences& preferences = settings.preferences;
  preferences.airtime_factor = from["airtime_factor"];
  preferences.path_hash_mode = from["path_hash_mode"];
  preferences.cad = from["cad_enabled"] != 0;
  preferences.local_advert_minutes =
      static_cast<std::uint16_t>(2 * from["advert_interval"].get<int>());
  preferences.flood_advert_hours = from["flood_advert_interval"];
  preferences.position = static_cast<PositionPolicy>(from["advert_loc_policy"].get<int>());
  preferences.modified_at = from["discovery_mod_timestamp"];
  preferences.name = std::string_view(from["node_name"].get_ref<const std::string&>());
  preferences.guest_password =
      std::string_view(from["guest_password"].get_ref<const std::string&>());
  preferences.owner_info = std::string_view(from["owner_info"].get_ref<const std::string&>());
  preferences.latitude = from["node_lat"];
  preferences.longitude = from["node_lon"];
  preferences.transmit_dbm = node["radio"]["tx_dbm"];
  preferences.radio = {
      node["radio"]["freq_mhz"], node["radio"]["bw_khz"], node["radio"]["sf"], node["radio"]["cr"]};
  return settings;
}

class RecordedBoard final : public Board, public Printer {
 public:
  RecordedBoard(const Json& surroundings, sim::ScriptedRadio& radio)
      : radio_(radio),
        name_(surroundings["board"]),
        firmware_(surroundings["firmware"]),
        build_date_(surroundings["build_date"]),
        battery_mv_(surroundings["batt_mv"]),
        ambient_dbm_(surroundings["ambient_dbm"]),
        has_gain_(surroundings.value("receive_gain", true)) {}

  std::string_view name() const override { return name_; }
  std::string_view firmware_version() const override { return firmware_; }
  std::string_view build_date() const override { return build_date_; }
  std::uint16_t battery_mv() const override { return battery_mv_; }
  std::int16_t noise_floor_dbm() const override { return ambient_dbm_; }
  bool allows(const radio::Modulation&) const override { return true; }
  void tune(const radio::Modulation& modulation) override { radio_.tune(modulation); }
  bool has_receive_gain() const override { return has_gain_; }
  bool set_receive_gain(bool) override { return has_gain_; }
  void halt(Halt how) override { halted = how; }
  void print(std::string_view words) override { printed += words; }

  std::string printed;
  std::optional<Halt> halted;

 private:
  sim::ScriptedRadio& radio_;
  const std::string name_;
  const std::string firmware_;
  const std::string build_date_;
  const std::uint16_t battery_mv_;
  const std::int16_t ambient_dbm_;
  const bool has_gain_;
};

class SetRandom final : public Random {
 public:
  std::uint32_t next() noexcept override { return word; }
  std::uint32_t word = 0;
};

class Node {
 public:
  explicit Node(const Json& node)
      : modulation_(recorded_modulation(node["radio"])),
        radio(executor, modulation_),
        bucket(executor, modulation_, node["prefs"]["airtime_factor"].get<float>()),
        board(node["env"], radio),
        repeater(executor,
                 radio,
                 bucket,
                 random,
                 recorded_settings(node),
                 mesh::Identity{array_of<32>(node["pub"]), array_of<64>(node["prv"])}),
        console({executor, repeater, access, board, board, &bucket}) {
    repeater.clock().start(node["rtc0"], executor.now());
    repeater.start();
  }
  ~Node() { repeater.stop(); }

  std::string type(const std::string& line, std::uint32_t timestamp = 0) {
    Reply reply;
    console.command(line, timestamp, reply);
    return std::string(reply.view());
  }
  void run_until(std::int64_t ms) { port_.run(executor, at_ms(ms)); }

 private:
  port::VirtualPort port_;
  const radio::Modulation modulation_;

 public:
  SetRandom random;
  async::Executor executor{port_};
  sim::ScriptedRadio radio;
  tx::Bucket bucket;
  AccessList access;
  RecordedBoard board;
  Repeater repeater;
  Console console;
};

/// One scenario, played: setup, then every input at its time.
class Session {
 public:
  explicit Session(const Json& scenario) : scenario_(scenario), node(scenario["node"]) {
    for (const Json& reply : expected().value("cli", Json::array())) replies_[reply["i"]] = reply;
    for (const Json& sent : expected()["tx"]) {
      if (sent.contains("dec") && sent["dec"].contains("text")) {
        texts_[sent["cause"].get<Json>().dump()] = sent["dec"]["text"];
      }
    }
  }

  void play() {
    for (const Json& line : scenario_["node"].value("setup", Json::array())) {
      EXPECT_EQ(node.type(line["cmd"]), line.value("reply", "")) << line["cmd"];
      ++compared;
    }
    for (const Json& input : scenario_["inputs"]) {
      open_windows_until(input["t"]);
      node.run_until(input["t"]);
      if (input["kind"] == "cli") {
        type_locally(input);
      } else if (input["kind"] == "rx") {
        hear(input);
      }
    }
    open_windows_until(scenario_["end"]);
    node.run_until(scenario_["end"]);
  }

  /// Every frame once, in its window, and nothing else.
  void expect_transmissions() const {
    std::vector<bool> taken(node.radio.log.size(), false);
    for (const Json& sent : expected()["tx"]) {
      if (!sent.contains("t")) continue;  // still queued at the end
      const bool contended = sent.value("waited", false) && scenario_.contains("channel");
      const std::int64_t slack_ms = contended ? 365 : 5;
      bool found = false;
      for (std::size_t i = 0; i < taken.size() && !found; ++i) {
        const auto& ours = node.radio.log[i];
        const std::int64_t from_ms = in_us(ours.from) / 1000;
        found = !taken[i] && std::abs(from_ms - sent["t"][0].get<std::int64_t>()) <= slack_ms &&
                is_same(sent, ours.frame);
        if (found) taken[i] = true;
      }
      EXPECT_TRUE(found) << "not sent at " << sent["t"][0] << ": " << sent["hex"];
    }
    for (std::size_t i = 0; i < taken.size(); ++i) {
      EXPECT_TRUE(taken[i]) << "nobody expected, at " << in_us(node.radio.log[i].from) / 1000
                            << " ms: " << hex_of(node.radio.log[i].frame);
    }
  }

  void expect_state() {
    if (!expected().contains("state")) return;
    const Json& state = expected()["state"];
    const Counters& ours = node.repeater.counters();
    if (state.contains("counters")) {
      EXPECT_EQ(state["counters"],
                (Json{{"sent_flood", ours.sent_by.flood},
                      {"sent_direct", ours.sent_by.direct},
                      {"recv_flood", ours.heard.flood},
                      {"recv_direct", ours.heard.direct},
                      {"dup_flood", ours.duplicates.flood},
                      {"dup_direct", ours.duplicates.direct}}));
    }
    expect_if(state, "err_flags", ours.errors);
    expect_if(state, "tx_air_ms", ours.transmit_airtime_ms);
    expect_if(state, "rx_air_ms", ours.receive_airtime_ms);
    expect_if(state, "tx_budget_ms", node.bucket.tx_budget_ms());
    expect_if(state, "rtc", node.repeater.unix_now());
    if (state.contains("neighbours")) expect_neighbours(state["neighbours"]);
    if (state.contains("regions")) {
      Reply tree;
      append_tree(tree, node.repeater.regions());
      EXPECT_EQ(tree.view(), state["regions"].get<std::string>().substr(0, Reply::capacity()));
    }
    if (state.contains("prefs")) {
      EXPECT_EQ(state["prefs"].value("advert_interval", 0) * 2,
                node.repeater.preferences().local_advert_minutes);
    }
  }

  int compared = 0;  // replies

 private:
  const Json& expected() const { return scenario_["expect"]; }

  template <class Value>
  static void expect_if(const Json& state, const char* name, Value ours) {
    if (state.contains(name)) {
      EXPECT_EQ(state[name], Json(ours)) << name;
    }
  }

  void expect_neighbours(const Json& expected) {
    const auto ours = node.repeater.neighbours().all();
    ASSERT_EQ(ours.size(), expected.size());
    for (const Json& neighbour : expected) {
      const auto found =
          std::ranges::find(ours, array_of<32>(neighbour["pub"]), &mesh::Neighbour::key);
      ASSERT_NE(found, ours.end()) << neighbour;
      EXPECT_EQ(found->advert_timestamp, neighbour["advert_ts"]) << neighbour;
      EXPECT_EQ(found->heard_at, neighbour["heard"]) << neighbour;
      EXPECT_EQ(found->snr.quarters, neighbour["snr_q"]) << neighbour;
    }
  }

  static bool is_same(const Json& sent, const std::vector<std::uint8_t>& frame) {
    const auto theirs = bytes_of(sent["hex"]);
    if (theirs.size() != frame.size()) return false;
    const auto mask = bytes_of(sent.value("mask", ""));
    for (std::size_t i = 0; i < frame.size(); ++i) {
      const bool counts = mask.empty() || mask[i] == 0xff;
      if (counts && theirs[i] != frame[i]) return false;
    }
    return true;
  }

  void type_locally(const Json& input) {
    const auto expected_reply = replies_.find(input["i"].get<int>());
    node.board.printed.clear();
    const std::string reply = node.type(input["text"]);
    if (expected_reply == replies_.end() || expected_reply->second.value("varies", false)) return;
    EXPECT_EQ(reply, expected_reply->second.value("reply", "")) << input["text"];
    EXPECT_EQ(node.board.printed, expected_reply->second.value("serial", "")) << input["text"];
    ++compared;
  }

  void hear(const Json& input) {
    if (!input.contains("plain")) return node.radio.hear(frame_of(input));
    // An encrypted command, as the administrator would type it: only those that were answered.
    const auto text = texts_.find(input["i"].get<Json>().dump());
    const auto plain = bytes_of(input["plain"]);
    constexpr std::size_t kTextAt = 5;
    if (plain.size() < kTextAt) return;
    std::string command(plain.begin() + kTextAt, plain.end());
    command = command.substr(0, command.find('\0'));
    const bool is_command = scenario_["group"] == "cli" || scenario_["group"] == "console";
    const bool is_load = command.starts_with("region load") || command.starts_with(" ") ||
                         node.console.is_loading_regions();
    if (!is_command || (text == texts_.end() && !is_load)) return;
    const std::string reply = node.type(command, le32(plain));
    EXPECT_EQ(reply, text == texts_.end() ? "" : text->second) << command;
    ++compared;
  }

  radio::Frame frame_of(const Json& input) const {
    std::vector<std::uint8_t> bytes = bytes_of(input["hex"]);
    if (input.contains("patch")) {
      const Json& patch = input["patch"];
      const auto& quoted = node.radio.log.at(patch["tx"].get<std::size_t>()).frame;
      for (std::size_t i = 0; i < patch["len"].get<std::size_t>(); ++i) {
        bytes.at(patch["at"].get<std::size_t>() + i) =
            quoted.at(patch["from"].get<std::size_t>() + i);
      }
    }
    radio::Frame frame;
    frame.bytes = radio::FrameBytes(bytes);
    frame.snr.quarters = static_cast<std::int16_t>(std::lround(input["snr"].get<double>() * 4));
    frame.rssi.quarters = static_cast<std::int16_t>(std::lround(input["rssi"].get<double>() * 4));
    frame.at = node.executor.now();
    return frame;
  }

  void open_windows_until(std::int64_t ms) {
    for (const Json& window : scenario_.value("channel", Json::array())) {
      if (window["kind"] != "cad" || window["from"] > ms) continue;
      node.radio.busy_until = std::max(node.radio.busy_until, at_ms(window["to"]));
    }
  }

  const Json& scenario_;
  std::map<int, Json> replies_;
  std::map<std::string, std::string> texts_;

 public:
  Node node;
};

// Forged signatures and counters that flow over: there our answer is another one, on purpose.
bool has_quirks(const Json& scenario) {
  return std::ranges::any_of(scenario["inputs"],
                             [](const Json& input) { return input.contains("quirk"); });
}

bool has_clients(const Json& scenario) {
  return std::ranges::any_of(scenario["inputs"],
                             [](const Json& input) { return input.contains("plain"); });
}

TEST(RecordedSessions, TheConsoleAnswersLikeTheReference) {
  int compared = 0;
  for (const char* group : {"cli", "console", "regions", "adverts", "discover", "duty_cycle"}) {
    for (const Json& scenario : scenarios_of(group)) {
      if (has_quirks(scenario)) continue;
      SCOPED_TRACE(scenario["id"]);
      Session session(scenario);
      session.play();
      compared += session.compared;
    }
  }
  EXPECT_GT(compared, 1300);
}

TEST(RecordedSessions, TheSetupOfEverySessionIsAnsweredLikeTheReference) {
  int compared = 0;
  for (const char* group : {"flood_forward",
                            "duplicates",
                            "loop_detect",
                            "hop_limits",
                            "direct",
                            "zero_hop",
                            "trace",
                            "acks",
                            "path_return",
                            "anon_requests",
                            "login",
                            "requests",
                            "malformed",
                            "channel_busy",
                            "queue",
                            "clock_wrap",
                            "soak"}) {
    for (const Json& scenario : scenarios_of(group)) {
      SCOPED_TRACE(scenario["id"]);
      Node node(scenario["node"]);
      for (const Json& line : scenario["node"].value("setup", Json::array())) {
        EXPECT_EQ(node.type(line["cmd"]), line.value("reply", "")) << line["cmd"];
        ++compared;
      }
    }
  }
  EXPECT_GT(compared, 100);
}

// What needs nobody's key: relays, own adverts, discovery, waits for airtime, a full pool.
TEST(RecordedSessions, TransmissionsAndCountersAreTheReferences) {
  int played = 0;
  for (const char* group :
       {"adverts", "discover", "duty_cycle", "regions", "hop_limits", "loop_detect", "queue"}) {
    for (const Json& scenario : scenarios_of(group)) {
      if (has_quirks(scenario) || has_clients(scenario)) continue;
      SCOPED_TRACE(scenario["id"]);
      Session session(scenario);
      session.play();
      session.expect_transmissions();
      session.expect_state();
      ++played;
    }
  }
  EXPECT_GT(played, 70);
}

// --- The sessions of meshcore-packets.json -------------------------------------------------------

radio::Frame frame_of_step(const Json& step, Time at) {
  radio::Frame frame;
  frame.bytes = radio::FrameBytes(bytes_of(step["hex"]));
  frame.snr.quarters = static_cast<std::int16_t>(std::lround(step["snr"].get<double>() * 4));
  frame.rssi.quarters = static_cast<std::int16_t>(std::lround(step["rssi"].get<double>() * 4));
  frame.at = at;
  return frame;
}

/// A fresh installation of the firmware, as protocol section 1 says.
Json fresh_node(const Json& params) {
  static const Json any = scenarios_of("cli").front()["node"];
  Json node = any;
  node.erase("setup");
  node["prv"] = params["node_prv"];
  const auto pub = mesh::crypto::public_key(array_of<64>(params["node_prv"]));
  node["pub"] = hex_of(*pub);
  node["rtc0"] = params["rtc_start"];
  node["radio"] = params["radio"];
  node["radio"]["tx_dbm"] = 20;
  node["prefs"]["advert_interval"] = 1;
  node["prefs"]["flood_advert_interval"] = 47;
  node["env"]["batt_mv"] = 4123;
  node["env"]["board"] = "RefBoard";
  node["env"]["receive_gain"] = false;
  return node;
}

void play_steps(const Json& session) {
  const Json& steps = session["params"]["steps"];
  Node node(fresh_node(session["params"]));
  if (session["params"]["rng"] == "a5") node.random.word = 0xa5a5a5a5;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const Json& step = steps[i];
    const Json& expected = session["expect"]["steps"][i];
    const Time start = node.executor.now();
    const std::size_t sent_before = node.radio.log.size();
    if (step["op"] == "cli") {
      const std::uint32_t timestamp = step.value("sender_timestamp", 0U);
      EXPECT_EQ(node.type(step["cmd"].get<std::string>(), timestamp),
                expected["reply"].get<std::string>())
          << step["cmd"];
      continue;
    }
    if (step["op"] == "rx") node.radio.hear(frame_of_step(step, start));
    if (step["op"] == "set_rng_u32") node.random.word = step["value"];
    node.run_until(in_us(start) / 1000 + step.value("run_ms", 0));
    const Json sent = expected.value("tx", Json::array());
    ASSERT_EQ(node.radio.log.size() - sent_before, sent.size()) << "step " << i;
    for (std::size_t j = 0; j < sent.size(); ++j) {
      const auto& ours = node.radio.log[sent_before + j];
      EXPECT_EQ(hex_of(ours.frame), sent[j]["hex"].get<std::string>());
      EXPECT_NEAR(static_cast<double>(in_us(ours.from - start)) / 1000,
                  sent[j]["after_ms"].get<double>(),
                  20);
    }
  }
}

TEST(RecordedSessions, AFreshInstallationAnswersAndAdvertisesLikeTheReference) {
  std::ifstream file(std::string(CHAPPE_SOURCE_DIR) + "/tests/vectors/meshcore-packets.json");
  const Json vectors = Json::parse(file)["vectors"];
  int played = 0;
  for (const Json& session : vectors) {
    const std::string name = session["name"];
    const bool is_ours = name.starts_with("cli-") || name.starts_with("advert-") ||
                         name.starts_with("discover-") || name == "neighbours-excluded" ||
                         name == "tempradio-flow" || name == "timing-boot-local-advert";
    const Json params = session.value("params", Json::object());
    const bool is_session = params.contains("steps") && params.contains("node_prv");
    const bool has_login = name.starts_with("cli-txt-");
    if (!is_ours || !is_session || has_login) continue;
    SCOPED_TRACE(name);
    play_steps(session);
    ++played;
  }
  EXPECT_GE(played, 27);
}

}  // namespace
}  // namespace chappe::node
