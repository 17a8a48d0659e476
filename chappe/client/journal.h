#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "chappe/base/list.h"
#include "chappe/base/short_string.h"
#include "chappe/base/units.h"
#include "chappe/client/store.h"
#include "chappe/mesh/packet.h"
#include "chappe/tx/outcome.h"

namespace chappe::client {

class Session;

/// Names one boot of the machine: within one, Time goes on across a restart of the process.
using BootId = std::array<std::uint8_t, 16>;

/// What a client calls its own submission: unique for ever, at most 64 letters.
using SubmissionKey = ShortString<64>;

/// The submissions that clients gave a key, and what became of each: so that one that was accepted
/// is answered for across restarts, and none is sent twice.
///
/// A submission is written before it is accepted, marked in the last instant before the radio gets
/// it, and closed with its result. After a restart: accepted and unmarked, it is sent; marked and
/// not closed, it may have been on the air, so it is never sent again and its result says
/// "perhaps". After a power cut a mark may be missing, so then everything that was open is
/// "perhaps".
///
/// Each place has two records, written in turn, so that a write cut in the middle leaves the one
/// before. Context: the service's executor. Memory: kPlaces entries.
class Journal {
 public:
  static constexpr std::size_t kPlaces = 1024;
  static constexpr std::size_t kRecords = 2 + 2 * kPlaces;  // the header's and each place's
  /// What was sent is remembered at least so long; what was refused may be forgotten at once, since
  /// asking again does no harm.
  static constexpr Duration kRemembered = minutes(10);

  enum class State : std::uint8_t { free, accepted, keying, ended };

  struct Entry : ListNode {  // in its owner's list, if it has one
    State state = State::free;
    SubmissionKey key;
    mesh::FrameBytes frame;
    std::uint8_t priority = 0;
    bool handed_over = false;  // to the node, in this run
    bool durable = false;
    Time due{};
    Time ended{};
    std::uint64_t order = 0;  // of acceptance
    std::uint64_t id = 0;     // the node's, in this run
    std::uint32_t sync = 0;   // the request that makes it durable
    std::uint32_t serial = 0;
    std::uint32_t key_hash = 0;
    Session* owner = nullptr;
    tx::Outcome outcome = Unexpected(tx::Refused{});
  };

  /// What was there when the service started, as far as the number of its generation goes.
  enum class Found : std::uint8_t { nothing, intact, damaged };
  /// Whether a store without anything in it is as it should be: the state was made by this run.
  enum class Fresh : std::uint8_t { no, yes };

  /// Without a store nothing outlives the process, and what is accepted says so.
  explicit Journal(std::uint32_t generation) : boot_{}, generation_(generation) {}
  /// Reads the store and begins the next generation. `otherwise` is its number if that cannot be
  /// known: any that was not used before, not 0.
  Journal(std::unique_ptr<Store> store,
          const BootId& boot,
          Time now,
          Fresh fresh,
          std::uint32_t otherwise);

  Found found() const { return found_; }
  std::uint32_t generation() const { return generation_; }
  void begin_generation(std::uint32_t generation);

  Entry* find(std::string_view key);
  /// A new entry, written; null if every place is in use or still remembered. `former` is the
  /// entry that this key had, whose place it must be: or both would be found by the next run.
  Entry* accept(
      Entry* former, std::string_view key, Bytes frame, Time due, std::uint8_t priority, Time now);
  void mark_keying(Entry& entry);
  void close(Entry& entry, const tx::Outcome& outcome, Time now);

  /// The first entry in the order of acceptance that this run has not handed over, or null.
  Entry* next_to_resume();
  Store* store() { return store_.get(); }
  bool healthy() const { return store_ != nullptr && store_->healthy(); }

  template <class Visit>
  void for_each(Visit visit) {
    for (Entry& entry : entries_) visit(entry);
  }

 private:
  void load(Time now, Fresh fresh, std::uint32_t otherwise);
  void load_place(std::size_t place, Time now);
  void write(Entry& entry);
  void write_header();
  Entry* take_place(Time now);

  const std::unique_ptr<Store> store_;  // may be null
  const BootId boot_;
  std::vector<Entry> entries_ = std::vector<Entry>(kPlaces);
  Found found_ = Found::nothing;
  std::uint32_t generation_ = 0;
  std::uint32_t header_serial_ = 0;
  std::uint64_t last_order_ = 0;
};

}  // namespace chappe::client
