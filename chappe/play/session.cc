#include "chappe/play/session.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>

#include "chappe/mesh/advert.h"
#include "chappe/mesh/crypto.h"
#include "chappe/mesh/envelope.h"
#include "chappe/mesh/identity.h"
#include "chappe/mesh/packet.h"
#include "chappe/play/recorded_state.h"
#include "chappe/play/stand_in_server.h"

namespace chappe::play {
namespace {

using Outcome = SessionResult::Outcome;

// The reference looks once a millisecond, and one look may do only one thing.
constexpr Duration kPolls = milliseconds(5);
// What waits for a busy channel may just miss it, and tries again one step later.
constexpr Duration kRetryStep = milliseconds(360);
// Sessions are less exact by their own account.
constexpr Duration kSessionSlack = milliseconds(20);

/// Our documented results where we do not copy the reference (docs/decisions and mesh/).
struct Quirk {
  std::string_view name;
  std::string_view verdict;
  std::string_view why;
};
constexpr std::array kQuirks = std::to_array<Quirk>({
    // We stop one hop before the firmware's counter flows over.
    {"path_count_wraps_at_64", "drop", "path_full"},
    {"path_count_wraps_at_64", "drop", "trace_path_full"},
    // One signature, one form: RFC 8032's.
    {"noncanonical_s", "drop", "bad_signature"},
    {"small_order_key", "drop", "bad_signature"},
});

bool is_documented(const std::string& quirk, const Played::Verdict& verdict) {
  return std::ranges::any_of(kQuirks, [&](const Quirk& known) {
    return known.name == quirk && known.verdict == verdict.verdict && known.why == verdict.why;
  });
}

std::string short_hex(Bytes frame) {
  constexpr std::size_t kShown = 12;
  if (frame.size() <= kShown) return hex(frame);
  return hex(frame.first(kShown)) + "... (" + std::to_string(frame.size()) + " bytes)";
}

std::string in_words(Time at) {
  return std::to_string(in_us(at) / 1000) + " ms";
}

// A reply, on one line and no longer than one glance.
std::string quoted(const std::string& reply) {
  constexpr std::size_t kShown = 60;
  std::string words = "`";
  for (const char letter : reply.substr(0, kShown)) {
    if (letter == '\n') {
      words += "\\n";
    } else {
      words += letter;
    }
  }
  return words + (reply.size() > kShown ? "...`" : "`");
}

std::optional<mesh::Advert> advert_in(Bytes frame) {
  const auto packet = mesh::parse(frame);
  if (!packet || packet->type != mesh::PayloadType::advert) return std::nullopt;
  return mesh::parse_advert(packet->payload);
}

std::string in_lower_case(std::string_view digits) {
  std::string lower(digits);
  std::ranges::transform(lower, lower.begin(), [](unsigned char digit) {
    return static_cast<char>(std::tolower(digit));
  });
  return lower;
}

bool equal_where(Bytes a, Bytes b, Bytes mask) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool counts = mask.empty() || (i < mask.size() && mask[i] == 0xff);
    if (counts && a[i] != b[i]) return false;
  }
  return true;
}

/// Header, path and the two hashes in clear, then what only the addressee can read.
bool equal_when_opened(const Scenario& scenario,
                       const ExpectedTransmission& expected,
                       Bytes frame) {
  const auto theirs = mesh::parse(expected.frame);
  const auto ours = mesh::parse(frame);
  const auto party = scenario.parties.find(expected.decoded["to"].text());
  if (!theirs || !ours || party == scenario.parties.end()) return false;
  constexpr std::size_t kHashes = 2;
  if (theirs->payload.size() != ours->payload.size() || ours->payload.size() < kHashes ||
      expected.frame.size() != frame.size()) {
    return false;
  }
  const std::size_t clear = frame.size() - ours->payload.size() + kHashes;
  if (!std::ranges::equal(frame.first(clear), Bytes(expected.frame).first(clear))) return false;
  const auto plain = mesh::open(party->second.secret, ours->payload.subspan(kHashes));
  return plain &&
         equal_where(*plain, expected.decoded["plain"].bytes(), expected.decoded["mask"].bytes());
}

bool is_same(const Scenario& scenario, const ExpectedTransmission& expected, Bytes frame) {
  if (expected.varies == "plaintext") return equal_when_opened(scenario, expected, frame);
  if (expected.varies == "bytes") return equal_where(frame, expected.frame, expected.mask);
  return std::ranges::equal(frame, expected.frame);
}

