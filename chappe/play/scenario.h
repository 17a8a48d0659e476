#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "chappe/base/units.h"
#include "chappe/mesh/crypto.h"
#include "chappe/play/json_value.h"

/// Recorded behaviour of the reference: what a node was, what it heard, what it did. Two formats
/// become structs here: oracle scenarios (one JSON object a line) and the node sessions of
/// meshcore-packets.json. What a driver of a node needs is typed; what is only compared field by
/// field (state, decoded frames) stays JSON.
namespace chappe::play {

using ByteList = std::vector<std::uint8_t>;

struct RecordedRadio {
  double freq_mhz = 869.618;
  double bw_khz = 62.5;
  int sf = 8;
  int cr = 5;
  int tx_dbm = 20;
};

/// The settings a recorded node starts with; the defaults are the firmware's.
struct RecordedPrefs {
  double airtime_factor = 1.0;
  double rx_delay_base = 0;
  double tx_delay_factor = 0.5;
  double direct_tx_delay_factor = 0.3;
  int flood_max = 64;
  int flood_max_unscoped = 64;
  int flood_max_advert = 8;
  bool disable_fwd = false;
  int multi_acks = 0;
  int path_hash_mode = 0;
  int loop_detect = 0;
  bool cad_enabled = false;
  int interference_threshold = 0;
  int agc_reset_interval = 0;     // units of 4 s
  int advert_interval = 0;        // units of 2 minutes
  int flood_advert_interval = 0;  // hours
  int advert_loc_policy = 2;
  std::int64_t discovery_mod_timestamp = 0;
  std::string node_name = "repeater";
  std::string password = "password";
  std::string guest_password;
  std::string owner_info;
  double node_lat = 0;
  double node_lon = 0;
};

/// What the recorded node found around it; replies quote it.
struct RecordedSurroundings {
  int batt_mv = 4100;
  int ambient_dbm = -110;
  std::string board;
  std::string firmware;
  std::string build_date;
  std::string role;
  bool receive_gain = true;  // whether the board lets it be chosen
};

struct ConsoleCommand {
  std::string command;
  std::string reply;
};

struct RecordedNode {
  mesh::PrivateKey prv{};
  mesh::PublicKey pub{};
  std::uint32_t rtc0 = 0;                // Unix seconds at boot
  std::optional<std::uint32_t> boot_ms;  // where a 32-bit millisecond counter would start
  bool boot_advert = false;
  RecordedRadio radio;
  RecordedPrefs prefs;
  RecordedSurroundings surroundings;
  std::vector<ConsoleCommand> setup;
  std::uint32_t random_word = 0;  // what the recorded node's random source always returned
};

/// Another party of a scenario.
struct Party {
  mesh::PublicKey pub{};
  mesh::PrivateKey prv{};
  mesh::SharedSecret secret{};  // with the node
};

/// Before delivery, `length` bytes at `from` of the node's transmission number `transmission` are
/// copied to `at`: an answer that quotes something random.
struct Patch {
  std::size_t transmission = 0;
  std::size_t from = 0;
  std::size_t at = 0;
  std::size_t length = 0;
};

struct ScenarioInput {
  enum class Kind : std::uint8_t {
    frame,
    console,
    failing_transmission,
    // of sessions only
    set_clock,
    set_random,
    set_busy,
  };

  int index = 0;
  Kind kind = Kind::frame;
  Time at{};
  ByteList frame;
  Decibels snr;
  Dbm rssi;
  ByteList plain;
  std::string text;                               // of the console
  std::optional<std::uint32_t> sender_timestamp;  // of the console: as if sent remotely
  std::uint32_t value = 0;                        // of set_clock, set_random, set_busy
  std::optional<Patch> patch;
  std::string note;
  std::string quirk;  // a reference behaviour that one may decide not to copy
};

struct ChannelWindow {
  enum class Kind : std::uint8_t { header, preamble, rssi, cad };
  Kind kind = Kind::header;
  Time from{};
  Time to{};  // excluded
  Dbm level;  // of rssi
};

struct TimeBounds {
  Time earliest{};
  Time latest{};
};

struct ExpectedTransmission {
  int cause = -1;          // index of an input; -1 for what follows
  std::string cause_name;  // "boot", "setup", "timer"
  ByteList frame;
  ByteList mask;       // which bits of the frame count; empty: all
  std::string varies;  // "", "plaintext", "bytes"
  TimeBounds start;
  Duration after_min{};
  Duration after_max{};
  bool waited = false;
  bool unsent = false;
  bool radio_refused = false;
  int priority = 0;
  std::int64_t air_ms = 0;
  Json decoded;
};

struct ExpectedVerdict {
  int input = 0;
  std::string verdict;
  std::string why;
  bool has_region = false;            // the file says something about the region
  std::optional<std::string> region;  // its name, or none matched
  std::optional<std::int64_t> rx_delay_ms;
  bool is_inferred = false;  // not recorded: to be played, and not to be compared
};

struct ExpectedReply {
  int input = 0;
  std::string reply;
  std::string serial;
  bool varies = false;
};

struct Scenario {
  std::string id;
  std::string group;
  std::string title;
  Time end{};
  bool order_fixed = true;
  RecordedNode node;
  std::map<std::string, Party> parties;
  std::vector<ScenarioInput> inputs;
  std::vector<ChannelWindow> channel;

  std::vector<ExpectedTransmission> transmissions;
  std::vector<ExpectedVerdict> verdicts;
  std::vector<ExpectedReply> replies;
  bool survival_only = false;         // reads undefined memory in the reference
  std::vector<int> undefined_inputs;  // ... these do
  Json halt;                          // null: the node goes on
  Json state;
};

/// One line of an oracle file; nothing if it is no scenario.
std::optional<Scenario> scenario_from(const Json& line);

/// A node session of meshcore-packets.json: kinds forward, server, timing, cli.
struct SessionStep {
  enum class Op : std::uint8_t { cli, rx, rx_batch, run, set_rtc, set_rng, channel_busy };

  struct Frame {
    ByteList bytes;
    Decibels snr;
    Dbm rssi;
  };
  struct Transmission {
    Duration after{};  // from the start of the step
    ByteList frame;
    ByteList plain;
  };

  Op op = Op::run;
  std::vector<Frame> frames;
  Duration run{};
  std::string command;
  std::optional<std::uint32_t> sender_timestamp;  // as if sent remotely
  std::uint32_t value = 0;                        // of set_rtc and set_rng
  bool busy = false;

  std::optional<std::string> reply;  // expected
  bool expects_transmissions = false;
  std::vector<Transmission> transmissions;
};

struct Session {
  std::string name;
  std::string kind;
  mesh::PrivateKey prv{};
  std::uint32_t rtc_start = 0;
  std::uint8_t random_byte = 0;  // every random byte
  RecordedRadio radio;
  std::vector<SessionStep> steps;
};

std::optional<Session> session_from(const Json& vector);

}  // namespace chappe::play
