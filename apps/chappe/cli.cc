#include "apps/chappe/cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "chappe/config/nearest.h"
#include "chappe/config/schema.h"

namespace chappe::app {
namespace {

constexpr int kExitUsage = 2;
constexpr double kSecondsMax = 1e9;  // thirty years

constexpr const char* kVersion = "chappe " CHAPPE_VERSION;

constexpr const char* kExitCodes =
    "Exit codes:\n"
    "  0  ok\n"
    "  1  the thing asked about failed\n"
    "  2  the command line or the input was no good\n";

constexpr const char* kTop =
    "A MeshCore-compatible LoRa mesh repeater.\n"
    "\n"
    "Data goes to standard output and talk to standard error, so results can be piped. Every\n"
    "command has its own --help with examples.\n";
constexpr const char* kTopFooter =
    "Examples:\n"
    "  chappe run                      a repeater in an invented air: nothing to configure\n"
    "  chappe run --config chappe.toml\n"
    "  chappe decode 1100ABCD...       what a packet says\n"
    "  chappe airtime --sf 8 --bw 62.5 --cr 8 --len 100\n"
    "  chappe ctl status               ask the node that runs; 'chappe ctl --help' has more\n"
    "  chappe recorder ~/.local/state/chappe/recorder    what a node did last, and why it ended\n"
    "\n"
    "Other programs reach a node by its socket, or as a KISS modem by TCP or a pseudo-terminal:\n"
    "docs/clients.md.\n"
    "\n";

constexpr const char* kRun =
    "Run the repeater until it is told to stop (SIGINT or SIGTERM) or --for is over.\n"
    "\n"
    "What it hears, decides and sends is printed as it happens, one line an event; at the end a\n"
    "summary whose books balance. Once a minute, if anything was sent or refused, and on SIGUSR1,\n"
    "one line tells the airtime: spent, when the longest frame may go, who is next, what was\n"
    "refused and why. Nobody is waited for: events that nobody takes are left out beyond 256 KiB,\n"
    "and a line says how many. Without --config the defaults make a working node:\n"
    "869.618 MHz, 62.5 kHz, SF 8, CR 4/8, region eu868, radio sim. docs/configuration.md has\n"
    "every setting; options given here win over the file.\n";
constexpr const char* kRunFooter =
    "Radios:\n"
    "  sim          an invented air with neighbours that advertise and chat\n"
    "  chip         a model of an SX1262 in that air, under the driver of the real one\n"
    "  sx126x       an SX1262 on SPI, wired as --board or [board] says ('chappe boards')\n"
    "  kiss         a board with MeshCore's KISS modem firmware, as [modem] says\n"
    "  replay:FILE  frames and times from a recorded session\n"
    "\n"
    "Examples:\n"
    "  chappe run --for 60 --seed 7            a minute, all chance drawn from seed 7\n"
    "  chappe run --json | jq .verdict         events for programs\n"
    "  chappe run --print-config > my.toml     a file to start from\n"
    "  chappe run --config my.toml --state /srv/chappe\n"
    "\n"
    "Files:\n"
    "  $XDG_STATE_HOME/chappe, else ~/.local/state/chappe: identity and what is remembered.\n"
    "\n"
    "Environment:\n"
    "  NO_COLOR  if set and not empty, no colours on a terminal\n"
    "\n";

constexpr const char* kDecode =
    "Take packets apart and explain them: route, type, path, and what is inside.\n"
    "\n"
    "Encrypted payloads are opened with the keys given. A packet that is none is reported with\n"
    "what is wrong with it.\n";
constexpr const char* kDecodeFooter =
    "Keys:\n"
    "  channel:HEX  a group channel's secret, 16 or 32 bytes\n"
    "  secret:HEX   the secret that two nodes share, 32 bytes\n"
    "\n"
    "Examples:\n"
    "  chappe decode 1100ABCD...\n"
    "  chappe decode --json 1100ABCD... | jq .type\n"
    "  chappe decode --key channel:8b3387e9c5cdea6ac9e5edbaa115cd72 1500...\n"
    "\n";

constexpr const char* kAirtime =
    "Time on air of one LoRa frame: exact, as the budget counts it, and as the reference firmware\n"
    "estimates it for its delays.\n";
constexpr const char* kAirtimeFooter =
    "Examples:\n"
    "  chappe airtime --sf 8 --bw 62.5 --cr 8 --len 100\n"
    "  chappe airtime --sf 12 --bw 125 --cr 5 --preamble 8 --len 20 --json\n"
    "\n";

constexpr const char* kConformance =
    "Compare what this program does with recorded behaviour of the reference.\n"
    "\n"
    "The kind of each file is seen from its shape. One line a kind, 'file/kind passed failed', "
    "and\n"
    "last 'N passed, N failed'. A kind that is unknown fails. Inputs that record a quirk of the\n"
    "reference pass with its result or with our documented one and are counted apart.\n";
constexpr const char* kConformanceFooter =
    "Examples:\n"
    "  chappe conformance tests/vectors/*.json\n"
    "  chappe conformance --kind airtime --verbose tests/vectors/airtime.json\n"
    "\n";

constexpr const char* kReplay =
    "Run a node in virtual time on a recorded session and print what it does, as 'run' would.\n";
constexpr const char* kReplayFooter =
    "Examples:\n"
    "  chappe replay tests/vectors/oracle/flood_forward.jsonl\n"
    "  chappe replay 'tests/vectors/oracle/acks.jsonl#3' --json\n"
    "\n";

constexpr const char* kRecorder =
    "Show the flight recorder of a run: what happened last, in order, with times and contexts.\n"
    "\n"
    "A run keeps its recorder in STATE/recorder and can be read at any time: while it runs, while\n"
    "it hangs, after it was killed. A restart moves the file to recorder.1, that one to\n"
    "recorder.2, and so on; five are kept. After a panic the file begins with what, where, who,\n"
    "and which locks were held.\n";
constexpr const char* kRecorderFooter =
    "Examples:\n"
    "  chappe recorder ~/.local/state/chappe/recorder      of the run that is there now\n"
    "  chappe recorder ~/.local/state/chappe/recorder.1    of the one before\n"
    "  chappe recorder --json FILE | jq 'select(.note == \"slow_step\")'\n"
    "\n"
    "A damaged file is shown as far as it can be read, and the exit code is 1.\n"
    "\n";

constexpr const char* kDoctor =
    "Look whether the radio is wired, answers, is told of and hears, one screen, in words to act\n"
    "on. Nothing is transmitted unless --transmit says so. Stop a running node first: two "
    "programs\n"
    "cannot have one chip.\n";
constexpr const char* kDoctorFooter =
    "Examples:\n"
    "  chappe doctor --board waveshare            as wired; 'chappe boards' lists all\n"
    "  chappe doctor --config my.toml --transmit  also one test frame, within the law\n"
    "  chappe doctor --radio chip                 on a model: nothing is needed\n"
    "  chappe doctor --board zebra --json | jq '.findings[] | select(.verdict == \"bad\")'\n"
    "\n"
    "Verdicts: good, doubtful (may be so, or not), bad (then the exit code is 1).\n"
    "\n";

constexpr const char* kBoards =
    "The boards with an SX1262 on SPI that are known by name. docs/boards.md has their pins.\n";
constexpr const char* kBoardsFooter =
    "Examples:\n"
    "  chappe boards | grep -i waveshare\n"
    "\n";

constexpr const char* kCtl =
    "Ask a running node, over the Unix socket in its state directory.\n"
    "\n"
    "Every answer is of the node that is running now; nothing is changed but by restart-clients,\n"
    "command and send. docs/formats/socket.md is what is spoken.\n";
constexpr const char* kCtlFooter =
    "Examples:\n"
    "  chappe ctl status                          what it heard, sent and may still send\n"
    "  chappe ctl clients                         who is connected, and what it cost\n"
    "  chappe ctl watch --events sent,refused     what leaves, as it happens\n"
    "  chappe ctl watch --types ADVERT --json | jq .hash\n"
    "  chappe ctl send 1500010203 --key note-17   again with the same key: still sent once\n"
    "  chappe ctl command 'get name'\n"
    "  chappe ctl --state /srv/chappe restart-clients\n"
    "\n"
    "Exit codes:\n"
    "  0  ok; send: it was sent\n"
    "  1  nobody answers, or what was asked for failed; send: it was not sent\n"
    "  2  the command line, or the node did not understand\n";
constexpr const char* kCtlSendFooter =
    "The packet is the whole MeshCore packet in hexadecimal digits. The command ends when the "
    "node\n"
    "says what became of it. If it says 'durable', the node answers for it across restarts.\n"
    "\n";

std::string check_radio(const std::string& radio) {
  const auto source = config::parse_radio_source(radio);
  return source ? std::string() : source.error();
}

/// CLI11's own range check lets "nan" pass, and its conversion wraps what is too large.
template <class Number>
CLI::Validator within(Number min, Number max) {
  const std::string range =
      "wants a number from " + CLI::detail::to_string(min) + " to " + CLI::detail::to_string(max);
  return CLI::Validator(
      [min, max, range](const std::string& written) {
        Number number{};
        const char* end = written.data() + written.size();
        const auto [rest, error] = std::from_chars(written.data(), end, number);
        const bool inside = error == std::errc() && rest == end && number >= min && number <= max;
        return inside ? std::string() : range + ", found '" + written + "'";
      },
      "");
}

std::string check_key(const std::string& key) {
  for (const std::string_view kind : {"channel:", "secret:"}) {
    if (std::string_view(key).substr(0, kind.size()) != kind) continue;
    const std::string_view digits = std::string_view(key).substr(kind.size());
    const bool all_hex = digits.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
    if (digits.empty() || digits.size() % 2 != 0 || !all_hex) {
      return "wants pairs of hexadecimal digits behind the colon";
    }
    return {};
  }
  return "wants channel:HEX or secret:HEX";
}

// The node knows which there are.
std::string check_type(const std::string& type) {
  const bool letters =
      type.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == std::string::npos;
  return letters && !type.empty() ? std::string()
                                  : "wants names such as ADVERT, TXT_MSG, NO_PACKET";
}

CLI::Validator any_seed() {
  return within(std::uint64_t{0}, std::numeric_limits<std::uint64_t>::max());
}

/// The command line's grammar, and where its values go.
class Grammar {
 public:
  Grammar() : app_(kTop, "chappe") {
    app_.set_version_flag("--version", kVersion, "Print the version and exit");
    app_.require_subcommand(1);
    app_.footer(std::string(kTopFooter) + kExitCodes);
    app_.get_formatter()->column_width(26);
    add_run();
    add_decode();
    add_airtime();
    add_conformance();
    add_replay();
    add_recorder();
    add_doctor();
    boards_command_ = &add("boards", "List the boards known by name", kBoards, kBoardsFooter);
    app_.add_subcommand("explore", "Every execution of a small test of the kernel");
    add_ctl();
  }

