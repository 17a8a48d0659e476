#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "chappe/base/panic.h"
#include "chappe/base/site.h"

namespace chappe::sync {

class Agent;

/// What a panic leaves behind: a fixed record, and the words it points into. Plain bytes in memory
/// that survives: the recorder's file, retained RAM. The layout is docs/formats/recorder.md.
struct PanicRecord {
  static constexpr std::uint32_t kMagic = 0x434e4150;  // "PANC"
  static constexpr std::uint16_t kVersion = 1;
  static constexpr std::size_t kMost = 4;  // locks, and links of the chain

  // A word is an offset into the text, where it ends with a zero byte; 0 is the empty one.
  using Word = std::uint16_t;
  struct Place {
    Word file;
    std::uint16_t line;
  };
  struct Held {
    Word lock;
    Place taken;
    std::uint16_t rank;
  };
  struct Link {
    Word lock;
    Word holder;
    Place since;
  };

  std::uint32_t magic;
  std::uint16_t version;
  std::uint16_t code;
  std::uint32_t a;
  std::uint32_t b;
  std::uint64_t uptime_us;
  std::uint32_t build;
  Word what;
  Word agent;
  std::uint8_t agent_kind;  // as the context of a note
  std::uint8_t held_count;
  std::uint8_t chain_count;
  std::uint8_t reserved_0;
  Place site;
  std::array<Held, kMost> held;
  std::array<Link, kMost> chain;
  std::array<std::uint8_t, 20> reserved_1;
  std::uint32_t crc;  // of everything before it, then of the text
};
static_assert(sizeof(PanicRecord) == 128);

/// The record and its text, side by side. All zero: nothing has happened.
struct PanicArea {
  static constexpr std::size_t kTextBytes = 1280;
  PanicRecord record;
  std::array<char, kTextBytes> text;

  bool is_there() const { return record.magic == PanicRecord::kMagic; }
  /// There and as it was written.
  bool is_whole() const;
  /// The words at an offset; what lies outside or does not end is cut.
  std::string_view words(PanicRecord::Word at) const;
};

/// Fills `area`: who runs, what it holds, and the chain of who holds what, from the lock that
/// the panic is about.
/// Takes no lock and allocates nothing. Context: any; the one panic of this process.
void write_panic(PanicArea& area,
                 std::string_view what,
                 Site site,
                 const PanicCause& cause,
                 std::uint64_t uptime_us,
                 std::uint32_t build) noexcept;

}  // namespace chappe::sync
