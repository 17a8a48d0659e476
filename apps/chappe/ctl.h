#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace chappe::app {

/// What `chappe ctl` was told on the command line. Empty texts: the defaults decide.
struct CtlOptions {
  enum class Action : std::uint8_t { status, clients, watch, send, command, restart_clients, raw };
  Action action = Action::status;
  std::string config;
  std::string state;
  std::string socket;
  double timeout_s = 10;
  bool json = false;

  std::vector<std::string> events;  // watch
  std::vector<std::string> types;   // watch
  std::string whose;                // watch: ours, others or empty
  std::uint64_t count = 0;          // watch: stop after so many; 0: never

  std::string hex;  // send
  std::string key;  // send
  std::uint32_t delay_ms = 0;
  std::uint32_t priority = 1;

  std::string line;  // raw, command
};

/// Asks a running node. Returns the exit code: 0, 1 if it failed or nobody answers, 2 if the node
/// did not understand.
int ctl(const CtlOptions& options);

}  // namespace chappe::app
