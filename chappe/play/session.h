#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "chappe/play/player.h"
#include "chappe/play/scenario.h"

/// Compares what a node did on recorded inputs with what the reference did.
namespace chappe::play {

struct SessionResult {
  enum class Outcome : std::uint8_t {
    passed,
    passed_otherwise,  // a reference quirk, answered with our documented result
    failed,
    not_built,  // every input is left out, so nothing would be proved
  };
  Outcome outcome = Outcome::not_built;
  std::string why;   // of a failure: what differed first
  int left_out = 0;  // inputs for a server: played, but not compared
};

/// Plays it with every delay at its minimum, when all starts must be the earliest recorded ones,
/// and then with other chances, when they must lie within the recorded bounds.
SessionResult play(const Scenario& scenario);
/// Plays it once, with the recorded randomness.
SessionResult play(const Session& session);

/// One comparison. Without a seed the starts must be the earliest.
SessionResult compare(const Scenario& scenario,
                      const Played& played,
                      std::optional<std::uint64_t> seed);

/// A session as one run of inputs, so that one player plays both. What each step expects becomes an
/// expected transmission.
Scenario timeline_of(const Session& session);

}  // namespace chappe::play
