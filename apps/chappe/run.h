#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "chappe/base/result.h"
#include "chappe/config/configuration.h"
#include "chappe/mesh/identity.h"

namespace chappe::app {

/// What `chappe run` was told on the command line. Empty texts: the configuration decides.
struct RunOptions {
  std::string config;
  std::string radio;
  std::string board;
  std::string state;
  std::optional<double> for_seconds;
  std::optional<std::uint64_t> seed;
  bool json = false;
  bool print_config = false;
};

/// The file, or the defaults, with what the command line says on top. The error is a sentence.
Result<config::Configuration, std::string> configure(const RunOptions& options);

/// The node's key, from its state directory; made if there is none.
struct OwnIdentity {
  mesh::Identity identity;
  bool is_new = false;
};
Result<OwnIdentity, std::string> own_identity(const std::string& state_directory);

/// The repeater. Returns the exit code: 0 after a signal or the time asked for, 1 if it could not
/// run, 2 if it was told something impossible.
int run(const RunOptions& options);

}  // namespace chappe::app