  Command parse(const std::vector<std::string>& words) {
    if (words.empty()) return Answer{kExitUsage, "", app_.help()};
    if (const auto answer = check_command(words.front())) return *answer;
    try {
      // CLI11 takes the words from the back.
      app_.parse(std::vector<std::string>(words.rbegin(), words.rend()));
    } catch (const CLI::CallForHelp&) {
      return Answer{0, help(), ""};
    } catch (const CLI::CallForVersion&) {
      return Answer{0, std::string(kVersion) + "\n", ""};
    } catch (const CLI::ParseError& error) {
      // A stranger may be the misspelt option that is said to be missing: name it first.
      if (const auto answer = find_stranger()) return *answer;
      return wrong(error.what());
    }
    return chosen();
  }

 private:
  CLI::App& add(const char* name, const char* summary, const char* text, const char* footer) {
    CLI::App& command = *app_.add_subcommand(name, summary);
    // The summary is for the list of commands, the text for the command's own help.
    texts_.emplace_back(&command, text);
    command.footer(std::string(footer) + kExitCodes);
    command.set_version_flag("--version", kVersion, "Print the version and exit");
    command.get_formatter()->column_width(26);
    return command;
  }

  void add_run() {
    CLI::App& run = add("run", "Run the repeater", kRun, kRunFooter);
    run.add_option("--config", run_.config, "Configuration file (TOML)")->type_name("FILE");
    run.add_option("--radio", run_.radio, "Which radio, see below")
        ->type_name("RADIO")
        ->check(check_radio);
    run.add_option("--board", run_.board, "Which board, for the radio sx126x")->type_name("NAME");
    run.add_option("--state", run_.state, "Where identity and memory are kept")->type_name("DIR");
    run.add_option("--for", run_.for_seconds, "Stop after this time")
        ->type_name("SECONDS")
        ->check(within(0.0, kSecondsMax));
    run.add_option("--seed", run_.seed, "Make all chance repeatable")
        ->type_name("N")
        ->check(any_seed());
    run.add_flag("--json", run_.json, "Events as JSON, one object a line");
    run.add_flag("--print-config", run_.print_config, "Print the configuration in use and exit");
    run_command_ = &run;
  }

