#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace chappe::app {

/// What `chappe run` was told on the command line. Empty texts: the configuration decides.
struct RunOptions {
  std::string config;
  std::string radio;
  std::string state;
  std::optional<double> for_seconds;
  std::optional<std::uint64_t> seed;
  bool json = false;
  bool print_config = false;
};

/// The repeater. Returns the exit code: 0 after a signal or the time asked for, 1 if it could not
/// run, 2 if it was told something impossible.
int run(const RunOptions& options);

}  // namespace chappe::app