class Comparison {
 public:
  Comparison(const Scenario& scenario, const Played& played, bool at_minimum)
      : scenario_(scenario), played_(played), at_minimum_(at_minimum) {}

  SessionResult result() {
    if (auto why = first_difference_of_all()) return {Outcome::failed, *std::move(why), left_out_};
    if (is_hollow()) return {Outcome::not_built, "all of it is for a server", left_out_};
    return {otherwise_.empty() ? Outcome::passed : Outcome::passed_otherwise, {}, left_out_};
  }

 private:
  using Difference = std::optional<std::string>;

  Difference first_difference_of_all() {
    if (!played_.trouble.empty()) return played_.trouble;
    if (auto why = setup()) return why;
    if (scenario_.survival_only) return std::nullopt;
    if (auto why = verdicts()) return why;
    if (auto why = transmissions()) return why;
    if (auto why = replies()) return why;
    if (auto why = radio_replies()) return why;
    if (played_.halted != scenario_.halt["kind"].text()) {
      return played_.halted.empty() ? "the node should have halted" : "the node halted";
    }
    return state();
  }

  // A command counts as compared: its reply is ours, though its envelope is not. So does an answer
  // on a busy channel: it is recorded, but when it is sent is ours.
  bool is_hollow() const {
    return left_out_ > 0 && static_cast<std::size_t>(left_out_) == scenario_.inputs.size() &&
           played_.radio_replies.empty() && scenario_.channel.empty();
  }

  Difference setup() const {
    for (std::size_t i = 0; i < scenario_.node.setup.size(); ++i) {
      const ConsoleCommand& line = scenario_.node.setup[i];
      if (line.reply == played_.setup_replies[i]) continue;
      return "setup " + quoted(line.command) + ": expected " + quoted(line.reply) + ", got " +
             quoted(played_.setup_replies[i]);
    }
    return std::nullopt;
  }

  const ScenarioInput* input(int index) const {
    const auto found = std::ranges::find(scenario_.inputs, index, &ScenarioInput::index);
    return found == scenario_.inputs.end() ? nullptr : &*found;
  }

  // Then who has access is what the server made of it.
  bool follows_a_login(const ScenarioInput& typed) const {
    return std::ranges::any_of(scenario_.verdicts, [&](const ExpectedVerdict& verdict) {
      return verdict.input < typed.index && is_for_a_server(verdict);
    });
  }

  bool is_otherwise(std::optional<int> cause) const {
    return cause && std::ranges::find(otherwise_, *cause) != otherwise_.end();
  }

  Difference verdicts() {
    for (const ExpectedVerdict& expected : scenario_.verdicts) {
      // That it got as far as the server, and when, is ours; what the server made of it is not.
      if (is_for_a_server(expected)) ++left_out_;
      if (expected.is_inferred) continue;
      const auto found =
          std::ranges::find(played_.verdicts, expected.input, &Played::Verdict::input);
      const std::string where = "input " + std::to_string(expected.input) + ": expected " +
                                expected.verdict + "/" + expected.why + ", got ";
      if (found == played_.verdicts.end()) return where + "no verdict";
      if (expected.verdict != found->verdict || expected.why != found->why) {
        const ScenarioInput* const heard = input(expected.input);
        if (heard != nullptr && is_documented(heard->quirk, *found)) {
          otherwise_.push_back(expected.input);
          continue;
        }
        return where + found->verdict + "/" + found->why;
      }
      if (expected.rx_delay_ms && std::abs(*expected.rx_delay_ms - in_ms(found->hold)) > 1) {
        return "input " + std::to_string(expected.input) + ": expected a hold of " +
               std::to_string(*expected.rx_delay_ms) + " ms, got " +
               std::to_string(in_ms(found->hold)) + " ms";
      }
      if (expected.has_region && expected.region != found->region) {
        return "input " + std::to_string(expected.input) + ": expected region " +
               expected.region.value_or("none") + ", got " + found->region.value_or("none");
      }
      if (auto why = intention(*found)) return why;
    }
    return std::nullopt;
  }

