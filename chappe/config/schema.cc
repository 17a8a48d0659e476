#include "chappe/config/schema.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "chappe/base/check.h"
#include "chappe/config/nearest.h"
#include "chappe/config/quantity.h"
#include "chappe/config/regions.h"

namespace chappe::config {
namespace {

/// The member at the end of a chain of members: at<&Configuration::hops, &Hops::flood_max>.
template <auto... Members>
auto& at(Configuration& configuration) {
  return (configuration.*....*Members);
}

template <auto... Members>
ChoiceShape choice(std::span<const std::string_view> words) {
  return ChoiceShape{
      .read =
          [](const Configuration& configuration) {
            return static_cast<std::uint8_t>((configuration.*....*Members));
          },
      .write =
          [](Configuration& configuration, std::uint8_t index) {
            auto& member = (configuration.*....*Members);
            member = static_cast<std::remove_reference_t<decltype(member)>>(index);
          },
      .words = words,
  };
}

using C = Configuration;
using Words = std::string_view;

constexpr std::array kModes{Words("forward"), Words("monitor"), Words("no_tx")};
constexpr std::array kLoopDetect{
    Words("off"), Words("minimal"), Words("moderate"), Words("strict")};
constexpr std::array kLaws{Words("exact"), Words("bucket")};
constexpr std::array kOverBudget{Words("defer"), Words("drop")};
constexpr std::array kOnHang{Words("panic"), Words("report")};
constexpr std::array kUnknownPast{Words("exhausted"), Words("paced")};
constexpr std::array kWhenBusy{Words("transmit"), Words("drop")};

// Nominal names of the SX126x's LoRa bandwidths, datasheet table 6-2.
constexpr std::array kBandwidths{Hertz{7'810},
                                 Hertz{10'420},
                                 Hertz{15'630},
                                 Hertz{20'830},
                                 Hertz{31'250},
                                 Hertz{41'670},
                                 Hertz{62'500},
                                 Hertz{125'000},
                                 Hertz{250'000},
                                 Hertz{500'000}};

// What Linux knows, without the slow ones (port/linux/serial_line.cc has the same).
constexpr std::array<std::int32_t, 13> kSpeeds{9'600,
                                               19'200,
                                               38'400,
                                               57'600,
                                               115'200,
                                               230'400,
                                               460'800,
                                               500'000,
                                               576'000,
                                               921'600,
                                               1'000'000,
                                               1'500'000,
                                               2'000'000};

// The reference's limits: an advert has room for 31 bytes of name, and its console separates
// words and lists with the forbidden letters.
constexpr std::size_t kNameBytesMax = 31;
constexpr std::string_view kNameForbidden = "[]\\:,?*";
constexpr std::size_t kOwnerBytesMax = 119;
constexpr std::size_t kPasswordBytesMax = 15;
constexpr std::size_t kPathBytesMax = 4095;      // PATH_MAX without its zero byte
constexpr std::size_t kPlaceBytesMax = 253 + 8;  // a name of the DNS, brackets, colon and port
constexpr std::size_t kLinePasswordBytesMax = 64;
constexpr std::size_t kSocketBytesMax = 107;  // sun_path without its zero byte

constexpr std::array kSections{
    Section{"radio", "The radio and its channel. All nodes of a mesh share these."},
    Section{"modem", "The KISS modem that is the radio, for the kind kiss."},
    Section{"law", "How much airtime may be spent."},
    Section{"listen", "Looking for others on the channel before sending."},
    Section{"delays", "Random waits that keep neighbours from repeating all at once."},
    Section{"hops", "How far floods travel."},
    Section{"expiry", "How long a frame may wait for its turn before it is worth nothing."},
    Section{"adverts", "Telling the mesh that we are here."},
    Section{"access", "Remote administration over the mesh."},
    Section{"state", "What the node remembers: identity, neighbours, airtime spent."},
    Section{"socket", "The Unix socket for local clients."},
    Section{"kiss", "The node as a KISS modem for other programs (docs/formats/kiss.md)."},
    Section{"watchdog",
            "A thread that sees when the program hangs. It costs no wake-ups in sleep."},
};

const std::vector<Setting>& table() {
  static const std::vector<Setting> settings{
      {"",
       "name",
       TextShape{at<&C::name>, 1, kNameBytesMax, kNameForbidden},
       "The name in adverts."},
      {"",
       "owner",
       TextShape{.at = at<&C::owner>, .bytes_max = kOwnerBytesMax, .lines = true},
       "Whom to ask about this node; told to clients that ask."},
      {"", "latitude", DecimalShape{at<&C::latitude>, -90, 90, "degrees"}, "Position in adverts."},
      {"",
       "longitude",
       DecimalShape{at<&C::longitude>, -180, 180, "degrees"},
       "Position in adverts. 0, 0 means no position."},
      {"",
       "region",
       RegionShape{at<&C::region>},
       "Whose law of the air holds. The channel must lie inside one of the region's bands."},
      {"",
       "band",
       TextShape{.at = at<&C::band>, .bytes_max = 8},
       "Which band's rules hold where two of the region's hold the channel; empty: the first."},
      {"",
       "mode",
       choice<&C::mode>(kModes),
       "forward repeats; monitor repeats nothing but sends its own; no_tx never transmits."},
      {"",
       "path_hash_size",
       IntegerShape{at<&C::path_hash_size>, 1, 3, "bytes"},
       "Bytes per hop in the path of packets that start here."},
      {"",
       "multi_acks",
       IntegerShape{at<&C::multi_acks>, 0, 1},
       "Extra copies of an acknowledgement that is passed on."},

      {"radio",
       "kind",
       SourceShape{at<&C::radio, &Radio::kind>},
       "Which radio: an invented air, a KISS modem, or a recording."},
      {"radio",
       "frequency",
       FrequencyShape{at<&C::radio, &Radio::frequency>, Hertz{150'000'000}, Hertz{2'500'000'000}},
       "Centre of the channel."},
      {"radio",
       "bandwidth",
       FrequencyShape{
           at<&C::radio, &Radio::bandwidth>, kBandwidths.front(), kBandwidths.back(), kBandwidths},
       "Width of the channel."},
      {"radio",
       "spreading_factor",
       IntegerShape{at<&C::radio, &Radio::spreading_factor>, 5, 12},
       "Chirps per symbol, as a power of two: higher reaches farther and takes longer."},
      {"radio",
       "coding_rate",
       IntegerShape{at<&C::radio, &Radio::coding_rate>, 5, 8},
       "Error correction: 5 is 4/5, 8 is 4/8."},
      {"radio",
       "preamble",
       AutoShape{at<&C::radio, &Radio::preamble>, 6, 65'535, "symbols"},
       "auto is 32 symbols up to spreading factor 8 and 16 above."},
      {"radio",
       "tx_power_dbm",
       IntegerShape{at<&C::radio, &Radio::tx_power_dbm>, -9, 30, "dBm"},
       "Power of the radio chip."},
      {"radio",
       "pa_gain_db",
       DecimalShape{at<&C::radio, &Radio::pa_gain_db>, 0, 40, "dB"},
       "What an amplifier behind the chip adds."},
      {"radio",
       "feeder_loss_db",
       DecimalShape{at<&C::radio, &Radio::feeder_loss_db>, 0, 40, "dB"},
       "What cable and connectors take away."},
      {"radio",
       "antenna_gain_dbi",
       DecimalShape{at<&C::radio, &Radio::antenna_gain_dbi>, -20, 40, "dBi"},
       "What the antenna adds. The sum of the four must respect the band's limit."},

      {"modem",
       "line",
       TextShape{at<&C::modem, &Modem::line>, 1, kPathBytesMax},
       "A serial device, or tcp:HOST:PORT."},
      {"modem",
       "speed",
       IntegerShape{at<&C::modem, &Modem::speed>,
                    kSpeeds.front(),
                    kSpeeds.back(),
                    "bits per second",
                    kSpeeds},
       "Of a serial line."},

      {"law",
       "kind",
       choice<&C::law, &Law::kind>(kLaws),
       "exact holds every rule in every window. bucket is the reference's token bucket, which "
       "spends twice the budget in its worst hour: only without a real radio."},
      {"law",
       "rules",
       RulesShape{at<&C::law, &Law::rules>},
       "Limits in addition to those of the region's band: they can only make it stricter."},
      {"law",
       "dwell",
       BooleanShape{at<&C::law, &Law::dwell>},
       "Also keep the band's dwell limit, which the law asks of hopping transmitters only "
       "(us915: 400ms in 20s)."},
      {"law",
       "over_budget",
       choice<&C::law, &Law::over_budget>(kOverBudget),
       "A frame that may not go yet waits for its budget until it expires, or is dropped at once."},
      {"law",
       "unknown_past",
       choice<&C::law, &Law::unknown_past>(kUnknownPast),
       "If the record of spent airtime is lost: exhausted counts the whole budget as spent just "
       "now, so nothing is sent for a while; paced sends the budget's share of the time since the "
       "start, which is too much if the node was busy before."},

      {"listen",
       "cad",
       BooleanShape{at<&C::listen, &Listen::cad>},
       "Scan for LoRa chirps before each transmission."},
      {"listen",
       "noise_margin_db",
       IntegerShape{at<&C::listen, &Listen::noise_margin_db>, 0, 40, "dB"},
       "A channel this much above the noise floor is busy, whoever uses it; 0 does not look. Where "
       "the law sets a level (jp920, kr920), that one holds and nothing is sent over it."},
      {"listen",
       "busy_max",
       DurationShape{at<&C::listen, &Listen::busy_max>, milliseconds(100), seconds(60)},
       "How long a frame puts up with a busy channel."},
      {"listen",
       "when_busy",
       choice<&C::listen, &Listen::when_busy>(kWhenBusy),
       "What happens to it then."},

      {"delays",
       "flood_factor",
       DecimalShape{at<&C::delays, &Delays::flood_factor>, 0, 2},
       "Repeat a flood after a random wait of up to five airtimes times this."},
      {"delays",
       "direct_factor",
       DecimalShape{at<&C::delays, &Delays::direct_factor>, 0, 2},
       "The same for packets with a route."},
      {"delays",
       "receive_base",
       DecimalShape{at<&C::delays, &Delays::receive_base>, 0, 20},
       "Hold weakly heard floods back, so that a better copy wins; 0 holds nothing."},

      {"hops",
       "flood_max",
       IntegerShape{at<&C::hops, &Hops::flood_max>, 0, 64, "hops"},
       "Floods that came this far are not repeated."},
      {"hops",
       "flood_max_unscoped",
       IntegerShape{at<&C::hops, &Hops::flood_max_unscoped>, 0, 64, "hops"},
       "The same for floods that name no region of the mesh."},
      {"hops",
       "flood_max_advert",
       IntegerShape{at<&C::hops, &Hops::flood_max_advert>, 0, 64, "hops"},
       "The same for adverts."},
      {"hops",
       "loop_detect",
       choice<&C::hops, &Hops::loop_detect>(kLoopDetect),
       "How often our own hash may already be in a flood's path."},
      {"hops",
       "flood_copies_enough",
       IntegerShape{at<&C::hops, &Hops::flood_copies_enough>, 0, 8, "copies"},
       "A flood that waits is not repeated once so many more copies of it were heard; 0 repeats it "
       "all the same."},

      {"expiry",
       "relay",
       DurationShape{at<&C::expiry, &Expiry::relay>, seconds(1), hours(1)},
       "Packets passed on for others, but for answers."},
      {"expiry",
       "answer",
       DurationShape{at<&C::expiry, &Expiry::answer>, seconds(1), hours(1)},
       "Acknowledgements and replies, passed on or our own: who waits for one asks again."},
      {"expiry",
       "local",
       DurationShape{at<&C::expiry, &Expiry::local>, seconds(1), hours(1)},
       "Everything else that this node sends of its own, and what clients submit."},
      {"expiry",
       "advert",
       DurationShape{at<&C::expiry, &Expiry::advert>, seconds(1), hours(1)},
       "This node's adverts."},

      {"adverts",
       "at_start",
       BooleanShape{at<&C::adverts, &Adverts::at_start>},
       "One advert to the neighbours shortly after start."},
      {"adverts",
       "zero_hop_interval",
       DurationShape{at<&C::adverts, &Adverts::zero_hop_interval>, minutes(60), minutes(240), true},
       "Adverts to the neighbours only."},
      {"adverts",
       "flood_interval",
       DurationShape{at<&C::adverts, &Adverts::flood_interval>, hours(3), hours(168), true},
       "Adverts to the whole mesh."},

      {"access",
       "admin_password",
       TextShape{.at = at<&C::access, &Access::admin_password>, .bytes_max = kPasswordBytesMax},
       "Empty: nobody can log in as administrator. Logins are not answered yet.",
       true},
      {"access",
       "guest_password",
       TextShape{.at = at<&C::access, &Access::guest_password>, .bytes_max = kPasswordBytesMax},
       "Empty: guests need no password.",
       true},

      {"state",
       "directory",
       TextShape{.at = at<&C::state, &State::directory>, .bytes_max = kPathBytesMax},
       "Empty: $XDG_STATE_HOME/chappe, or ~/.local/state/chappe."},

      {"socket",
       "enabled",
       BooleanShape{at<&C::socket, &Socket::enabled>},
       "Whether there is one."},
      {"socket",
       "path",
       TextShape{.at = at<&C::socket, &Socket::path>, .bytes_max = kSocketBytesMax},
       "Empty: the file chappe.sock in the state directory."},

      {"kiss",
       "pty",
       BooleanShape{at<&C::kiss, &Kiss::pty>},
       "Whether there is a serial line to open, each program its own."},
      {"kiss",
       "pty_path",
       TextShape{.at = at<&C::kiss, &Kiss::pty_path>, .bytes_max = kPathBytesMax},
       "Where. Empty: the link kiss in the state directory."},
      {"kiss",
       "tcp",
       TextShape{.at = at<&C::kiss, &Kiss::tcp>, .bytes_max = kPlaceBytesMax},
       "HOST:PORT to listen at, or PORT for this machine alone. Empty: none."},
      {"kiss",
       "password",
       TextShape{.at = at<&C::kiss, &Kiss::password>, .bytes_max = kLinePasswordBytesMax},
       "Of the TCP endpoint: what a program sends as its first line. The word off is for programs "
       "that know of none, and for this machine alone.",
       true},
      {"watchdog",
       "limit",
       DurationShape{at<&C::watchdog, &Watchdog::limit>, seconds(1), hours(1), true},
       "How long the program may be busy with one thing."},
      {"watchdog",
       "on_hang",
       choice<&C::watchdog, &Watchdog::on_hang>(kOnHang),
       "panic ends the program, for a supervisor to start it again; report only says so."},
  };
  return settings;
}

// What each word of `[radio] kind` is, and whether this program can do it.
struct SourceWord {
  RadioSource::Kind kind;
  std::string_view word;
  std::string_view usage;
  bool present;
};
constexpr std::array kSources{
    SourceWord{RadioSource::Kind::sim, "sim", "sim", true},
    SourceWord{RadioSource::Kind::sx126x, "sx126x", "sx126x", false},
    SourceWord{RadioSource::Kind::kiss, "kiss", "kiss", true},
    SourceWord{RadioSource::Kind::replay, "replay", "replay:FILE", true},
};

std::string sources_present() {
  std::string list;
  for (const SourceWord& source : kSources) {
    if (!source.present) continue;
    if (!list.empty()) list += ", ";
    list += source.usage;
  }
  return list;
}

std::string quoted(std::string_view text) {
  return quoted_toml(text);
}

std::string listed(std::span<const std::string_view> words) {
  std::string list;
  for (const std::string_view word : words) {
    if (!list.empty()) list += ", ";
    list += quoted(word);
  }
  return list;
}

std::vector<std::string_view> region_names() {
  std::vector<std::string_view> names;
  for (const Region& region : regions()) names.push_back(region.id);
  return names;
}

std::string print_decimal(double number) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  CHAPPE_CHECK(end.ec == std::errc());
  return std::string(digits.data(), end.ptr);
}

std::string with_unit(std::string_view unit) {
  return unit.empty() ? std::string() : " " + std::string(unit);
}

std::string print_duration_or_off(Duration span, bool off) {
  return off && span == Duration::zero() ? quoted("off") : quoted(print(span));
}

std::string found(const Node& node) {
  struct Visitor {
    std::string operator()(const std::string& text) const { return "the text " + quoted(text); }
    std::string operator()(bool truth) const { return truth ? "true" : "false"; }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(double number) const { return print_decimal(number); }
    std::string operator()(Moment) const { return "a date or time"; }
    std::string operator()(const Node::Array&) const { return "a list"; }
    std::string operator()(const Node::Table&) const { return "a table"; }
  };
  return std::visit(Visitor{}, node.value);
}

std::string full_name(const Setting& setting) {
  std::string name = quoted(setting.key);
  if (!setting.section.empty()) name += " in [" + std::string(setting.section) + "]";
  return name;
}

std::string nearest_hint(std::string_view written, std::span<const std::string_view> words) {
  const auto meant = nearest(written, words);
  return meant ? "; did you mean " + quoted(*meant) + "?" : std::string();
}

/// Sets one member from one value. One overload per shape; each reports through `wrong`.
class Assigner {
 public:
  Assigner(const Setting& setting, const Node& node, Configuration& into)
      : setting_(setting), node_(node), into_(into) {}

  std::vector<Mistake> take() && { return std::move(mistakes_); }

  void operator()(const TextShape& shape) {
    const auto* text = as<std::string>();
    if (text == nullptr) return;
    if (text->size() < shape.bytes_min || text->size() > shape.bytes_max) return wrong_value();
    for (const char letter : *text) {
      const bool control = static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f;
      const bool allowed_here = shape.lines && letter == '\n';
      if (control && !allowed_here) return wrong("may not hold control characters");
      if (shape.forbidden.find(letter) != std::string_view::npos) return wrong_value();
    }
    shape.at(into_) = *text;
  }

  void operator()(const RegionShape& shape) {
    const auto* text = as<std::string>();
    if (text == nullptr) return;
    if (find_region(*text) == nullptr) {
      return wrong_value(nearest_hint(*text, region_names()));
    }
    shape.at(into_) = *text;
  }

  void operator()(const BooleanShape& shape) {
    if (const auto* truth = as<bool>()) shape.at(into_) = *truth;
  }

  void operator()(const IntegerShape& shape) {
    const auto* number = as<std::int64_t>();
    if (number == nullptr) return;
    if (*number < shape.min || *number > shape.max) return wrong_value();
    const auto whole = static_cast<std::int32_t>(*number);
    if (!shape.allowed.empty() && std::ranges::find(shape.allowed, whole) == shape.allowed.end()) {
      return wrong_value();
    }
    shape.at(into_) = whole;
  }

  void operator()(const AutoShape& shape) {
    if (const auto* text = std::get_if<std::string>(&node_.value)) {
      if (*text != "auto") return wrong_value();
      shape.at(into_) = std::nullopt;
      return;
    }
    const auto* number = as<std::int64_t>();
    if (number == nullptr) return;
    if (*number < shape.min || *number > shape.max) return wrong_value();
    shape.at(into_) = static_cast<std::int32_t>(*number);
  }

  void operator()(const DecimalShape& shape) {
    double number = 0;
    if (const auto* whole = std::get_if<std::int64_t>(&node_.value)) {
      number = static_cast<double>(*whole);
    } else if (const auto* decimal = as<double>()) {
      number = *decimal;
    } else {
      return;
    }
    // Written so that a NaN is refused too.
    const bool inside = number >= shape.min && number <= shape.max;
    if (!inside) return wrong_value();
    shape.at(into_) = number;
  }

  void operator()(const ChoiceShape& shape) {
    const auto* text = as<std::string>();
    if (text == nullptr) return;
    for (std::size_t i = 0; i < shape.words.size(); ++i) {
      if (shape.words[i] == *text) return shape.write(into_, static_cast<std::uint8_t>(i));
    }
    wrong_value(nearest_hint(*text, shape.words));
  }

  void operator()(const FrequencyShape& shape) {
    const auto* text = as<std::string>();
    if (text == nullptr) return;
    const auto frequency = parse_frequency(*text);
    if (!frequency) return wrong(frequency.error());
    if (*frequency < shape.min || *frequency > shape.max) return wrong_value();
    bool listed_here = shape.allowed.empty();
    for (const Hertz candidate : shape.allowed) listed_here |= candidate == *frequency;
    if (!listed_here) return wrong_value();
    shape.at(into_) = *frequency;
  }

  void operator()(const DurationShape& shape) {
    const auto* text = as<std::string>();
    if (text == nullptr) return;
    if (shape.off && *text == "off") {
      shape.at(into_) = Duration::zero();
      return;
    }
    const auto span = parse_duration(*text);
    if (!span) return wrong(span.error() + (shape.off ? ", or \"off\"" : ""));
    if (*span < shape.min || *span > shape.max) return wrong_value();
    shape.at(into_) = *span;
  }

  void operator()(const SourceShape& shape) {
    const auto* text = as<std::string>();
    if (text == nullptr) return;
    const auto source = parse_radio_source(*text);
    if (!source) return wrong(source.error());
    shape.at(into_) = *source;
  }

  void operator()(const RulesShape& shape) {
    const auto* nodes = as<Node::Array>();
    if (nodes == nullptr) return;
    if (nodes->size() > kRulesMax) return wrong_value();
    std::vector<Rule> rules;
    for (const Node& node : *nodes) {
      if (const auto rule = parse_rule(node)) rules.push_back(*rule);
    }
    if (mistakes_.empty()) shape.at(into_) = rules;
  }

 private:
  template <class T>
  const T* as() {
    const T* value = std::get_if<T>(&node_.value);
    if (value == nullptr) wrong_value(unit_hint());
    return value;
  }

  /// A bare number where a quantity belongs is the likeliest slip: say what to write instead.
  std::string unit_hint() const {
    const bool number = std::holds_alternative<std::int64_t>(node_.value) ||
                        std::holds_alternative<double>(node_.value);
    if (!number) return "";
    if (std::holds_alternative<FrequencyShape>(setting_.shape) ||
        std::holds_alternative<DurationShape>(setting_.shape)) {
      return " (a number needs its unit and quotes)";
    }
    return "";
  }

  void wrong(std::string_view what) { wrong_at(node_.place, what); }
  void wrong_at(Place place, std::string_view what) {
    mistakes_.push_back(Mistake{place, full_name(setting_) + " " + std::string(what)});
  }
  void wrong_value(std::string_view hint = "") {
    wrong("wants " + allowed(setting_) + ", found " + found(node_) + std::string(hint));
  }

  std::optional<Rule> parse_rule(const Node& node) {
    const auto* entries = std::get_if<Node::Table>(&node.value);
    if (entries == nullptr) {
      wrong_at(node.place, "wants " + allowed(setting_) + ", found " + found(node));
      return std::nullopt;
    }
    const std::size_t mistakes_before = mistakes_.size();
    constexpr std::array kKeys{std::string_view("window"), std::string_view("limit")};
    const Entry* window_entry = nullptr;
    const Entry* limit_entry = nullptr;
    for (const Entry& entry : *entries) {
      if (entry.key == kKeys[0]) {
        window_entry = &entry;
      } else if (entry.key == kKeys[1]) {
        limit_entry = &entry;
      } else {
        wrong_at(entry.key_place,
                 "has a rule with the unknown key " + quoted(entry.key) +
                     nearest_hint(entry.key, kKeys));
      }
    }
    if (window_entry == nullptr || limit_entry == nullptr) {
      wrong_at(node.place, "has a rule without both \"window\" and \"limit\"");
      return std::nullopt;
    }
    Rule rule;
    rule.window = parse_span(
        *window_entry, "window", [](std::string_view text) { return parse_duration(text); });
    if (mistakes_.size() != mistakes_before) return std::nullopt;
    if (rule.window < seconds(1) || rule.window > hours(24)) {
      wrong_at(window_entry->node.place, "has a window that is not from 1s to 1d");
      return std::nullopt;
    }
    rule.limit = parse_span(*limit_entry, "limit", [&rule](std::string_view text) {
      return parse_share(text, rule.window);
    });
    if (mistakes_.size() != mistakes_before) return std::nullopt;
    if (rule.limit <= Duration::zero() || rule.limit > rule.window) {
      wrong_at(limit_entry->node.place, "has a limit that is zero or longer than its window");
      return std::nullopt;
    }
    return rule;
  }

  template <class Parse>
  Duration parse_span(const Entry& entry, std::string_view name, Parse parse) {
    const auto* text = std::get_if<std::string>(&entry.node.value);
    if (text == nullptr) {
      wrong_at(entry.node.place,
               "has a rule whose " + std::string(name) + " is " + found(entry.node) +
                   ", not a text with a unit like \"60s\"");
      return Duration::zero();
    }
    const auto span = parse(*text);
    if (span) return *span;
    wrong_at(entry.node.place,
             "has a rule whose " + std::string(name) + " " + std::string(span.error()));
    return Duration::zero();
  }

  const Setting& setting_;
  const Node& node_;
  Configuration& into_;
  std::vector<Mistake> mistakes_;
};

struct Allowed {
  std::string operator()(const TextShape& shape) const {
    std::string phrase = "a text of ";
    if (shape.bytes_min > 0) phrase += std::to_string(shape.bytes_min) + " to ";
    if (shape.bytes_min == 0) phrase += "at most ";
    phrase += std::to_string(shape.bytes_max) + " bytes";
    if (!shape.forbidden.empty()) {
      phrase += " without";
      for (const char letter : shape.forbidden) (phrase += ' ') += letter;
    }
    return phrase;
  }
  std::string operator()(const RegionShape&) const { return "one of " + listed(region_names()); }
  std::string operator()(const BooleanShape&) const { return "true or false"; }
  std::string operator()(const IntegerShape& shape) const {
    if (!shape.allowed.empty()) {
      std::string list;
      for (const std::int32_t candidate : shape.allowed) {
        if (!list.empty()) list += ", ";
        list += std::to_string(candidate);
      }
      return "one of " + list + with_unit(shape.unit);
    }
    return "a whole number from " + std::to_string(shape.min) + " to " + std::to_string(shape.max) +
           with_unit(shape.unit);
  }
  std::string operator()(const AutoShape& shape) const {
    return "\"auto\" or a whole number from " + std::to_string(shape.min) + " to " +
           std::to_string(shape.max) + with_unit(shape.unit);
  }
  std::string operator()(const DecimalShape& shape) const {
    return "a number from " + print_decimal(shape.min) + " to " + print_decimal(shape.max) +
           with_unit(shape.unit);
  }
  std::string operator()(const ChoiceShape& shape) const { return "one of " + listed(shape.words); }
  std::string operator()(const FrequencyShape& shape) const {
    if (shape.allowed.empty()) {
      return "a frequency from " + quoted(print(shape.min)) + " to " + quoted(print(shape.max));
    }
    std::string list;
    for (const Hertz candidate : shape.allowed) {
      if (!list.empty()) list += ", ";
      list += quoted(print(candidate));
    }
    return "one of " + list;
  }
  std::string operator()(const DurationShape& shape) const {
    return std::string(shape.off ? "\"off\" or " : "") + "a duration from " +
           quoted(print(shape.min)) + " to " + quoted(print(shape.max));
  }
  std::string operator()(const SourceShape&) const { return "one of " + sources_present(); }
  std::string operator()(const RulesShape&) const {
    return "a list of at most " + std::to_string(kRulesMax) +
           " rules like { window = \"1h\", limit = \"36s\" } or { window = \"60s\", limit = "
           "\"6 %\" }";
  }
};

struct ValuePrinter {
  Configuration configuration;  // a copy: the accessors give out references that can be written

  std::string operator()(const TextShape& shape) { return quoted(shape.at(configuration)); }
  std::string operator()(const RegionShape& shape) { return quoted(shape.at(configuration)); }
  std::string operator()(const BooleanShape& shape) {
    return shape.at(configuration) ? "true" : "false";
  }
  std::string operator()(const IntegerShape& shape) {
    return std::to_string(shape.at(configuration));
  }
  std::string operator()(const AutoShape& shape) {
    const auto& number = shape.at(configuration);
    return number ? std::to_string(*number) : quoted("auto");
  }
  std::string operator()(const DecimalShape& shape) {
    return print_decimal(shape.at(configuration));
  }
  std::string operator()(const ChoiceShape& shape) {
    return quoted(shape.words[shape.read(configuration)]);
  }
  std::string operator()(const FrequencyShape& shape) {
    return quoted(print(shape.at(configuration)));
  }
  std::string operator()(const DurationShape& shape) {
    return print_duration_or_off(shape.at(configuration), shape.off);
  }
  std::string operator()(const SourceShape& shape) {
    return quoted(print(shape.at(configuration)));
  }
  std::string operator()(const RulesShape& shape) {
    std::string list;
    for (const Rule& rule : shape.at(configuration)) {
      if (!list.empty()) list += ", ";
      list += "{ window = " + quoted(print(rule.window)) +
              ", limit = " + quoted(print(rule.limit)) + " }";
    }
    return "[" + list + "]";
  }
};

}  // namespace

std::span<const Setting> schema() {
  return table();
}

std::span<const Section> sections() {
  return kSections;
}

std::string allowed(const Setting& setting) {
  return std::visit(Allowed{}, setting.shape);
}

std::vector<Mistake> assign(const Setting& setting, const Node& node, Configuration& into) {
  Assigner assigner(setting, node, into);
  std::visit(assigner, setting.shape);
  return std::move(assigner).take();
}

std::string print_value(const Setting& setting, const Configuration& configuration) {
  return std::visit(ValuePrinter{configuration}, setting.shape);
}

std::string quoted_toml(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    if (letter == '"' || letter == '\\') {
      (quoted += '\\') += letter;
    } else if (letter == '\n') {
      quoted += "\\n";
    } else if (code < 0x20 || code == 0x7f) {
      quoted += "\\u00";
      quoted += kDigits[code >> 4];
      quoted += kDigits[code & 15];
    } else {
      quoted += letter;
    }
  }
  return quoted + "\"";
}

Result<RadioSource, std::string> parse_radio_source(std::string_view written) {
  const std::size_t colon = written.find(':');
  const std::string_view word = written.substr(0, colon);
  std::vector<std::string_view> present;
  for (const SourceWord& source : kSources) {
    if (source.present) present.push_back(source.word);
    if (source.word != word) continue;
    if (!source.present) {
      return Unexpected("names the radio " + quoted(word) + ", which this program does not have; " +
                        "there is: " + sources_present());
    }
    const bool wants_file = source.kind == RadioSource::Kind::replay;
    const bool has_colon = colon != std::string_view::npos;
    if (!wants_file && has_colon) {
      return Unexpected("names the radio " + quoted(word) + ", which takes nothing behind a colon");
    }
    if (!wants_file) return RadioSource{source.kind, ""};
    const std::string_view file = has_colon ? written.substr(colon + 1) : std::string_view();
    if (file.empty() || file.size() > kPathBytesMax) {
      return Unexpected(std::string("wants the recording to play behind a colon: replay:FILE"));
    }
    for (const char letter : file) {
      if (static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f) {
        return Unexpected(std::string("may not hold control characters"));
      }
    }
    return RadioSource{source.kind, std::string(file)};
  }
  return Unexpected("names the unknown radio " + quoted(word) + "; there is: " + sources_present() +
                    nearest_hint(word, present));
}

std::string print(const RadioSource& source) {
  std::string text;
  for (const SourceWord& word : kSources) {
    if (word.kind == source.kind) text = word.word;
  }
  if (source.kind == RadioSource::Kind::replay) text += ":" + source.file;
  return text;
}

}  // namespace chappe::config
