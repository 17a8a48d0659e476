#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chappe/node/event.h"
#include "chappe/play/json_value.h"
#include "chappe/play/scenario.h"

namespace chappe::play {

/// What a node did with a recording's inputs.
struct Played {
  struct Transmission {
    Time keyed{};
    ByteList frame;
    std::uint64_t id = 0;      // of what it was sent for; 0 while on the air when time was up
    std::optional<int> cause;  // the index of the input that has this id
  };
  struct Verdict {
    int input = 0;
    std::string verdict;
    std::string why;
    std::optional<std::string> region;
    Duration hold{};            // before judging
    Duration delay{};           // forward: of the first frame to send
    std::uint8_t priority = 0;  // the same one's
  };
  struct Reply {
    int input = 0;
    std::string text;
    std::string printed;  // besides the reply
  };

  std::vector<Transmission> transmissions;  // in the order of their starts
  std::vector<Verdict> verdicts;            // in the order in which they were reached
  std::vector<Reply> replies;
  std::vector<Reply> radio_replies;  // to commands that came by radio
  std::vector<std::string> setup_replies;
  Json state;          // at the end, as recordings have it
  std::string halted;  // how, in the recordings' words; empty: it goes on
  /// The first moment at which the node's books did not balance, in words.
  std::string trouble;
};

/// Plays `scenario` on a fresh node in virtual time, with the reference's limits, up to its end.
/// Without a seed every random number is the recorded one: zero, so that each delay is its minimum.
/// `listener` (may be null) is told of all events while they happen. Nothing if the recording names
/// a radio that cannot be.
std::optional<Played> play_through(const Scenario& scenario,
                                   std::optional<std::uint64_t> seed,
                                   node::EventListener* listener);

}  // namespace chappe::play