  // What the node said it would do, before anything made it wait. Only where one frame follows from
  // one: of several, the recording does not say which the node names.
  Difference intention(const Played::Verdict& verdict) const {
    if (verdict.verdict != "forward") return std::nullopt;
    const auto follows = [&](const ExpectedTransmission& expected) {
      return cause_of(expected) == verdict.input && !expected.unsent && !expected.radio_refused;
    };
    if (std::ranges::count_if(scenario_.transmissions, follows) != 1) return std::nullopt;
    const ExpectedTransmission& expected = *std::ranges::find_if(scenario_.transmissions, follows);
    const std::string where = "input " + std::to_string(verdict.input) + ": expected ";
    if (expected.priority != verdict.priority) {
      return where + "priority " + std::to_string(expected.priority) + ", got " +
             std::to_string(verdict.priority);
    }
    // The power in a hold may round the other way on another library.
    constexpr Duration kRounding = milliseconds(1);
    const Duration after = verdict.hold + verdict.delay;
    const Duration latest = at_minimum_ ? expected.after_min : expected.after_max;
    if (expected.after_min - kRounding <= after && after <= latest + kRounding) return std::nullopt;
    return where + "a delay of " + std::to_string(in_ms(expected.after_min)) + " to " +
           std::to_string(in_ms(latest)) + " ms, got " + std::to_string(in_ms(after)) + " ms";
  }

  TimeBounds window(const ExpectedTransmission& expected) const {
    const bool contended = expected.waited && !scenario_.channel.empty();
    TimeBounds bounds = expected.start;
    // The order of frames that compete is their priority's and not their delay's, so what waited
    // for others still starts when it did in the recording, but not what waited for the channel.
    if (at_minimum_ && !contended) bounds.latest = bounds.earliest;
    bounds.earliest -= kPolls;
    bounds.latest += kPolls;
    if (contended) {
      bounds.earliest -= kRetryStep;
      bounds.latest += kRetryStep;
    }
    return bounds;
  }

  Difference transmissions() const {
    std::vector<bool> taken(played_.transmissions.size(), false);
    for (const ExpectedTransmission& expected : scenario_.transmissions) {
      if (expected.unsent || expected.radio_refused) continue;
      const TimeBounds bounds = window(expected);
      std::string nearest;
      bool found = false;
      for (std::size_t i = 0; i < taken.size() && !found; ++i) {
        const Played::Transmission& sent = played_.transmissions[i];
        if (taken[i] || !is_same(scenario_, expected, sent.frame)) continue;
        found = bounds.earliest <= sent.keyed && sent.keyed <= bounds.latest;
        if (found) {
          taken[i] = true;
        } else {
          nearest = in_words(sent.keyed);
        }
      }
      if (found || is_otherwise(cause_of(expected))) continue;
      return "expected " + short_hex(expected.frame) + " between " +
             in_words(expected.start.earliest) + " and " +
             in_words(at_minimum_ ? expected.start.earliest : expected.start.latest) + ", got " +
             (nearest.empty() ? "nothing like it" : "it at " + nearest);
    }
    for (std::size_t i = 0; i < taken.size(); ++i) {
      const Played::Transmission& sent = played_.transmissions[i];
      if (taken[i] || is_otherwise(sent.cause) || sent.keyed >= scenario_.end) continue;
      return "sent " + short_hex(sent.frame) + " at " + in_words(sent.keyed) +
             ", which nobody expected";
    }
    return std::nullopt;
  }

  static std::optional<int> cause_of(const ExpectedTransmission& expected) {
    return expected.cause_name.empty() ? std::optional<int>(expected.cause) : std::nullopt;
  }

  Difference replies() {
    for (const ExpectedReply& expected : scenario_.replies) {
      if (expected.varies) continue;
      const auto found = std::ranges::find(played_.replies, expected.input, &Played::Reply::input);
      const Played::Reply got = found == played_.replies.end() ? Played::Reply{} : *found;
      const ScenarioInput* const typed = input(expected.input);
      const std::string where =
          quoted(typed == nullptr ? std::string() : typed->text) + ": expected ";
      const bool lists_neighbours = typed != nullptr && typed->text == "neighbors";
      if (lists_neighbours && !otherwise_.empty()) {
        if (got.text == without_refused(expected.reply)) continue;
      }
      if (typed != nullptr && typed->text == "get acl" && follows_a_login(*typed)) {
        ++left_out_;
        continue;
      }
      if (got.text != expected.reply) {
        return where + quoted(expected.reply) + ", got " + quoted(got.text);
      }
      if (got.printed != expected.serial) {
        return where + "to be printed " + quoted(expected.serial) + ", got " + quoted(got.printed);
      }
    }
    return std::nullopt;
  }

