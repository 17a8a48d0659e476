#include "apps/chappe/doctor.h"

#include <array>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <memory>

#include "apps/chappe/airtime_budget.h"
#include "apps/chappe/examination.h"
#include "apps/chappe/run.h"
#include "apps/chappe/sx126x_outside.h"
#include "apps/chappe/wiring.h"
#include "chappe/async/sleep.h"
#include "chappe/config/boards.h"
#include "chappe/config/state_directory.h"
#include "chappe/port/linux/linux_port.h"
#include "chappe/radio/airtime.h"
#include "chappe/sim/air.h"
#include "chappe/sim/sx1262_chip.h"

namespace chappe::app {
namespace {

constexpr int kNotWell = 1;
constexpr int kUsage = 2;

int fail(const std::string& words) {
  std::cerr << "chappe doctor: " << words << '\n';
  return kUsage;
}

std::string quoted_json(std::string_view text) {
  std::string quoted = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') quoted += '\\';
    quoted += static_cast<unsigned char>(letter) < 0x20 ? ' ' : letter;
  }
  return quoted + "\"";
}

void print_lines(const std::string& radio, const std::vector<Finding>& findings, bool well) {
  std::cout << radio << '\n';
  for (const Finding& finding : findings) {
    std::cout << "  " << std::left << std::setw(9) << to_string(finding.verdict) << std::setw(11)
              << finding.what << finding.words << '\n';
    if (!finding.advice.empty()) std::cout << std::string(22, ' ') << finding.advice << '\n';
  }
  std::cout << (well ? "it is well\n" : "it is not well\n");
}

void print_json(const std::string& radio, const std::vector<Finding>& findings, bool well) {
  std::cout << "{\"radio\":" << quoted_json(radio) << ",\"well\":" << (well ? "true" : "false")
            << ",\"findings\":[";
  const char* separator = "";
  for (const Finding& finding : findings) {
    std::cout << separator << "{\"what\":" << quoted_json(finding.what)
              << ",\"verdict\":" << quoted_json(to_string(finding.verdict))
              << ",\"words\":" << quoted_json(finding.words)
              << ",\"advice\":" << quoted_json(finding.advice) << '}';
    separator = ",";
  }
  std::cout << "]}\n";
}

/// One short frame that no node of the mesh does anything with, if the law allows it.
class TestFrame {
 public:
  TestFrame(async::Executor& executor, radio::sx126x::Driver& driver, tx::Law& law)
      : executor_(executor), driver_(driver), law_(law) {}

  Finding send() {
    executor_.spawn(slot_, "test frame", &TestFrame::run, this);
    while (!done_) {
      if (!executor_.step()) executor_.sleep();
    }
    slot_.cancel();
    return finding_;
  }

 private:
  // A direct packet without a route, of the type for private experiments.
  static constexpr std::array<std::uint8_t, 6> kBytes = {0x3e, 0x00, 't', 'e', 's', 't'};

  async::Task<> run() {
    finding_.what = "transmitter";
    const Duration airtime = radio::time_on_air(driver_.modulation(), kBytes.size());
    const Time until = executor_.now() + seconds(3);
    while (law_.promise(airtime) != tx::Promise::given && executor_.now() < until) {
      co_await async::sleep_for(executor_, milliseconds(20));
    }
    const radio::Right right = co_await driver_.right().take();
    flow::Credit credit = co_await driver_.credits().take(0);
    auto reservation = law_.reserve(airtime, executor_.now());
    if (!credit || !reservation) {
      finding_.verdict = Finding::Verdict::doubtful;
      finding_.words = "nothing was sent: the airtime budget does not allow it now";
      finding_.advice = "wait, or look without --transmit";
    } else {
      const auto sent = co_await driver_.transmit(right, kBytes, std::move(credit));
      if (sent) {
        reservation->commit(sent->keyed, sent->airtime);
        finding_.words =
            "a test frame was sent, " + std::to_string(in_ms(sent->airtime)) + " ms on the air";
      } else {
        if (radio::surely_silent(sent.error())) reservation->cancel();
        finding_.verdict = Finding::Verdict::bad;
        finding_.words = "the chip did not say that the frame was sent";
        finding_.advice =
            "is the supply strong enough for a transmission (120 mA, more with an "
            "amplifier)?";
      }
    }
    done_ = true;
  }

  async::Executor& executor_;
  radio::sx126x::Driver& driver_;
  tx::Law& law_;
  Finding finding_;
  bool done_ = false;
  async::TaskSlot<8192> slot_;
};

class Doctor {
 public:
  Doctor(const DoctorOptions& options, const config::Configuration& configuration)
      : options_(options), configuration_(configuration) {}

