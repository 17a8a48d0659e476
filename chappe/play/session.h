#pragma once

#include <iosfwd>
#include <optional>
#include <string>

#include "chappe/play/scenario.h"

/// Plays recorded behaviour against a node in virtual time: the only place of this room that
/// builds nodes. Everything else loads, compares and reports.
namespace chappe::play {

struct SessionResult {
  enum class Outcome : std::uint8_t {
    passed,
    passed_otherwise,  // a reference quirk, answered with our documented result
    failed,
    not_built,
  };
  Outcome outcome = Outcome::not_built;
  std::string why;  // of a failure: what differed first
};

SessionResult play(const Scenario& scenario);
SessionResult play(const Session& session);

/// Plays the inputs and writes the node's events to `out`, as objects or as lines for people. With
/// a seed the node's delays are drawn from it; without, every one is its minimum.
SessionResult replay(const Scenario& scenario,
                     std::optional<std::uint64_t> seed,
                     bool json,
                     std::ostream& out);

}  // namespace chappe::play
