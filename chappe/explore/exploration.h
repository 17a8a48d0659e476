#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "chappe/explore/tape.h"
#include "chappe/explore/world.h"

namespace chappe::explore {

/// A small test of a few contexts, of which every execution is looked at. See docs/explore.md.
struct Exploration {
  const char* name;
  void (*body)(World& x);
  Exploration* next = nullptr;

  Exploration(const char* test_name, void (*test_body)(World&));
  /// In order of their names.
  static std::vector<const Exploration*> all();
  static const Exploration* find(std::string_view name);
};

struct Options {
  bool reduction = true;
  double seconds = 0;      // 0: until complete
  std::uint64_t seed = 0;  // above 0: random executions instead of all
};

struct Report {
  Failure failure = Failure::none;
  std::string words;
  std::size_t contexts = 0;
  std::uint64_t executions = 0;
  std::uint64_t abandoned = 0;
  bool complete = false;
  bool seq_cst = false;  // some access was: see the limits in docs/explore.md
  double seconds = 0;
  Tape tape;  // of the failure, as short as it could be made
};

Report explore(const Exploration& test, const Options& options = {});

/// Runs a tape. Stops with Failure::diverged where it does not fit.
Report replay(const Exploration& test, const Tape& tape);

/// What a tape does, a column per context and per word that changes, in at most `lines` lines.
std::string picture(const Exploration& test, const Tape& tape, std::size_t lines);

/// The program: `argv` after its name. Returns its exit code.
int command(int count, char** arguments);

}  // namespace chappe::explore

/// `CHAPPE_EXPLORE(two_setters) { x.worker(…); }`
#define CHAPPE_EXPLORE(name)                                                        \
  static void explore_##name(::chappe::explore::World& x);                          \
  static ::chappe::explore::Exploration exploration_##name(#name, &explore_##name); \
  static void explore_##name([[maybe_unused]] ::chappe::explore::World& x)
