#include "chappe/play/player.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <utility>

#include "chappe/base/check.h"
#include "chappe/base/random.h"
#include "chappe/mesh/packet_hash.h"
#include "chappe/node/repeater.h"
#include "chappe/play/console.h"
#include "chappe/play/replayed_radio.h"
#include "chappe/play/tape.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/radio/airtime.h"
#include "chappe/tx/bucket.h"

namespace chappe::play {
namespace {

// After so long without receiving the reference raises an error flag (protocol 10.5). Nothing but a
// long transmission gets there.
constexpr Duration kOutOfReceive = seconds(8);

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

std::uint8_t small(int number) {
  return static_cast<std::uint8_t>(std::clamp(number, 0, 255));
}

node::Settings settings_of(const RecordedPrefs& prefs) {
  node::Settings settings = node::Settings::reference();
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
              settings_of(scenario.node.prefs),
              mesh::Identity{scenario.node.pub, scenario.node.prv}),
        tape_(executor_, scenario.inputs, *this),
        estimates_ms_(radio::reference_estimates_ms(modulation)),
        listener_(listener) {
    radio_.observe(this);
    node_.listen(*this);
  }
  ~Player() = default;

  Played run() {
    node_.start();
    for (const ConsoleCommand& line : scenario_.node.setup) {
      played_.setup_replies.push_back(console_.command(line.command, std::nullopt));
    }
    tape_.start();
    port_.run(executor_, scenario_.end);
    played_.tx_budget_ms = law_.tx_budget_ms();
    halt_if_told();
    Played played = played_;  // what stopping adds is told to the listener only
    played.halted = halted_;
    tape_.stop();
    node_.stop();
    if (!played_.trouble.empty()) played.trouble = played_.trouble;
    return played;
  }

 private:
  void on_input(const ScenarioInput& input) noexcept override {
    using Kind = ScenarioInput::Kind;
    halt_if_told();
    switch (input.kind) {
      case Kind::frame:
        return hear(input);
      case Kind::console:
        if (halted_) return;
        played_.replies.push_back(
            {input.index, console_.command(input.text, input.sender_timestamp)});
        return;
      case Kind::failing_transmission:
        return radio_.refuse_next();
      case Kind::set_random:
        return random_.set(input.value);
      case Kind::set_busy:
        return radio_.set_busy(input.value != 0);
      case Kind::set_clock:
        return;  // the node has no wall clock yet
    }
  }

  // A node that was switched off hears nothing and sends nothing more.
  void halt_if_told() {
    if (halted_ || !console_.is_halted()) return;
    halted_ = true;
    node_.stop();
  }

  void hear(const ScenarioInput& input) {
    const ByteList frame = patched(input);
    if (halted_) return miss(input, frame, "no_event");
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
    Played::Counters& counters = played_.counters;
    if (event.packet == nullptr) return;
    counters.rx_air_ms += estimates_ms_[event.frame.size()];
    ++(event.packet->is_flood() ? counters.recv_flood : counters.recv_direct);
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
    if (event.packet != nullptr && verdict.why == to_string(mesh::Why::duplicate)) {
      ++(event.packet->is_flood() ? played_.counters.dup_flood : played_.counters.dup_direct);
    }
    played_.verdicts.push_back(std::move(verdict));
  }

  void sent(const node::Event& event) {
    CHAPPE_CHECK(!played_.transmissions.empty());
    Played::Transmission& transmission = played_.transmissions.back();
    transmission.id = event.id;
    if (const auto heard = inputs_.find(event.id); heard != inputs_.end()) {
      transmission.cause = heard->second.input;
    }
    Played::Counters& counters = played_.counters;
    counters.tx_air_ms += estimates_ms_[event.frame.size()];
    counters.busy_too_long |= event.forced;
    counters.long_out_of_receive |= event.airtime > kOutOfReceive;
    if (event.packet == nullptr) return;
    ++(event.packet->is_flood() ? counters.sent_flood : counters.sent_direct);
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
  MuteConsole console_;
  Tape tape_;
  const radio::EstimateTable estimates_ms_;
  node::EventListener* const listener_;
  std::deque<int> in_the_radio_;           // inputs heard, and not yet taken by the node
  std::map<std::uint64_t, Heard> inputs_;  // by the id that the node gave them
  Played played_;
  bool halted_ = false;
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