  Difference radio_replies() const {
    for (const Played::Reply& reply : played_.radio_replies) {
      const std::string expected = recorded_reply(scenario_, reply.input).value_or("");
      if (reply.text == expected) continue;
      return "command by radio, input " + std::to_string(reply.input) + ": expected " +
             quoted(expected) + ", got " + quoted(reply.text);
    }
    return std::nullopt;
  }

  // One frame more or less, and these are others.
  static bool is_changed_by_traffic(std::string_view name) {
    return name == "counters" || name == "err_flags" || name.ends_with("_ms");
  }

  // Whether an advert of this key was genuine for the reference only. The key in hexadecimal
  // digits, or its beginning.
  bool is_refused(std::string_view digits) const {
    return std::ranges::any_of(otherwise_, [&](int index) {
      const ScenarioInput* const heard = input(index);
      const auto packet = heard == nullptr ? std::nullopt : advert_in(heard->frame);
      return packet && hex(packet->key).starts_with(digits);
    });
  }

  // A list of neighbours without those that are none for us.
  std::string without_refused(const std::string& reply) const {
    std::string lines;
    for (std::size_t at = 0; at < reply.size();) {
      const std::size_t end = std::min(reply.find('\n', at), reply.size());
      const std::string_view line(reply.data() + at, end - at);
      if (!is_refused(in_lower_case(line.substr(0, line.find(':'))))) {
        if (!lines.empty()) lines += '\n';
        lines += line;
      }
      at = end + 1;
    }
    return lines;
  }

  // Who logged in, and from where, is the server's.
  Difference state() const {
    if (scenario_.state.is_null()) return std::nullopt;
    Json expected = Json::object();
    const Json recorded = sorted_state(scenario_.state);
    for (const auto& [name, value] : recorded.members()) {
      if (name == "clients" && left_out_ > 0) continue;
      if (!otherwise_.empty() && is_changed_by_traffic(name)) continue;
      expected.set(name, value);
    }
    if (!otherwise_.empty() && expected.has("neighbours")) {
      Json::Array genuine = expected["neighbours"].items();
      std::erase_if(genuine,
                    [this](const Json& neighbour) { return is_refused(neighbour["pub"].text()); });
      expected.set("neighbours", std::move(genuine));
    }
    return first_difference(expected, played_.state);
  }

  const Scenario& scenario_;
  const Played& played_;
  const bool at_minimum_;
  std::vector<int> otherwise_;  // inputs that were answered our way
  int left_out_ = 0;            // inputs that were for a server
};

}  // namespace

SessionResult compare(const Scenario& scenario,
                      const Played& played,
                      std::optional<std::uint64_t> seed) {
  return Comparison(scenario, played, !seed.has_value()).result();
}

SessionResult play(const Scenario& scenario) {
  constexpr std::array<std::optional<std::uint64_t>, 3> kChances = {std::nullopt, 1, 2};
  SessionResult first;
  for (const auto& seed : kChances) {
    const auto played = play_through(scenario, seed, nullptr);
    if (!played) return {Outcome::failed, "no LoRa radio is like this"};
    SessionResult result = compare(scenario, *played, seed);
    if (result.outcome == Outcome::failed) {
      if (seed) result.why = "with seed " + std::to_string(*seed) + ": " + result.why;
      return result;
    }
    if (!seed) first = result;
  }
  return first;
}

namespace {

// A session says what was sent and not why. What could be for a server, and was not passed on, was
// for it, or nobody could tell the difference.
bool is_served(const Scenario& scenario, Bytes frame, const SessionStep& step) {
  using mesh::PayloadType;
  constexpr std::array kKinds = {PayloadType::path_return,
                                 PayloadType::request,
                                 PayloadType::response,
                                 PayloadType::text,
                                 PayloadType::anonymous_request};
  const auto packet = mesh::parse(frame);
  if (!packet || packet->payload.empty() || packet->payload[0] != scenario.node.pub[0] ||
      std::ranges::find(kKinds, packet->type) == kKinds.end()) {
    return false;
  }
  return std::ranges::none_of(step.transmissions, [&](const SessionStep::Transmission& sent) {
    const auto passed_on = mesh::parse(sent.frame);
    return passed_on && std::ranges::equal(passed_on->payload, packet->payload);
  });
}

constexpr std::string_view kServed = "addressed_here_known_client";

// The text in an answer that could be read.
Json decoded(const SessionStep::Transmission& sent) {
  constexpr std::size_t kTextAt = 5;
  const auto packet = mesh::parse(sent.frame);
  if (!packet || packet->type != mesh::PayloadType::text || sent.plain.size() <= kTextAt) return {};
  const auto letters = Bytes(sent.plain).subspan(kTextAt);
  return Json::object().set("text", std::string(letters.begin(), std::ranges::find(letters, 0)));
}

// The parties of all sessions: their seeds are one byte, repeated (protocol 1).
std::map<std::string, Party> parties_of(const mesh::PrivateKey& node) {
  constexpr std::array<std::pair<const char*, std::uint8_t>, 3> kNames = {
      {{"A", 0x22}, {"B", 0x33}, {"X", 0x77}}};
  std::map<std::string, Party> parties;
  for (const auto& [name, byte] : kNames) {
    mesh::Seed seed;
    seed.fill(byte);
    const mesh::Identity identity = mesh::identity_of(seed);
    const auto secret = mesh::crypto::shared_secret(node, identity.pub);
    if (secret) parties.emplace(name, Party{identity.pub, identity.prv, *secret});
  }
  return parties;
}

}  // namespace

