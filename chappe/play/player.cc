#include "chappe/play/player.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <utility>

#include "chappe/base/check.h"
#include "chappe/base/random.h"
#include "chappe/mesh/packet_hash.h"
#include "chappe/node/console.h"
#include "chappe/node/repeater.h"
#include "chappe/play/recorded_board.h"
#include "chappe/play/recorded_state.h"
#include "chappe/play/replayed_radio.h"
#include "chappe/play/stand_in_server.h"
#include "chappe/play/tape.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/radio/airtime.h"
#include "chappe/tx/bucket.h"

namespace chappe::play {
namespace {

/// The recorded source, which always says the same, or another chance.
class PlayedRandom final : public Random {
 public:
  PlayedRandom(std::uint32_t word, std::optional<std::uint64_t> seed) : word_(word) {
    if (seed) seeded_.emplace(*seed);
  }
  void set(std::uint32_t word) { word_ = word; }
  std::uint32_t next() noexcept override { return seeded_ ? seeded_->next() : word_; }

 private:
  std::uint32_t word_;
  std::optional<SeededRandom> seeded_;
};

// Protocol 14.1: what the recorded numbers count.
constexpr int kLocalAdvertUnit = 2;  // minutes
constexpr int kGainResetUnit = 4;    // seconds

std::uint8_t small(int number) {
  return static_cast<std::uint8_t>(std::clamp(number, 0, 255));
}

node::Settings settings_of(const RecordedNode& node) {
  node::Settings settings = node::Settings::reference();
  const RecordedPrefs& prefs = node.prefs;
  settings.boot_advert = node.boot_advert ? node::BootAdvert::on : node::BootAdvert::off;
  mesh::Rules& rules = settings.rules;
  rules.forwarding = prefs.disable_fwd ? mesh::Forwarding::off : mesh::Forwarding::on;
  rules.loop_detection = static_cast<mesh::LoopDetection>(std::clamp(prefs.loop_detect, 0, 3));
  rules.flood_max = small(prefs.flood_max);
  rules.flood_max_unscoped = small(prefs.flood_max_unscoped);
  rules.flood_max_advert = small(prefs.flood_max_advert);
  rules.multi_acks = small(prefs.multi_acks);
  rules.receive_delay_base = static_cast<float>(prefs.rx_delay_base);
  rules.flood_delay_factor = static_cast<float>(prefs.tx_delay_factor);
  rules.direct_delay_factor = static_cast<float>(prefs.direct_tx_delay_factor);

  node::Preferences& preferences = settings.preferences;
  preferences.name = std::string_view(prefs.node_name);
  preferences.owner_info = std::string_view(prefs.owner_info);
  preferences.admin_password = std::string_view(prefs.password);
  preferences.guest_password = std::string_view(prefs.guest_password);
  preferences.latitude = prefs.node_lat;
  preferences.longitude = prefs.node_lon;
  preferences.position =
      static_cast<node::PositionPolicy>(std::clamp(prefs.advert_loc_policy, 0, 2));
  preferences.local_advert_minutes =
      static_cast<std::uint16_t>(small(prefs.advert_interval) * kLocalAdvertUnit);
  preferences.flood_advert_hours = small(prefs.flood_advert_interval);
  preferences.path_hash_mode = small(prefs.path_hash_mode);
  preferences.airtime_factor = static_cast<float>(prefs.airtime_factor);
  preferences.multi_acks = small(prefs.multi_acks);
  preferences.interference_threshold = small(prefs.interference_threshold);
  preferences.cad = prefs.cad_enabled;
  preferences.agc_reset_seconds =
      static_cast<std::uint16_t>(small(prefs.agc_reset_interval) * kGainResetUnit);
  preferences.transmit_dbm = static_cast<std::int8_t>(node.radio.tx_dbm);
  preferences.radio = {
      node.radio.freq_mhz, node.radio.bw_khz, small(node.radio.sf), small(node.radio.cr)};
  preferences.modified_at = static_cast<std::uint32_t>(prefs.discovery_mod_timestamp);
  return settings;
}

class Player final : private Tape::Sink,
                     private ReplayedRadio::Observer,
                     private node::EventListener {
 public:
  Player(const Scenario& scenario,
         const radio::Modulation& modulation,
         std::optional<std::uint64_t> seed,
         node::EventListener* listener)
      : scenario_(scenario),
        executor_(port_),
        radio_(
            executor_, modulation, scenario.channel, ReplayedRadio::Listening::of(scenario.node)),
        law_(executor_, modulation, static_cast<float>(scenario.node.prefs.airtime_factor)),
        random_(scenario.node.random_word, seed),
        node_(executor_,
              radio_,
              law_,
              random_,
              settings_of(scenario.node),
              mesh::Identity{scenario.node.pub, scenario.node.prv}),
        board_(scenario.node, radio_),
        console_({executor_, node_, access_, board_, board_, &law_}),
        server_(scenario, node_, console_),
        tape_(executor_, scenario.inputs, *this),
        halt_(executor_, *this),
        listener_(listener) {
    radio_.observe(this);
    node_.listen(*this);
    node_.serve(server_);
    node_.clock().start(scenario.node.rtc0, executor_.now());
  }
  ~Player() = default;

  Played run() {
    node_.start();
    for (const ConsoleCommand& line : scenario_.node.setup) {
      played_.setup_replies.push_back(type(line.command, 0));
    }
    halt_soon();
    tape_.start();
    port_.run(executor_, scenario_.end);
    if (played_.halted.empty()) played_.state = state_of(node_, access_, law_, board_);
    for (const StandInServer::Reply& reply : server_.replies()) {
      played_.radio_replies.push_back({reply.input, reply.text, {}});
    }
    Played played = played_;  // what stopping adds is told to the listener only
    tape_.stop();
    node_.stop();
    if (!played_.trouble.empty()) played.trouble = played_.trouble;
    return played;
  }

 private:
  void on_input(const ScenarioInput& input) noexcept override {
    using Kind = ScenarioInput::Kind;
    switch (input.kind) {
      case Kind::frame:
        return hear(input);
      case Kind::console:
        if (!played_.halted.empty()) return;
        (void)board_.take_printed();
        played_.replies.push_back(
            {input.index, type(input.text, input.sender_timestamp.value_or(0)), {}});
        played_.replies.back().printed = board_.take_printed();
        return halt_soon();
      case Kind::failing_transmission:
        return radio_.refuse_next();
      case Kind::set_random:
        return random_.set(input.value);
      case Kind::set_busy:
        return radio_.set_busy(input.value != 0);
      case Kind::set_clock:
        return node_.clock().set(input.value, executor_.now());
    }
  }

  std::string type(const std::string& line, std::uint32_t sender_timestamp) {
    node::Reply reply;
    console_.command(line, sender_timestamp, reply);
    return std::string(reply.view());
  }

  // A node cannot be stopped from within one of its own calls.
  void halt_soon() {
    if (board_.halted() && played_.halted.empty()) halt_.arm(executor_.now());
  }
  // A node that was switched off hears nothing and sends nothing more.
  struct HaltSoon : async::Timer {
    HaltSoon(async::Executor& executor, Player& of) : Timer(executor, &fired), player(of) {}
    static void fired(Timer& timer, const async::TimerContext&) {
      static_cast<HaltSoon&>(timer).player.halt();
    }
    Player& player;
  };
  void halt() {
    played_.state = state_of(node_, access_, law_, board_);
    played_.halted = *board_.halted() == node::Halt::restart ? "reboot" : "poweroff";
    node_.stop();
  }

  void hear(const ScenarioInput& input) {
    const ByteList frame = patched(input);
    if (!played_.halted.empty()) return miss(input, frame, "no_event");
    if (!radio_.hear(frame, input.snr, input.rssi)) {
      return miss(input, frame, "radio_transmitting");
    }
    in_the_radio_.push_back(input.index);
  }

  void miss(const ScenarioInput& input, Bytes frame, std::string_view why) {
    node::Event event;
    event.kind = node::EventKind::judged;
    event.at = executor_.now();
    event.frame = frame;
    const auto packet = mesh::parse(frame);
    if (packet) {
      event.packet = &*packet;
      event.hash = mesh::packet_hash(*packet);
    }
    event.snr = input.snr;
    event.rssi = input.rssi;
    event.not_received = true;
    event.why = why;
    Played::Verdict& verdict = played_.verdicts.emplace_back();
    verdict.input = input.index;
    verdict.verdict = "not_received";
    verdict.why = why;
    if (listener_ != nullptr) listener_->on_event(event);
  }

  // An answer that quotes something random: the bytes come from what the node has sent.
  ByteList patched(const ScenarioInput& input) const {
    ByteList frame = input.frame;
    if (!input.patch || input.patch->transmission >= played_.transmissions.size()) return frame;
    const ByteList& quoted = played_.transmissions[input.patch->transmission].frame;
    for (std::size_t i = 0; i < input.patch->length; ++i) {
      const std::size_t from = input.patch->from + i;
      const std::size_t at = input.patch->at + i;
      if (from < quoted.size() && at < frame.size()) frame[at] = quoted[from];
    }
    return frame;
  }

  void on_keyed(Bytes frame) noexcept override {
    played_.transmissions.push_back(
        {executor_.now(), ByteList(frame.begin(), frame.end()), 0, std::nullopt});
  }

  void on_event(const node::Event& event) noexcept override {
    switch (event.kind) {
      case node::EventKind::heard:
        heard(event);
        break;
      case node::EventKind::judged:
        judged(event);
        break;
      case node::EventKind::sent:
        sent(event);
        break;
      case node::EventKind::submitted:
      case node::EventKind::refused:
        break;
    }
    if (played_.trouble.empty() && !node_.books().balance()) {
      played_.trouble = "the books do not balance after " + std::string(to_string(event.kind)) +
                        " at " + std::to_string(in_us(event.at)) + " us";
    }
    if (listener_ != nullptr) listener_->on_event(event);
  }

  void heard(const node::Event& event) {
    CHAPPE_CHECK(!in_the_radio_.empty());
    inputs_[event.id] = {in_the_radio_.front(), event.delay};
    in_the_radio_.pop_front();
  }

  void judged(const node::Event& event) {
    const Heard& heard = inputs_.at(event.id);
    Played::Verdict verdict;
    verdict.input = heard.input;
    verdict.verdict = to_string(event.verdict);
    verdict.why = event.why;
    if (!event.region.empty()) verdict.region = event.region;
    verdict.hold = heard.hold;
    verdict.delay = event.delay;
    verdict.priority = event.priority;
    played_.verdicts.push_back(std::move(verdict));
    halt_soon();
  }

  void sent(const node::Event& event) {
    CHAPPE_CHECK(!played_.transmissions.empty());
    Played::Transmission& transmission = played_.transmissions.back();
    transmission.id = event.id;
    if (const auto heard = inputs_.find(event.id); heard != inputs_.end()) {
      transmission.cause = heard->second.input;
    }
  }

  struct Heard {
    int input = 0;
    Duration hold{};
  };

  const Scenario& scenario_;
  port::VirtualPort port_;
  async::Executor executor_;
  ReplayedRadio radio_;
  tx::Bucket law_;
  PlayedRandom random_;
  node::Repeater node_;
  node::AccessList access_;
  RecordedBoard board_;
  node::Console console_;
  StandInServer server_;
  Tape tape_;
  HaltSoon halt_;
  node::EventListener* const listener_;
  std::deque<int> in_the_radio_;           // inputs heard, and not yet taken by the node
  std::map<std::uint64_t, Heard> inputs_;  // by the id that the node gave them
  Played played_;
};

}  // namespace

std::optional<Played> play_through(const Scenario& scenario,
                                   std::optional<std::uint64_t> seed,
                                   node::EventListener* listener) {
  const auto modulation = modulation_of(scenario.node.radio);
  if (!modulation) return std::nullopt;
  // A node is large: not on the stack.
  const auto player = std::make_unique<Player>(scenario, *modulation, seed, listener);
  return player->run();
}

}  // namespace chappe::play
