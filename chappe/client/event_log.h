#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "chappe/base/short_string.h"
#include "chappe/mesh/packet.h"
#include "chappe/node/event.h"

namespace chappe::client {

/// What a client may be told of, one bit each; the order is node::EventKind's.
using EventMask = std::uint32_t;
inline constexpr std::size_t kEventKinds = 5;
inline constexpr EventMask kNoEvents = 0;
inline constexpr EventMask kAllEvents = (1u << kEventKinds) - 1;

/// Payload types, one bit each, and one for what is no packet.
using TypeMask = std::uint32_t;
inline constexpr std::size_t kEventTypes = 17;
inline constexpr std::size_t kNoPacketType = 16;
inline constexpr TypeMask kAllTypes = (1u << kEventTypes) - 1;

/// Which events a client wants.
struct Filter {
  enum class Whose : std::uint8_t { anybody, ours, others };

  constexpr Filter() = default;
  constexpr Filter(EventMask mask) : kinds(mask) {}

  EventMask kinds = kNoEvents;
  TypeMask types = kAllTypes;
  Whose whose = Whose::anybody;
};

/// The latest events of a node, once for all clients: each client has a place of its own in here,
/// so reading takes nothing from anybody, and a client that reads nothing costs nothing.
///
/// Appending copies a few hundred bytes and makes no text; a line of JSON is made when somebody
/// reads it, and kept for the next one. The oldest event makes room for the newest; whoever had not
/// read it learns the exact number of events of his filter that he lost.
/// Context: the node's executor. Memory: kKept events, and their lines once they were read.
class EventLog {
 public:
  static constexpr std::size_t kKept = 512;

  /// A client's place.
  class Cursor {
   private:
    friend class EventLog;
    std::uint64_t next_ = 0;
    // Of each class of events, how many had been appended before this place.
    std::array<std::uint32_t, kEventKinds * kEventTypes * 2> passed_{};
  };

  /// One event, in the log's own memory.
  class Kept {
   public:
    const node::Event& event() const { return event_; }
    /// As JSON, with the line feed.
    const std::string& line() const;

   private:
    friend class EventLog;
    node::Event event_;
    mesh::FrameBytes frame_;
    mesh::Packet packet_;
    ShortString<64> region_;
    std::size_t class_ = 0;
    mutable std::string line_;  // empty until somebody wants it
  };

  void append(const node::Event& event);

  /// What is appended from now on.
  void to_end(Cursor& cursor) const;

  /// The next event that passes the filter, or null. `lost` grows by what came and went unread.
  const Kept* next(Cursor& cursor, const Filter& filter, std::uint64_t& lost) const;
  /// Whether there is one. Moves the cursor to it.
  bool ready(Cursor& cursor, const Filter& filter, std::uint64_t& lost) const;

  std::uint64_t appended() const { return appended_; }
  static bool wants(const Filter& filter, const node::Event& event);

 private:
  using Counts = std::array<std::uint32_t, kEventKinds * kEventTypes * 2>;

  static std::size_t class_of(const node::Event& event);
  static bool wants(const Filter& filter, std::size_t event_class);
  std::uint64_t oldest() const { return appended_ < kKept ? 0 : appended_ - kKept; }

  std::vector<Kept> kept_ = std::vector<Kept>(kKept);
  std::uint64_t appended_ = 0;
  Counts produced_{};
  Counts forgotten_{};
};

}  // namespace chappe::client
