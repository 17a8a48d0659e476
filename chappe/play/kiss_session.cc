#include "chappe/play/kiss_session.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "chappe/base/random.h"
#include "chappe/client/kiss_modem.h"
#include "chappe/radio/airtime.h"

namespace chappe::play {
namespace {

// Recorded in a loop that runs once a millisecond; the sessions allow 20 by their own account.
constexpr Duration kSlack = milliseconds(20);

/// What came out of the modem during one step: bytes for the program, or a frame on the air.
struct Output {
  Duration after{};
  std::vector<std::uint8_t> bytes;
};

/// The board and the ideal radio that the sessions were recorded with.
class RecordedHost final : public client::KissHost {
 public:
  RecordedHost(const radio::Modulation& modulation, std::uint32_t random)
      : modulation_(modulation), random_(random) {}

  bool transmit(Bytes frame) override {
    on_air_.assign(frame.begin(), frame.end());
    return true;
  }
  bool is_channel_busy() override { return busy; }
  Duration airtime(std::size_t bytes) const override {
    return reference_airtime(modulation_, bytes);
  }
  bool set_channel(const radio::kiss::Tuning&) override { return true; }
  std::optional<std::int8_t> rssi_dbm() const override { return std::int8_t{-93}; }
  std::optional<std::int16_t> noise_floor_dbm() const override { return std::int16_t{-110}; }
  std::optional<std::uint16_t> battery_mv() const override { return std::uint16_t{4123}; }
  std::optional<std::int16_t> temperature_tenths() const override { return std::int16_t{253}; }
  std::string_view name() const override { return "RefBoard"; }
  client::KissCounts counts() const override { return {}; }
  void fill_random(std::span<std::uint8_t> bytes) override { random_.fill(bytes); }

  std::vector<std::uint8_t> take_on_air() { return std::exchange(on_air_, {}); }

  bool busy = false;

 private:
  const radio::Modulation modulation_;
  ConstantRandom random_;
  std::vector<std::uint8_t> on_air_;
};

std::string in_words(const Output& output) {
  return hex(output.bytes) + " after " + std::to_string(in_ms(output.after)) + " ms";
}

Failure compare(const Json& expected, const std::vector<Output>& actual, const std::string& what) {
  const auto& items = expected.items();
  for (std::size_t i = 0; i < std::max(items.size(), actual.size()); ++i) {
    if (i == actual.size()) return "no " + what + " where " + items[i].dump() + " is expected";
    if (i == items.size()) return what + " nobody expects: " + in_words(actual[i]);
    const Duration off = actual[i].after - milliseconds(items[i]["after_ms"].integer());
    if (hex(actual[i].bytes) != items[i]["hex"].text() || std::abs(in_us(off)) > in_us(kSlack)) {
      return what + ": expected " + items[i].dump() + ", got " + in_words(actual[i]);
    }
  }
  return std::nullopt;
}

/// One session, from its first step to its last.
class Session {
 public:
  Session(RecordedHost& host, const mesh::Identity& identity)
      : host_(host), modem_(host, identity) {}

  Failure step(const Json& step, const Json& expected) {
    const std::string& op = step["op"].text();
    const Time began = now_;
    said_.clear();
    sent_.clear();
    if (op == "serial_in") {
      modem_.receive(step["hex"].bytes(), now_);
    } else if (op == "radio_rx") {
      modem_.heard(step["hex"].bytes(),
                   Decibels{static_cast<std::int16_t>(std::lround(step["snr"].number() * 4))},
                   Dbm{static_cast<std::int16_t>(std::lround(step["rssi"].number() * 4))});
    } else if (op == "channel_busy") {
      host_.busy = step["busy"].boolean();
    } else {
      return "a step of an unknown kind: " + op;
    }
    run_until(began, began + milliseconds(step["run_ms"].integer()));
    if (const auto failure = compare(expected["serial_out"], said_, "bytes on the line")) {
      return failure;
    }
    return compare(expected["radio_tx"], sent_, "frame on the air");
  }

 private:
  // What came out now, and when that is in this step.
  void collect(Time began) {
    if (std::string& output = modem_.output(); !output.empty()) {
      said_.push_back({now_ - began, {output.begin(), output.end()}});
      output.clear();
    }
    if (auto frame = host_.take_on_air(); !frame.empty()) {
      ends_ = now_ + host_.airtime(frame.size());
      sent_.push_back({now_ - began, std::move(frame)});
    }
  }

  void run_until(Time began, Time until) {
    collect(began);
    for (;;) {
      const Time next = std::min(modem_.due(), ends_);
      if (next > until) break;
      now_ = std::max(now_, next);
      if (ends_ <= now_) {
        ends_ = kNever;
        modem_.transmitted(true);
      }
      modem_.poll(now_);
      collect(began);
    }
    now_ = until;
  }

  RecordedHost& host_;
  client::KissModem modem_;
  Time now_{};
  Time ends_ = kNever;  // the frame on the air
  std::vector<Output> said_;
  std::vector<Output> sent_;
};

}  // namespace

Failure check_kiss_session(const Json& vector) {
  const Json& params = vector["params"];
  const auto prv = params["node_prv"].bytes();
  mesh::PrivateKey key;
  if (prv.size() != key.size()) return "no private key";
  std::ranges::copy(prv, key.begin());
  const auto identity = mesh::import_identity(key);
  if (!identity) return "the private key is none";
  const auto modulation = modulation_from(params["radio"], "preamble");
  if (!modulation) return "no LoRa modulation";

  RecordedHost host(*modulation, params["rng"].text() == "a5" ? 0xa5a5a5a5 : 0);
  Session session(host, *identity);
  const auto& steps = params["steps"].items();
  if (steps.empty()) return "no steps";
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (const auto failure = session.step(steps[i], vector["expect"]["steps"][i])) {
      return "step " + std::to_string(i + 1) + ": " + *failure;
    }
  }
  return std::nullopt;
}

}  // namespace chappe::play
