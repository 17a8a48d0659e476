#pragma once

#include <optional>
#include <string>

namespace chappe::app {

/// What `chappe doctor` was told on the command line. Empty texts: the configuration decides.
struct DoctorOptions {
  std::string config;
  std::string radio;
  std::string board;
  std::string state;
  double listen_seconds = 5;
  bool transmit = false;
  bool json = false;
};

/// Looks whether the configured radio is wired, answers and hears. Returns the exit code: 0 if it
/// is well, 1 if something is bad, 2 if it was told something impossible.
int doctor(const DoctorOptions& options);

/// Prints the boards that are known.
int list_boards();

}  // namespace chappe::app
