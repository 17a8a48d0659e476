#include "apps/chappe/run.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "apps/chappe/console.h"
#include "apps/chappe/kept_state.h"
#include "apps/chappe/program.h"
#include "chappe/config/configuration.h"
#include "chappe/config/identity_file.h"
#include "chappe/config/load.h"
#include "chappe/config/print.h"
#include "chappe/config/schema.h"
#include "chappe/config/state_directory.h"
#include "chappe/mesh/identity.h"
#include "chappe/port/linux/os_random.h"

namespace chappe::app {
namespace {

constexpr int kCannotRun = 1;
constexpr int kUsage = 2;

int fail(int exit_code, const std::string& words) {
  std::cerr << "chappe: " << words << '\n';
  return exit_code;
}

config::Identity from_seed(const mesh::Seed& seed) {
  const mesh::Identity identity = mesh::identity_of(seed);
  return {identity.prv, identity.pub};
}

mesh::PublicKey public_of(const mesh::PrivateKey& key) {
  return mesh::crypto::public_key(key).value_or(mesh::PublicKey{});
}

struct Ending {
  int exit_code = 0;
  bool again = false;  // a command wants the node to start anew
};

// From the files on: a command may have changed what they hold.
Ending run_once(const RunOptions& options,
                config::Configuration configuration,
                std::optional<Duration> run_for) {
  const auto directory = config::state_directory(
      configuration.state.directory, std::getenv("XDG_STATE_HOME"), std::getenv("HOME"));
  if (!directory) return {fail(kCannotRun, directory.error())};
  const auto stored = own_identity(*directory);
  if (!stored) return {fail(kCannotRun, stored.error())};
  if (const auto unused = use_kept_radio(*directory, configuration)) {
    std::cerr << "chappe: " << *unused << '\n';
  }

  Surroundings surroundings;
  surroundings.state_directory = *directory;
  surroundings.identity = stored->identity;
  surroundings.identity_is_new = stored->is_new;
  port::OsRandom os_random;
  surroundings.seed =
      options.seed.value_or(std::uint64_t{os_random.next()} << 32 | os_random.next());
  surroundings.form = options.json ? Form::json : Form::lines;
  surroundings.colours = colours_for(STDOUT_FILENO, std::getenv("NO_COLOR"));
  surroundings.run_for = run_for;
  const auto program = Program::create(configuration, surroundings);
  if (!program) return {program.error()};
  const int exit_code = (*program)->run();
  return {exit_code, (*program)->restart_wanted()};
}

}  // namespace

Result<config::Configuration, std::string> configure(const RunOptions& options) {
  config::Configuration configuration;
  if (!options.config.empty()) {
    auto loaded = config::load(options.config);
    if (!loaded) {
      std::string words = "the configuration has mistakes; nothing was started\n";
      words += config::describe(options.config, loaded.error());
      if (words.ends_with('\n')) words.pop_back();
      return Unexpected(std::move(words));
    }
    configuration = *loaded;
  }
  if (!options.radio.empty()) {
    const auto source = config::parse_radio_source(options.radio);
    if (!source) return Unexpected("--radio " + options.radio + ": " + source.error());
    configuration.radio.kind = *source;
  }
  if (!options.board.empty()) configuration.board.name = options.board;
  if (!options.state.empty()) configuration.state.directory = options.state;
  for (const std::string& words : config::contradictions(configuration)) return Unexpected(words);
  return configuration;
}

Result<OwnIdentity, std::string> own_identity(const std::string& state_directory) {
  port::OsRandom random;
  const auto stored = config::load_or_create_identity(
      state_directory, config::KeyMath{&from_seed, &public_of}, random);
  if (!stored) return Unexpected(stored.error());
  return OwnIdentity{{stored->identity.public_key, stored->identity.private_key}, stored->created};
}

int run(const RunOptions& options) {
  const auto configuration = configure(options);
  if (!configuration) return fail(kUsage, configuration.error());
  if (options.print_config) {
    std::cout << config::to_toml(*configuration, config::Secrets::hidden);
    return 0;
  }
  std::optional<Duration> run_for;
  if (options.for_seconds) {
    run_for = Duration(static_cast<std::int64_t>(*options.for_seconds * 1e6));
  }
  for (;;) {
    const auto begun = std::chrono::steady_clock::now();
    const Ending ending = run_once(options, *configuration, run_for);
    if (!ending.again || ending.exit_code != 0) return ending.exit_code;
    if (!run_for) continue;
    const auto ran = std::chrono::steady_clock::now() - begun;
    run_for = std::max(Duration::zero(), *run_for - std::chrono::duration_cast<Duration>(ran));
  }
}

}  // namespace chappe::app
