#include "apps/chappe/program.h"

#include <signal.h>
#include <unistd.h>

#include <ctime>
#include <iostream>

#include "apps/chappe/client_store.h"
#include "apps/chappe/outside.h"
#include "apps/chappe/recorder.h"
#include "apps/chappe/wiring.h"
#include "chappe/async/sleep.h"
#include "chappe/base/panic.h"
#include "chappe/config/quantity.h"

namespace chappe::app {
namespace {

std::string hex(Bytes bytes) {
  std::string out;
  for (const std::uint8_t byte : bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

// 62500 Hz as "62.5 kHz", 869618000 Hz as "869.618 MHz".
std::string with_unit(std::uint32_t count, std::uint32_t unit, const char* name) {
  std::string digits = std::to_string(count % unit);
  digits.insert(0, std::to_string(unit).size() - 1 - digits.size(), '0');
  while (!digits.empty() && digits.back() == '0') digits.pop_back();
  return std::to_string(count / unit) + (digits.empty() ? "" : "." + digits) + " " + name;
}

}  // namespace

Result<std::unique_ptr<Program>, int> Program::create(const config::Configuration& configuration,
                                                      const Surroundings& surroundings) {
  constexpr int kCannotRun = 1;
  constexpr int kUsage = 2;
  auto ground = std::make_unique<Ground>();
  auto outside = make_outside(
      configuration, surroundings.identity.pub, ground->port, ground->executor, surroundings.seed);
  if (!outside) {
    std::cerr << "chappe: " << outside.error() << '\n';
    return Unexpected(kUsage);
  }
  ground->outside = *std::move(outside);
  auto budget = AirtimeBudget::create(configuration,
                                      surroundings.state_directory,
                                      surroundings.identity.pub,
                                      surroundings.identity_is_new,
                                      ground->executor);
  if (!budget) {
    std::cerr << "chappe: " << budget.error() << '\n';
    return Unexpected(kCannotRun);
  }
  ground->budget = *std::move(budget);
  return std::unique_ptr<Program>(new Program(configuration, surroundings, std::move(ground)));
}

Program::Program(const config::Configuration& configuration,
                 const Surroundings& surroundings,
                 std::unique_ptr<Ground> ground)
    : configuration_(configuration),
      surroundings_(surroundings),
      ground_(std::move(ground)),
      port_(ground_->port),
      executor_(ground_->executor),
      outside_(*ground_->outside),
      budget_(*ground_->budget),
      signals_(port_, executor_.wakes(), {SIGINT, SIGTERM}),
      random_(surroundings.seed),
      repeater_(executor_,
                outside_.radio(),
                budget_.law(),
                random_,
                settings_of(configuration),
                surroundings.identity),
      kept_(
          surroundings.state_directory,
          configuration,
          [](const std::string& words) { std::cerr << "chappe: " << words << '\n'; },
          [this](node::Halt how) { halt(how); }),
      commands_({executor_, repeater_, access_, kept_, kept_}),
      output_(port_,
              executor_,
              STDOUT_FILENO,
              [this](std::uint64_t count) {
                return not_shown(count, surroundings_.form, executor_.now() - console_.start());
              }),
      console_(out_, surroundings.form, surroundings.colours, executor_.now()),
      service_(executor_, repeater_, journal_of(surroundings)),
      server_(service_),
      kiss_(configuration.kiss, port_, executor_, service_) {
  repeater_.listen(console_);
  service_.serve_commands([this](std::string_view line) {
    node::Reply reply;
    commands_.command(line, 0, reply);
    return kept_.take_printed().append(reply.view());
  });
}

// Without a disk clients are served all the same, and told that what they submit is not durable.
std::unique_ptr<client::Journal> Program::journal_of(const Surroundings& surroundings) {
  auto journal = open_journal(executor_.wakes(),
                              surroundings.state_directory,
                              surroundings.identity_is_new,
                              executor_.now());
  if (journal) return *std::move(journal);
  std::cerr << "chappe: " << journal.error() << "\n        submissions will not be durable\n";
  return std::make_unique<client::Journal>(generation_out_of_nothing());
}

int Program::run() {
  if (configuration_.socket.enabled && !open_socket()) return 1;
  if (const std::string why = kiss_.open(surroundings_.state_directory); !why.empty()) {
    std::cerr << "chappe: " << why << '\n';
    return 1;
  }
  open_recorder();
  executor_.spawn(signal_slot_, "signals", &Program::stop_on_signal, this);
  if (surroundings_.run_for) {
    executor_.spawn(time_slot_, "run time", &Program::stop_after, this, *surroundings_.run_for);
  }
  budget_.start();
  greet();
  server_.start();
  output_.start();
  repeater_.clock().start(static_cast<std::uint32_t>(std::time(nullptr)), executor_.now());
  kept_.apply(repeater_, access_, commands_);
  repeater_.start();
  service_.resume();
  outside_.start();
  set_panic_hook(
      [](void* outside, std::string_view) noexcept {
        static_cast<Outside*>(outside)->radio().make_safe();
      },
      &outside_);
  start_watchdog();
  executor_.run();
  watchdog_.reset();
  set_panic_hook(nullptr, nullptr);

  accept_slot_.cancel();
  server_.stop();
  kiss_.stop();
  repeater_.stop();
  budget_.finish();
  outside_.stop();
  signal_slot_.cancel();
  time_slot_.cancel();
  halt_slot_.cancel();
  conclude();
  if (recorder_ != nullptr) recorder_->end();
  return output_.finish() ? 0 : 1;
}

void Program::halt(node::Halt how) {
  restart_wanted_ = how == node::Halt::restart;
  std::cerr << "chappe: a command " << (restart_wanted_ ? "restarts" : "stops") << " the node\n";
  // Whoever typed it still gets the answer.
  if (!halt_slot_.alive()) {
    executor_.spawn(halt_slot_, "halt", &Program::stop_after, this, milliseconds(100));
  }
}

async::Task<> Program::stop_on_signal() {
  const int number = co_await signals_.next();
  std::cerr << "chappe: stopping on " << (number == SIGINT ? "SIGINT" : "SIGTERM") << '\n';
  restart_wanted_ = false;
  executor_.stop();
}

async::Task<> Program::stop_after(Duration span) {
  co_await async::sleep_for(executor_, span);
  executor_.stop();
}

bool Program::open_socket() {
  const std::string path = configuration_.socket.path.empty()
                               ? surroundings_.state_directory + "/chappe.sock"
                               : configuration_.socket.path;
  auto listener = port::UnixListener::listen(port_, executor_.wakes(), path);
  if (!listener) {
    std::cerr << "chappe: " << listener.error().words << '\n';
    return false;
  }
  listener_ = std::move(*listener);
  executor_.spawn(accept_slot_, "client socket", &Program::accept_clients, this);
  return true;
}

void Program::start_watchdog() {
  const config::Watchdog& chosen = configuration_.watchdog;
  if (chosen.limit == Duration::zero()) return;
  watchdog_.emplace(port_,
                    chosen.limit,
                    chosen.on_hang == config::OnHang::panic ? port::Watchdog::Action::panic
                                                            : port::Watchdog::Action::report);
}

void Program::open_recorder() {
  auto recorder = port::RecorderFile::create(surroundings_.state_directory + "/recorder",
                                             "chappe " CHAPPE_VERSION);
  if (!recorder) {
    std::cerr << "chappe: " << recorder.error() << '\n';
    return;
  }
  recorder_ = *std::move(recorder);
  if (recorder_->before().empty()) return;
  const std::string words = last_words(recorder_->before());
  if (words.empty()) return;
  std::cerr << "chappe: " << words << "\n        chappe recorder " << recorder_->before()
            << " shows what happened\n";
}

async::Task<> Program::accept_clients() {
  for (;;) {
    const int fd = co_await listener_->accept();
    server_.adopt(std::make_unique<port::DescriptorStream>(port_, executor_.wakes(), fd));
  }
}

void Program::greet() const {
  const radio::Modulation modulation = modulation_of(configuration_);
  std::cerr << "chappe " CHAPPE_VERSION ": " << configuration_.name << ", "
            << hex(Bytes(surroundings_.identity.pub).first(6))
            << (surroundings_.identity_is_new ? " (a new identity, kept in " : " (state in ")
            << surroundings_.state_directory << ")\n"
            << "  channel  " << with_unit(modulation.frequency.count, 1'000'000, "MHz") << ", "
            << with_unit(modulation.bandwidth.nominal().count, 1000, "kHz") << ", SF "
            << int{modulation.spreading} << ", CR 4/" << int{modulation.coding} << "\n";
  budget_.describe(std::cerr);
  if (listener_ != nullptr) std::cerr << "  clients  " << listener_->path() << "\n";
  kiss_.describe(std::cerr);
  outside_.describe(std::cerr);
}

void Program::conclude() {
  const Summary summary{repeater_.books(),
                        repeater_.statistics(),
                        executor_.now() - console_.start(),
                        hour_of(repeater_)};
  // With --json standard output belongs to the events.
  std::ostream& out = surroundings_.form == Form::json ? std::cerr : out_;
  out << print_summary(summary,
                       surroundings_.form == Form::json ? Colours::off : surroundings_.colours);
  out.flush();
}

}  // namespace chappe::app