  void add_decode() {
    CLI::App& decode = add("decode", "Explain packets", kDecode, kDecodeFooter);
    decode.add_option("hex", decode_.hex, "Packets as hexadecimal digits")
        ->type_name("HEX")
        ->required();
    decode.add_flag("--json", decode_.json, "One JSON object a packet");
    decode.add_option("--key", decode_.keys, "A key to open payloads with; may be repeated")
        ->type_name("KEY")
        ->allow_extra_args(false)
        ->check(check_key);
    decode_command_ = &decode;
  }

  void add_airtime() {
    CLI::App& airtime = add("airtime", "Compute time on air", kAirtime, kAirtimeFooter);
    airtime.add_option("--sf", airtime_.sf, "Spreading factor, 5 to 12")
        ->type_name("SF")
        ->required()
        ->check(within(5, 12));
    airtime.add_option("--bw", airtime_.bw_khz, "Bandwidth in kHz, 7 to 500")
        ->type_name("KHZ")
        ->required()
        ->check(within(7.0, 500.0));
    airtime.add_option("--cr", airtime_.cr, "Coding rate: 5 is 4/5, 8 is 4/8")
        ->type_name("CR")
        ->required()
        ->check(within(5, 8));
    airtime.add_option("--preamble", airtime_.preamble, "Symbols; without it as MeshCore chooses")
        ->type_name("SYMBOLS")
        ->check(within(1, 65'535));
    airtime.add_option("--len", airtime_.len, "Bytes in the frame, 0 to 255")
        ->type_name("BYTES")
        ->required()
        ->check(within(0, 255));
    airtime.add_flag("--implicit", airtime_.implicit, "No header");
    airtime.add_flag("--no-crc", airtime_.no_crc, "No checksum");
    airtime.add_option("--ldro", airtime_.ldro, "Low data rate optimisation: auto, on, off")
        ->type_name("LDRO")
        ->check(CLI::IsMember({"auto", "on", "off"}));
    airtime.add_flag("--json", airtime_.json, "One JSON object");
    airtime_command_ = &airtime;
  }

  void add_conformance() {
    CLI::App& conformance =
        add("conformance", "Compare with recorded behaviour", kConformance, kConformanceFooter);
    conformance.add_option("file", conformance_.files, "Vector files, JSON or JSON lines")
        ->type_name("FILE")
        ->required();
    conformance.add_option("--kind", conformance_.kinds, "Only this kind; may be repeated")
        ->type_name("KIND")
        ->allow_extra_args(false);
    conformance.add_flag("--json", conformance_.json, "Results as JSON, one object a line");
    conformance.add_flag("--verbose", conformance_.verbose, "Tell about each failure");
    conformance_command_ = &conformance;
  }

  void add_replay() {
    CLI::App& replay = add("replay", "Replay a recorded session", kReplay, kReplayFooter);
    replay.add_option("file", replay_.file, "The recording, and which session of it")
        ->type_name("FILE[#ID]")
        ->required();
    replay.add_option("--seed", replay_.seed, "Other chance than the recorded")
        ->type_name("N")
        ->check(any_seed());
    replay.add_flag("--json", replay_.json, "Events as JSON, one object a line");
    replay_command_ = &replay;
  }

  void add_recorder() {
    CLI::App& recorder =
        add("recorder", "Show a run's flight recorder", kRecorder, kRecorderFooter);
    recorder.add_option("file", recorder_.file, "The recorder's file")
        ->type_name("FILE")
        ->required();
    recorder.add_flag("--json", recorder_.json, "One JSON object a line");
    recorder_command_ = &recorder;
  }

  void add_doctor() {
    CLI::App& doctor = add("doctor", "Look whether the radio is well", kDoctor, kDoctorFooter);
    doctor.add_option("--config", doctor_.config, "Configuration file (TOML)")->type_name("FILE");
    doctor.add_option("--radio", doctor_.radio, "sx126x, or chip for a model")
        ->type_name("RADIO")
        ->check(check_radio);
    doctor.add_option("--board", doctor_.board, "Which board")->type_name("NAME");
    doctor.add_option("--state", doctor_.state, "Where the airtime spent is kept, for --transmit")
        ->type_name("DIR");
    doctor.add_option("--listen", doctor_.listen_seconds, "How long to listen for others")
        ->type_name("SECONDS")
        ->check(within(0.0, 3600.0));
    doctor.add_flag("--transmit", doctor_.transmit, "Also send one test frame");
    doctor.add_flag("--json", doctor_.json, "One JSON object");
    doctor_command_ = &doctor;
  }

  CLI::App& add_ctl_action(CLI::App& ctl,
                           CtlOptions::Action action,
                           const char* name,
                           const char* summary) {
    CLI::App& command = *ctl.add_subcommand(name, summary);
    command.get_formatter()->column_width(26);
    command.callback([this, action] { ctl_.action = action; });
    command.fallthrough();  // --json and the like also behind the action
    return command;
  }

  void add_ctl() {
    using Action = CtlOptions::Action;
    CLI::App& ctl = add("ctl", "Ask a running node", kCtl, "");
    ctl.footer(kCtlFooter);
    ctl.require_subcommand(1);
    ctl.add_option("--state", ctl_.state, "State directory of the node")->type_name("DIR");
    ctl.add_option("--config", ctl_.config, "Configuration file of the node")->type_name("FILE");
    ctl.add_option("--socket", ctl_.socket, "Its socket, if it is elsewhere")->type_name("PATH");
    ctl.add_option("--timeout", ctl_.timeout_s, "How long to wait for an answer")
        ->type_name("SECONDS")
        ->check(within(0.0, kSecondsMax));
    ctl.add_flag("--json", ctl_.json, "Answers as they come, one JSON object a line");

    add_ctl_action(ctl, Action::status, "status", "Books, budget, generation");
    add_ctl_action(ctl, Action::clients, "clients", "Everybody connected, with counters");
    CLI::App& watch = add_ctl_action(ctl, Action::watch, "watch", "Events as they happen");
    watch.add_option("--events", ctl_.events, "heard, judged, submitted, sent, refused")
        ->type_name("NAMES")
        ->delimiter(',')
        ->check(CLI::IsMember({"heard", "judged", "submitted", "sent", "refused"}));
    watch.add_option("--types", ctl_.types, "Payload types, such as ADVERT")
        ->type_name("NAMES")
        ->delimiter(',')
        ->check(check_type);
    watch.add_option("--whose", ctl_.whose, "ours or others; without it both")
        ->type_name("WHOSE")
        ->check(CLI::IsMember({"ours", "others"}));
    watch.add_option("--count", ctl_.count, "Stop after so many")
        ->type_name("N")
        ->check(within(std::uint64_t{1}, std::numeric_limits<std::uint64_t>::max()));
    CLI::App& send = add_ctl_action(ctl, Action::send, "send", "Send a packet, once");
    send.footer(kCtlSendFooter);
    send.add_option("hex", ctl_.hex, "The packet")->type_name("HEX")->required();
    send.add_option("--key", ctl_.key, "Its name: who asks again gets the same answer")
        ->type_name("KEY");
    send.add_option("--delay", ctl_.delay_ms, "Not before")
        ->type_name("MS")
        ->check(within(0u, 3'600'000u));
    send.add_option("--priority", ctl_.priority, "0 goes first")
        ->type_name("N")
        ->check(within(0u, 255u));
    CLI::App& command =
        add_ctl_action(ctl, Action::command, "command", "A line of the node's own command line");
    command.add_option("line", ctl_.line, "As an administrator types it, such as 'get name'")
        ->type_name("LINE")
        ->required();
    add_ctl_action(ctl,
                   Action::restart_clients,
                   "restart-clients",
                   "Begin a new generation: every client is told once");
    CLI::App& raw = add_ctl_action(ctl, Action::raw, "raw", "Send one line as it is");
    raw.add_option("line", ctl_.line, "A request of docs/formats/socket.md")
        ->type_name("JSON")
        ->required();
    ctl_command_ = &ctl;
  }

  /// CLI11 would call an unknown command an unexpected argument.
  std::optional<Answer> check_command(const std::string& word) const {
    if (!word.empty() && word.front() == '-') return std::nullopt;
    std::vector<std::string> names;
    for (const CLI::App* command : app_.get_subcommands({})) {
      if (command->get_name() == word) return std::nullopt;
      names.push_back(command->get_name());
    }
    return Answer{kExitUsage,
                  "",
                  "chappe: there is no command '" + word + "'" + suggestion(word, names) +
                      "\nTry 'chappe --help'.\n"};
  }

  static std::string suggestion(const std::string& word, const std::vector<std::string>& names) {
    const std::vector<std::string_view> views(names.begin(), names.end());
    const auto meant = config::nearest(word, views);
    return meant ? "; did you mean '" + std::string(*meant) + "'?" : std::string();
  }

  const CLI::App& addressed() const {
    const auto commands = app_.get_subcommands();
    if (commands.empty()) return app_;
    const auto actions = commands.front()->get_subcommands();
    return actions.empty() ? *commands.front() : *actions.front();
  }

  std::string addressed_name() const {
    const CLI::App& command = addressed();
    std::string name = command.get_name();
    for (const CLI::App* above = command.get_parent(); above != nullptr;
         above = above->get_parent()) {
      name = above->get_name() + " " + name;
    }
    return name;
  }

  Answer wrong(const std::string& what) const {
    const std::string name = addressed_name();
    return Answer{kExitUsage, "", name + ": " + what + "\nTry '" + name + " --help'.\n"};
  }

  /// Nothing if every word was wanted by somebody.
  std::optional<Answer> find_stranger() const {
    const std::vector<std::string> strangers = app_.remaining(true);
    if (strangers.empty()) return std::nullopt;
    const auto is_option = [](const std::string& word) { return word.rfind('-', 0) == 0; };
    const auto option = std::find_if(strangers.begin(), strangers.end(), is_option);
    if (option == strangers.end()) return wrong("one word too many: '" + strangers.front() + "'");
    const std::string word = option->substr(0, option->find('='));
    std::vector<std::string> names;
    for (const CLI::Option* known : addressed().get_options()) {
      for (const std::string& name : known->get_lnames()) names.push_back("--" + name);
    }
    return wrong("there is no option '" + word + "'" + suggestion(word, names));
  }

  std::string help() {
    for (const auto& [command, text] : texts_) {
      if (command->parsed()) command->description(text);
    }
    return app_.help();
  }

  Command chosen() {
    if (run_command_->parsed()) return run_;
    if (recorder_command_->parsed()) return recorder_;
    if (doctor_command_->parsed()) return doctor_;
    if (boards_command_->parsed()) return BoardsOptions{};
    if (ctl_command_->parsed()) return ctl_;
    if (decode_command_->parsed()) return decode_;
    if (airtime_command_->parsed()) return airtime_;
    if (conformance_command_->parsed()) return conformance_;
    return replay_;
  }

  CLI::App app_;
  std::vector<std::pair<CLI::App*, const char*>> texts_;
  CtlOptions ctl_;
  RunOptions run_;
  RecorderOptions recorder_;
  DoctorOptions doctor_;
  play::DecodeOptions decode_;
  play::AirtimeOptions airtime_;
  play::ConformanceOptions conformance_;
  play::ReplayOptions replay_;
  CLI::App* run_command_ = nullptr;
  CLI::App* recorder_command_ = nullptr;
  CLI::App* doctor_command_ = nullptr;
  CLI::App* boards_command_ = nullptr;
  CLI::App* ctl_command_ = nullptr;
  CLI::App* decode_command_ = nullptr;
  CLI::App* airtime_command_ = nullptr;
  CLI::App* conformance_command_ = nullptr;
  CLI::App* replay_command_ = nullptr;
};

}  // namespace

Command parse_command_line(const std::vector<std::string>& words) {
  return Grammar().parse(words);
}

}  // namespace chappe::app
