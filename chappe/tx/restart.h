#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "chappe/base/bytes.h"
#include "chappe/tx/journal.h"
#include "chappe/tx/ledger.h"
#include "chappe/tx/record.h"

namespace chappe::tx {

/// What a start could find out about the airtime spent before it.
enum class Past : std::uint8_t {
  none,            // the state directory is new: nothing was ever sent
  same_boot,       // the clock went on: known exactly
  timed_reboot,    // the clock began anew, and the wall clock tells how long that took
  untimed_reboot,  // the same without a wall clock to trust: as if it had taken no time
  lost,            // there is an identity, and no record beside it
  damaged,         // there is a file, and no whole record in it
  foreign,         // another node's or another band's
  too_short,       // it does not reach back as far as the rules do now
};

std::string_view to_string(Past past);

/// True if what was sent in the last window is not known.
constexpr bool is_unknown(Past past) {
  return past >= Past::lost;
}

/// What to do about a past that is unknown.
enum class UnknownPast : std::uint8_t {
  exhausted,  // as if the whole budget had been spent just now: never over the limit
  paced,      // as if it had been spent evenly over the window: only the share of time since the
              // start is free. Over the limit if in truth it was spent just before the start
};

/// What was found on the disk.
struct Found {
  enum class Place : std::uint8_t { new_directory, no_file, file };
  Place place = Place::no_file;
  std::array<RecordBytes, Journal::kCopies> copies;
};

/// The history that a ledger begins with, in the clock of this run.
struct Restart {
  Past past = Past::none;
  std::uint32_t sequence = 0;  // of the newest record found
  std::size_t next_copy = 0;   // to be written first: not the newest one
  Duration presumed{};         // of the history, what may have been spent and was perhaps not
  std::array<Block, Record::kBlocksMax + 1> blocks{};
  std::size_t block_count = 0;

  std::span<const Block> history() const { return {blocks.data(), block_count}; }
};

/// Never less airtime than was spent, never earlier than it was. `rules` are those that hold now.
/// Context: any.
Restart restart(const Found& found,
                const AirtimeOwner& owner,
                std::span<const Rule> rules,
                const ClockReading& now,
                UnknownPast unknown);

}  // namespace chappe::tx