  int run() {
    using Kind = config::RadioSource::Kind;
    const bool model = configuration_.radio.kind.kind == Kind::chip;
    std::string radio = "a model of an SX1262";
    std::unique_ptr<port::LinuxBus> bus;
    std::optional<sim::Sx1262Chip> chip;
    if (model) {
      chip.emplace(executor_, air_);
    } else {
      const port::Sx126xWiring wiring = sx126x_wiring_of(configuration_);
      radio = "an SX1262 at " + wiring.spi;
      if (!configuration_.board.name.empty()) radio += ", wired as " + configuration_.board.name;
      auto opened = port::LinuxBus::open(port_, executor_, wiring);
      if (!opened) {
        findings_.push_back({Finding::Verdict::bad, "wiring", opened.error(), ""});
        return report(radio, false);
      }
      bus = *std::move(opened);
      findings_.push_back({Finding::Verdict::good, "wiring", "all devices and pins are ours", ""});
    }
    radio::sx126x::Bus& wires =
        model ? static_cast<radio::sx126x::Bus&>(*chip) : static_cast<radio::sx126x::Bus&>(*bus);
    Examination examination(executor_,
                            wires,
                            sx126x_board_of(configuration_),
                            modulation_of(configuration_),
                            Duration(static_cast<std::int64_t>(options_.listen_seconds * 1e6)));
    examination.start();
    while (!examination.done()) {
      if (!executor_.step()) executor_.sleep();
    }
    for (const Finding& finding : examination.findings()) findings_.push_back(finding);
    bool well = examination.is_well();
    if (well && options_.transmit) {
      findings_.push_back(transmit(examination.driver()));
      well = findings_.back().verdict != Finding::Verdict::bad;
    }
    examination.driver().make_safe();
    return report(radio, well);
  }

 private:
  int report(const std::string& radio, bool well) const {
    (options_.json ? print_json : print_lines)(radio, findings_, well);
    return well ? 0 : kNotWell;
  }

  // The frame counts like every other: against the same budget, in the same journal.
  Finding transmit(radio::sx126x::Driver& driver) {
    Finding refused{Finding::Verdict::bad, "transmitter", "", ""};
    const auto directory = config::state_directory(
        configuration_.state.directory, std::getenv("XDG_STATE_HOME"), std::getenv("HOME"));
    const auto stored = directory ? own_identity(*directory)
                                  : Result<OwnIdentity, std::string>(Unexpected(directory.error()));
    if (!stored) {
      refused.words = "nothing was sent: " + stored.error();
      return refused;
    }
    auto budget = AirtimeBudget::create(
        configuration_, *directory, stored->identity.pub, stored->is_new, executor_);
    if (!budget) {
      refused.words = "nothing was sent: " + budget.error();
      return refused;
    }
    (*budget)->start();
    const Finding finding = TestFrame(executor_, driver, (*budget)->law()).send();
    (*budget)->finish();
    return finding;
  }

  const DoctorOptions& options_;
  const config::Configuration& configuration_;
  port::LinuxPort port_;
  async::Executor executor_{port_};
  sim::Air air_{executor_, 1};
  std::vector<Finding> findings_;
};

}  // namespace

int doctor(const DoctorOptions& options) {
  RunOptions as_run;
  as_run.config = options.config;
  as_run.radio = options.radio;
  as_run.board = options.board;
  as_run.state = options.state;
  // A board alone says which radio is meant.
  if (as_run.radio.empty() && !as_run.board.empty()) as_run.radio = "sx126x";
  const auto configuration = configure(as_run);
  if (!configuration) return fail(configuration.error());
  using Kind = config::RadioSource::Kind;
  const Kind kind = configuration->radio.kind.kind;
  if (kind == Kind::kiss) {
    return fail("a KISS modem keeps its chip to itself; 'chappe run' says whether it answers");
  }
  if (kind != Kind::sx126x && kind != Kind::chip) {
    return fail(
        "there is no chip to look at; name one: --board NAME ('chappe boards' lists them), "
        "or --radio chip to try this out");
  }
  if (options.transmit && configuration->mode == config::Mode::no_tx) {
    return fail("--transmit contradicts the configuration: mode is \"no_tx\"");
  }
  return Doctor(options, *configuration).run();
}

int list_boards() {
  for (const config::BoardPreset& board : config::boards()) {
    std::cout << std::left << std::setw(46) << board.name << board.title << '\n';
  }
  return 0;
}

}  // namespace chappe::app