Scenario timeline_of(const Session& session) {
  using Kind = ScenarioInput::Kind;
  using Op = SessionStep::Op;
  Scenario scenario;
  scenario.id = session.name;
  scenario.group = session.kind;
  scenario.node.prv = session.prv;
  scenario.node.pub = mesh::crypto::public_key(session.prv).value_or(mesh::PublicKey{});
  scenario.node.rtc0 = session.rtc_start;
  scenario.parties = parties_of(session.prv);
  scenario.node.random_word = session.random_byte * 0x01010101U;
  scenario.node.radio = session.radio;
  scenario.node.surroundings.batt_mv = 4123;  // the recorded board's, protocol section 1
  scenario.node.surroundings.board = "RefBoard";
  scenario.node.surroundings.firmware = "v1.17.1";
  scenario.node.surroundings.build_date = "14 Aug 2026";
  scenario.node.surroundings.receive_gain = false;
  scenario.node.prefs.advert_interval = 1;  // the firmware's own defaults, protocol 14.1
  scenario.node.prefs.flood_advert_interval = 47;

  Time now{};
  const auto add = [&](Kind kind) -> ScenarioInput& {
    ScenarioInput& input = scenario.inputs.emplace_back();
    input.index = static_cast<int>(scenario.inputs.size()) - 1;
    input.kind = kind;
    input.at = now;
    return input;
  };
  for (const SessionStep& step : session.steps) {
    int served = -1;
    switch (step.op) {
      case Op::cli:
        add(Kind::console).text = step.command;
        scenario.inputs.back().sender_timestamp = step.sender_timestamp;
        break;
      case Op::rx:
      case Op::rx_batch:
        for (const SessionStep::Frame& frame : step.frames) {
          ScenarioInput& input = add(Kind::frame);
          input.frame = frame.bytes;
          input.snr = frame.snr;
          input.rssi = frame.rssi;
          if (!is_served(scenario, frame.bytes, step)) continue;
          served = input.index;
          scenario.verdicts.push_back(
              {served, "consume", std::string(kServed), false, {}, {}, true});
        }
        break;
      case Op::run:
        break;
      case Op::set_rtc:
        add(Kind::set_clock).value = step.value;
        break;
      case Op::set_rng:
        add(Kind::set_random).value = step.value;
        break;
      case Op::channel_busy:
        add(Kind::set_busy).value = step.busy ? 1 : 0;
        break;
    }
    if (step.reply) {
      scenario.replies.push_back({scenario.inputs.back().index, *step.reply, {}, false});
    }
    for (const SessionStep::Transmission& sent : step.transmissions) {
      ExpectedTransmission& expected = scenario.transmissions.emplace_back();
      expected.cause = served;
      if (served < 0) expected.cause_name = "step";
      expected.frame = sent.frame;
      expected.after_min = expected.after_max = sent.after;
      expected.priority = 1;
      expected.decoded = decoded(sent);
      const Duration slack = kSessionSlack - kPolls;
      expected.start = {now + sent.after - slack, now + sent.after + slack};
    }
    now += step.run;
  }
  scenario.end = now;
  return scenario;
}

SessionResult play(const Session& session) {
  const Scenario scenario = timeline_of(session);
  const auto played = play_through(scenario, std::nullopt, nullptr);
  if (!played) return {Outcome::failed, "no LoRa radio is like this"};
  // The recorded randomness is not always zero, so the bounds count, which are narrow.
  return Comparison(scenario, *played, false).result();
}

}  // namespace chappe::play
