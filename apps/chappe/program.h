#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "apps/chappe/airtime_budget.h"
#include "apps/chappe/console.h"
#include "apps/chappe/kept_state.h"
#include "apps/chappe/kiss_endpoints.h"
#include "apps/chappe/outside.h"
#include "apps/chappe/patient_output.h"
#include "chappe/async/executor.h"
#include "chappe/base/random.h"
#include "chappe/base/result.h"
#include "chappe/client/json_connection.h"
#include "chappe/client/service.h"
#include "chappe/config/configuration.h"
#include "chappe/mesh/identity.h"
#include "chappe/node/repeater.h"
#include "chappe/port/linux/linux_port.h"
#include "chappe/port/linux/process_signals.h"
#include "chappe/port/linux/recorder_file.h"
#include "chappe/port/linux/unix_socket.h"
#include "chappe/port/linux/watchdog.h"

namespace chappe::app {

/// What a run finds around it besides its configuration.
struct Surroundings {
  std::string state_directory;
  mesh::Identity identity;
  bool identity_is_new = false;
  std::uint64_t seed = 0;
  Form form = Form::lines;
  Colours colours = Colours::off;
  std::optional<Duration> run_for;  // nothing: until a signal
};

/// One repeater process: every room, wired. All of it lives on one executor.
class Program {
 public:
  /// The exit code, after saying why on standard error, if what was configured is not there, or the
  /// state cannot be used.
  static Result<std::unique_ptr<Program>, int> create(const config::Configuration& configuration,
                                                      const Surroundings& surroundings);

  /// Runs until the time asked for, or SIGINT or SIGTERM. Returns the exit code.
  int run();
  /// A command wants the node to start again.
  bool restart_wanted() const { return restart_wanted_; }

 private:
  // What must be there before the rest: everything lives on its executor.
  struct Ground {
    port::LinuxPort port;
    async::Executor executor{port};
    std::unique_ptr<Outside> outside;
    std::unique_ptr<AirtimeBudget> budget;
  };

  Program(const config::Configuration& configuration,
          const Surroundings& surroundings,
          std::unique_ptr<Ground> ground);

  async::Task<> stop_on_signal();
  async::Task<> stop_after(Duration span);
  async::Task<> accept_clients();
  std::unique_ptr<client::Journal> journal_of(const Surroundings& surroundings);
  bool open_socket();
  void open_recorder();
  void start_watchdog();
  void halt(node::Halt how);
  void greet() const;
  void conclude();

  const config::Configuration& configuration_;
  const Surroundings& surroundings_;
  const std::unique_ptr<Ground> ground_;
  port::LinuxPort& port_;
  async::Executor& executor_;
  Outside& outside_;
  AirtimeBudget& budget_;
  port::ProcessSignals signals_;
  SeededRandom random_;
  node::Repeater repeater_;
  KeptState kept_;
  node::AccessList access_;
  node::Console commands_;
  PatientOutput output_;
  std::ostream out_{&output_};
  Console console_;
  client::Service service_;
  client::JsonServer server_;
  KissEndpoints kiss_;
  std::unique_ptr<port::UnixListener> listener_;
  std::unique_ptr<port::RecorderFile> recorder_;
  std::optional<port::Watchdog> watchdog_;
  bool restart_wanted_ = false;
  async::TaskSlot<1024> signal_slot_;
  async::TaskSlot<1024> time_slot_;
  async::TaskSlot<1024> halt_slot_;
  async::TaskSlot<2048> accept_slot_;
};

}  // namespace chappe::app
