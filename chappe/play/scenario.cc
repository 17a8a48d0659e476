#include "chappe/play/scenario.h"

#include <algorithm>
#include <cmath>

namespace chappe::play {
namespace {

template <std::size_t Size>
bool read_key(const Json& digits, std::array<std::uint8_t, Size>& key) {
  const ByteList bytes = digits.bytes();
  if (bytes.size() != Size) return false;
  std::ranges::copy(bytes, key.begin());
  return true;
}

// Real modems measure quarters. A recording with less round numbers is cut toward zero, as the
// reference cuts them wherever it passes them on.
std::int16_t quarters(const Json& decibels) {
  return static_cast<std::int16_t>(std::trunc(decibels.number() * 4));
}

int small(const Json& number) {
  return static_cast<int>(number.integer());
}

std::size_t size_of(const Json& number) {
  return static_cast<std::size_t>(std::max<std::int64_t>(number.integer(), 0));
}

void read(const Json& from, const char* name, double& to) {
  if (from.has(name)) to = from[name].number();
}
void read(const Json& from, const char* name, int& to) {
  if (from.has(name)) to = small(from[name]);
}
void read(const Json& from, const char* name, bool& to) {
  if (from.has(name)) to = from[name].is_bool() ? from[name].boolean() : from[name].integer() != 0;
}
void read(const Json& from, const char* name, std::int64_t& to) {
  if (from.has(name)) to = from[name].integer();
}
void read(const Json& from, const char* name, std::string& to) {
  if (from.has(name)) to = from[name].text();
}

RecordedRadio radio_from(const Json& from) {
  RecordedRadio radio;
  read(from, "freq_mhz", radio.freq_mhz);
  read(from, "bw_khz", radio.bw_khz);
  read(from, "sf", radio.sf);
  read(from, "cr", radio.cr);
  read(from, "tx_dbm", radio.tx_dbm);
  return radio;
}

RecordedPrefs prefs_from(const Json& from) {
  RecordedPrefs prefs;
  read(from, "airtime_factor", prefs.airtime_factor);
  read(from, "rx_delay_base", prefs.rx_delay_base);
  read(from, "tx_delay_factor", prefs.tx_delay_factor);
  read(from, "direct_tx_delay_factor", prefs.direct_tx_delay_factor);
  read(from, "flood_max", prefs.flood_max);
  read(from, "flood_max_unscoped", prefs.flood_max_unscoped);
  read(from, "flood_max_advert", prefs.flood_max_advert);
  read(from, "disable_fwd", prefs.disable_fwd);
  read(from, "multi_acks", prefs.multi_acks);
  read(from, "path_hash_mode", prefs.path_hash_mode);
  read(from, "loop_detect", prefs.loop_detect);
  read(from, "cad_enabled", prefs.cad_enabled);
  read(from, "interference_threshold", prefs.interference_threshold);
  read(from, "agc_reset_interval", prefs.agc_reset_interval);
  read(from, "advert_interval", prefs.advert_interval);
  read(from, "flood_advert_interval", prefs.flood_advert_interval);
  read(from, "advert_loc_policy", prefs.advert_loc_policy);
  read(from, "discovery_mod_timestamp", prefs.discovery_mod_timestamp);
  read(from, "node_name", prefs.node_name);
  read(from, "password", prefs.password);
  read(from, "guest_password", prefs.guest_password);
  read(from, "owner_info", prefs.owner_info);
  read(from, "node_lat", prefs.node_lat);
  read(from, "node_lon", prefs.node_lon);
  return prefs;
}

std::optional<RecordedNode> node_from(const Json& from) {
  RecordedNode node;
  if (!read_key(from["prv"], node.prv) || !read_key(from["pub"], node.pub)) return std::nullopt;
  node.rtc0 = static_cast<std::uint32_t>(from["rtc0"].integer());
  if (from.has("boot_ms")) node.boot_ms = static_cast<std::uint32_t>(from["boot_ms"].integer());
  node.boot_advert = from["boot_advert"].boolean();
  node.radio = radio_from(from["radio"]);
  node.prefs = prefs_from(from["prefs"]);
  const Json& around = from["env"];
  read(around, "batt_mv", node.surroundings.batt_mv);
  read(around, "ambient_dbm", node.surroundings.ambient_dbm);
  read(around, "board", node.surroundings.board);
  read(around, "firmware", node.surroundings.firmware);
  read(around, "build_date", node.surroundings.build_date);
  read(around, "role", node.surroundings.role);
  for (const Json& line : from["setup"].items()) {
    node.setup.push_back({line["cmd"].text(), line["reply"].text()});
  }
  return node;
}

std::optional<ScenarioInput> input_from(const Json& from) {
  using Kind = ScenarioInput::Kind;
  ScenarioInput input;
  input.index = small(from["i"]);
  input.at = at_ms(from["t"].integer());
  input.note = from["note"].text();
  input.quirk = from["quirk"].text();
  const std::string& kind = from["kind"].text();
  if (kind == "rx") {
    input.frame = from["hex"].bytes();
    input.snr = {quarters(from["snr"])};
    input.rssi = {quarters(from["rssi"])};
    input.plain = from["plain"].bytes();
    if (const Json& patch = from["patch"]; patch.is_object()) {
      input.patch = Patch{size_of(patch["tx"]),
                          size_of(patch["from"]),
                          size_of(patch["at"]),
                          size_of(patch["len"])};
    }
  } else if (kind == "cli") {
    input.kind = Kind::console;
    input.text = from["text"].text();
  } else if (kind == "txfail") {
    input.kind = Kind::failing_transmission;
  } else {
    return std::nullopt;
  }
  return input;
}

std::optional<ChannelWindow> window_from(const Json& from) {
  using Kind = ChannelWindow::Kind;
  ChannelWindow window;
  window.from = at_ms(from["from"].integer());
  window.to = at_ms(from["to"].integer());
  window.level = {quarters(from["dbm"])};
  const std::string& kind = from["kind"].text();
  if (kind == "header") return window;
  if (kind == "preamble") {
    window.kind = Kind::preamble;
  } else if (kind == "rssi") {
    window.kind = Kind::rssi;
  } else if (kind == "cad") {
    window.kind = Kind::cad;
  } else {
    return std::nullopt;
  }
  return window;
}

ExpectedTransmission transmission_from(const Json& from) {
  ExpectedTransmission out;
  if (from["cause"].is_number()) {
    out.cause = small(from["cause"]);
  } else {
    out.cause_name = from["cause"].text();
  }
  out.frame = from["hex"].bytes();
  out.mask = from["mask"].bytes();
  out.varies = from["varies"].text();
  out.start = {at_ms(from["t"][0].integer()), at_ms(from["t"][1].integer())};
  out.after_min = milliseconds(from["after"][0].integer());
  out.after_max = milliseconds(from["after"][1].integer());
  out.waited = from["waited"].boolean();
  out.unsent = from["unsent"].boolean();
  out.radio_refused = from["radio_refused"].boolean();
  out.priority = small(from["pri"]);
  out.air_ms = from["air"].integer();
  out.decoded = from["dec"];
  return out;
}

ExpectedVerdict verdict_from(const Json& from) {
  ExpectedVerdict out;
  out.input = small(from["i"]);
  out.verdict = from["v"].text();
  out.why = from["why"].text();
  out.has_region = from.has("region");
  if (from["region"].is_string()) out.region = from["region"].text();
  if (from.has("rx_delay")) out.rx_delay_ms = from["rx_delay"].integer();
  return out;
}

SessionStep::Frame frame_from(const Json& from) {
  return {from["hex"].bytes(), {quarters(from["snr"])}, {quarters(from["rssi"])}};
}

std::optional<SessionStep> step_from(const Json& from, const Json& expect) {
  using Op = SessionStep::Op;
  SessionStep step;
  step.run = milliseconds(from["run_ms"].integer());
  const std::string& op = from["op"].text();
  if (op == "cli") {
    step.op = Op::cli;
    step.command = from["cmd"].text();
    if (from.has("sender_timestamp")) {
      step.sender_timestamp = static_cast<std::uint32_t>(from["sender_timestamp"].integer());
    }
  } else if (op == "rx") {
    step.op = Op::rx;
    step.frames.push_back(frame_from(from));
  } else if (op == "rx_batch") {
    step.op = Op::rx_batch;
    for (const Json& frame : from["packets"].items()) step.frames.push_back(frame_from(frame));
  } else if (op == "run") {
    step.op = Op::run;
  } else if (op == "set_rtc" || op == "set_rng_u32") {
    step.op = op == "set_rtc" ? Op::set_rtc : Op::set_rng;
    // No published session sets the clock; what its field is called is a guess.
    const char* const field = from.has("value") ? "value" : from.has("rtc") ? "rtc" : "epoch";
    step.value = static_cast<std::uint32_t>(from[field].integer());
  } else if (op == "channel_busy") {
    step.op = Op::channel_busy;
    step.busy = from["busy"].boolean();
  } else {
    return std::nullopt;
  }
  if (expect["reply"].is_string()) step.reply = expect["reply"].text();
  step.expects_transmissions = expect.has("tx");
  for (const Json& sent : expect["tx"].items()) {
    step.transmissions.push_back(
        {milliseconds(sent["after_ms"].integer()), sent["hex"].bytes(), sent["plain"].bytes()});
  }
  return step;
}

}  // namespace

std::optional<Scenario> scenario_from(const Json& line) {
  if (!line["node"].is_object() || !line["expect"].is_object()) return std::nullopt;
  auto node = node_from(line["node"]);
  if (!node) return std::nullopt;

  Scenario scenario;
  scenario.id = line["id"].text();
  scenario.group = line["group"].text();
  scenario.title = line["title"].text();
  scenario.end = at_ms(line["end"].integer());
  scenario.order_fixed = !line.has("order_fixed") || line["order_fixed"].boolean();
  scenario.node = *std::move(node);
  for (const auto& [name, keys] : line["keys"].members()) {
    Party party;
    if (!read_key(keys["pub"], party.pub) || !read_key(keys["prv"], party.prv) ||
        !read_key(keys["secret"], party.secret)) {
      return std::nullopt;
    }
    scenario.parties.emplace(name, party);
  }
  for (const Json& from : line["inputs"].items()) {
    auto input = input_from(from);
    if (!input) return std::nullopt;
    scenario.inputs.push_back(*std::move(input));
  }
  for (const Json& from : line["channel"].items()) {
    const auto window = window_from(from);
    if (!window) return std::nullopt;
    scenario.channel.push_back(*window);
  }
  const Json& expect = line["expect"];
  for (const Json& from : expect["tx"].items()) {
    scenario.transmissions.push_back(transmission_from(from));
  }
  for (const Json& from : expect["verdicts"].items()) {
    scenario.verdicts.push_back(verdict_from(from));
  }
  for (const Json& from : expect["cli"].items()) {
    scenario.replies.push_back(
        {small(from["i"]), from["reply"].text(), from["serial"].text(), from["varies"].boolean()});
  }
  scenario.survival_only = expect.has("assertion");
  for (const Json& index : expect["undefined_inputs"].items()) {
    scenario.undefined_inputs.push_back(small(index));
  }
  scenario.halt = expect["halt"];
  scenario.state = expect["state"];
  return scenario;
}

std::optional<Session> session_from(const Json& vector) {
  const Json& params = vector["params"];
  Session session;
  if (!read_key(params["node_prv"], session.prv) || !params["steps"].is_array()) {
    return std::nullopt;
  }
  session.name = vector["name"].text();
  session.kind = vector["kind"].text();
  session.rtc_start = static_cast<std::uint32_t>(params["rtc_start"].integer());
  const std::string& random = params["rng"].text();
  if (random != "zeros" && random != "a5") return std::nullopt;
  session.random_byte = random == "a5" ? 0xa5 : 0;
  session.radio = radio_from(params["radio"]);
  const auto& steps = params["steps"].items();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    auto step = step_from(steps[i], vector["expect"]["steps"][i]);
    if (!step) return std::nullopt;
    session.steps.push_back(*std::move(step));
  }
  return session;
}

}  // namespace chappe::play
