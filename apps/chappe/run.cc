#include "apps/chappe/run.h"

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "apps/chappe/console.h"
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

// The file, or the defaults, with what the command line says on top.
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
  if (!options.state.empty()) configuration.state.directory = options.state;
  for (const std::string& words : config::contradictions(configuration)) return Unexpected(words);
  return configuration;
}

config::Identity from_seed(const mesh::Seed& seed) {
  const mesh::Identity identity = mesh::identity_of(seed);
  return {identity.prv, identity.pub};
}

mesh::PublicKey public_of(const mesh::PrivateKey& key) {
  return mesh::crypto::public_key(key).value_or(mesh::PublicKey{});
}

}  // namespace

int run(const RunOptions& options) {
  const auto configuration = configure(options);
  if (!configuration) return fail(kUsage, configuration.error());
  if (options.print_config) {
    std::cout << config::to_toml(*configuration, config::Secrets::hidden);
    return 0;
  }

  const auto directory = config::state_directory(
      configuration->state.directory, std::getenv("XDG_STATE_HOME"), std::getenv("HOME"));
  if (!directory) return fail(kCannotRun, directory.error());
  port::OsRandom os_random;
  const auto stored = config::load_or_create_identity(
      *directory, config::KeyMath{&from_seed, &public_of}, os_random);
  if (!stored) return fail(kCannotRun, stored.error());

  Surroundings surroundings;
  surroundings.state_directory = *directory;
  surroundings.identity = {stored->identity.public_key, stored->identity.private_key};
  surroundings.identity_is_new = stored->created;
  surroundings.seed =
      options.seed.value_or(std::uint64_t{os_random.next()} << 32 | os_random.next());
  surroundings.form = options.json ? Form::json : Form::lines;
  surroundings.colours = colours_for(STDOUT_FILENO, std::getenv("NO_COLOR"));
  if (options.for_seconds) {
    surroundings.run_for = Duration(static_cast<std::int64_t>(*options.for_seconds * 1e6));
  }
  const auto program = Program::create(*configuration, surroundings);
  return program == nullptr ? kUsage : program->run();
}

}  // namespace chappe::app
