#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "chappe/base/result.h"
#include "chappe/base/units.h"

namespace chappe::tx {

/// Why a frame was not sent: a closed list, each counted.
enum class Why : std::uint8_t {
  never_fits,     // longer than a limit allows in a whole window
  over_budget,    // not legal now, and the policy is to drop
  expired,        // cannot, or could not, start before its expiry
  no_room,        // the pool is full of frames that are at least as valuable
  channel_busy,   // busy up to the cap, and the policy is to drop
  radio_failed,   // the radio did not send it, or may have
  not_permitted,  // this node transmits nothing
  not_durable,    // the disk does not take the promise that must precede spending
  redundant,      // enough copies were heard while it waited: others have sent it
  stopped,        // the transmitter was shut down
};
inline constexpr std::size_t kWhyCount = static_cast<std::size_t>(Why::stopped) + 1;

constexpr std::string_view to_string(Why why) {
  constexpr std::string_view kNames[kWhyCount] = {"never_fits",
                                                  "over_budget",
                                                  "expired",
                                                  "no_room",
                                                  "channel_busy",
                                                  "radio_failed",
                                                  "not_permitted",
                                                  "not_durable",
                                                  "redundant",
                                                  "stopped"};
  return kNames[static_cast<std::size_t>(why)];
}

/// Where it was refused: before anything was spent on it, or when its turn had come.
enum class Stage : std::uint8_t { early, gate };

struct Sent {
  Time at{};           // when its first symbol began
  Duration airtime{};  // as debited
  std::uint8_t attempts = 1;
  Duration waited{};    // beyond the delay it was submitted with
  bool forced = false;  // over a channel that stayed busy
};

struct Refused {
  Why why = Why::stopped;
  Stage stage = Stage::early;
  Time earliest = kNever;     // when it could legally have started
  bool perhaps_sent = false;  // an attempt may have been radiated: echoes may come
};

/// What became of one submission.
using Outcome = Result<Sent, Refused>;

}  // namespace chappe::tx
