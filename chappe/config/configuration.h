#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "chappe/base/units.h"

namespace chappe::config {

enum class Mode : std::uint8_t {
  forward,  // repeat for others and speak for ourselves
  monitor,  // repeat nothing, but speak for ourselves
  no_tx,    // never key the transmitter
};

enum class LoopDetect : std::uint8_t { off, minimal, moderate, strict };

/// Which law keeps the airtime budget.
enum class LawKind : std::uint8_t {
  exact,   // every rule holds in every window, to the microsecond
  bucket,  // the reference's token bucket: twice the budget in the worst hour, so never on the air
};

enum class OverBudget : std::uint8_t { defer, drop };

/// What is assumed of the airtime of the last window if nobody knows.
enum class UnknownPast : std::uint8_t {
  exhausted,  // all of it was spent just before the start
  paced,      // it was spent evenly
};

/// What happens to a frame that found the channel busy for as long as it may wait.
enum class WhenBusy : std::uint8_t { transmit, drop };

/// Where the node's frames come from and go to.
struct RadioSource {
  enum class Kind : std::uint8_t { sim, sx126x, kiss, replay };
  Kind kind = Kind::sim;
  std::string file;  // replay only: the recording

  bool operator==(const RadioSource&) const = default;
};

/// At most `limit` of airtime in every window of this length, wherever it starts.
struct Rule {
  Duration window{};
  Duration limit{};

  bool operator==(const Rule&) const = default;
};

struct Radio {
  RadioSource kind;
  Hertz frequency{869'618'000};
  Hertz bandwidth{62'500};
  std::int32_t spreading_factor = 8;
  std::int32_t coding_rate = 8;          // the denominator: 8 is 4/8
  std::optional<std::int32_t> preamble;  // symbols; nothing: what the mesh uses at this factor
  std::int32_t tx_power_dbm = 22;
  double pa_gain_db = 0;
  double feeder_loss_db = 0;
  double antenna_gain_dbi = 0;

  bool operator==(const Radio&) const = default;
};

/// The KISS modem behind the radio kind "kiss".
struct Modem {
  std::string line = "/dev/ttyUSB0";  // or "tcp:HOST:PORT"
  std::int32_t speed = 115'200;       // bits per second, of a serial line

  bool operator==(const Modem&) const = default;
};

struct Law {
  LawKind kind = LawKind::exact;
  std::vector<Rule> rules;  // in addition to those of the region's band
  bool dwell = false;
  OverBudget over_budget = OverBudget::defer;
  UnknownPast unknown_past = UnknownPast::exhausted;

  bool operator==(const Law&) const = default;
};

struct Listen {
  bool cad = true;
  std::int32_t noise_margin_db = 0;  // 0: levels are not looked at
  Duration busy_max = seconds(4);
  WhenBusy when_busy = WhenBusy::transmit;

  bool operator==(const Listen&) const = default;
};

struct Delays {
  double flood_factor = 0.5;
  double direct_factor = 0.3;
  double receive_base = 0;

  bool operator==(const Delays&) const = default;
};

struct Hops {
  std::int32_t flood_max = 64;
  std::int32_t flood_max_unscoped = 64;
  std::int32_t flood_max_advert = 8;
  LoopDetect loop_detect = LoopDetect::off;
  std::int32_t flood_copies_enough = 0;  // 0: no number is

  bool operator==(const Hops&) const = default;
};

/// How long a frame may wait for its turn before it is worth nothing, by class.
struct Expiry {
  Duration relay = seconds(60);
  Duration answer = seconds(30);
  Duration local = minutes(2);
  Duration advert = minutes(15);

  bool operator==(const Expiry&) const = default;
};

struct Adverts {
  bool at_start = true;
  Duration zero_hop_interval{};  // zero: off
  Duration flood_interval = hours(47);

  bool operator==(const Adverts&) const = default;
};

struct Access {
  std::string admin_password;  // empty: nobody can log in as administrator
  std::string guest_password;

  bool operator==(const Access&) const = default;
};

struct State {
  std::string directory;  // empty: state_directory() chooses

  bool operator==(const State&) const = default;
};

struct Socket {
  bool enabled = true;
  std::string path;  // empty: "chappe.sock" in the state directory

  bool operator==(const Socket&) const = default;
};

/// The repeater as a KISS modem, for other programs.
struct Kiss {
  bool pty = false;
  std::string pty_path;  // empty: "kiss" in the state directory
  std::string tcp;       // "HOST:PORT" or "PORT"; empty: not at all
  std::string password;  // of the TCP endpoint; kNoPassword: none

  bool operator==(const Kiss&) const = default;
};

enum class OnHang : std::uint8_t { panic, report };

struct Watchdog {
  Duration limit = seconds(30);  // zero: off
  OnHang on_hang = OnHang::panic;

  bool operator==(const Watchdog&) const = default;
};

/// Everything an operator can choose, with the defaults a node starts with when told nothing.
///
/// A plain value: what the texts and ranges are is in schema.h, how a file becomes one in load.h.
struct Configuration {
  std::string name = "chappe";
  std::string owner;
  double latitude = 0;
  double longitude = 0;
  std::string region = "eu868";
  std::string band;  // of the region, where two hold the channel; empty: the first
  Mode mode = Mode::forward;
  std::int32_t path_hash_size = 1;  // bytes
  std::int32_t multi_acks = 0;

  Radio radio;
  Modem modem;
  Law law;
  Listen listen;
  Delays delays;
  Hops hops;
  Expiry expiry;
  Adverts adverts;
  Access access;
  State state;
  Socket socket;
  Kiss kiss;
  Watchdog watchdog;

  bool operator==(const Configuration&) const = default;
};

}  // namespace chappe::config
