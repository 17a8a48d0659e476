#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "chappe/sync/panic_record.h"
#include "chappe/sync/recorder.h"

namespace chappe::sync {

/// What the recorder's memory begins with; written once, at the start.
struct RecorderHeader {
  static constexpr std::array<char, 8> kMagic{'C', 'H', 'A', 'P', 'R', 'E', 'C', '\n'};
  static constexpr std::uint32_t kVersion = 1;

  std::array<char, 8> magic;
  std::uint32_t version;
  std::uint32_t slots;
  std::uint64_t start_unix_us;  // the wall's clock at the start
  std::uint64_t start_us;       // the recorder's own, at the same moment
  std::uint32_t process;
  std::uint32_t build;  // of the text below: ties a panic record to its program
  std::array<char, 48> program;
  std::uint32_t crc;  // of everything before it
};
static_assert(sizeof(RecorderHeader) == 96);

/// Where everything stands in the memory, in bytes; docs/formats/recorder.md.
namespace recorder_layout {
constexpr std::size_t kPanic = 128;
constexpr std::size_t kNames = kPanic + sizeof(PanicArea);
constexpr std::size_t kNameCount = 64;
constexpr std::size_t kNameBytes = 32;
constexpr std::size_t kLive = kNames + kNameCount * kNameBytes;
constexpr std::size_t kSlots = 4096;
constexpr std::size_t kSlotBytes = 16;
constexpr std::size_t kSlotsMost = 1 << 20;
static_assert(sizeof(RecorderHeader) <= kPanic);
static_assert(kNames == 1536 && kLive == 3584);  // as docs/formats/recorder.md has it
static_assert(kLive + 16 <= kSlots);
constexpr std::size_t bytes_for(std::size_t slots) {
  return kSlots + slots * kSlotBytes;
}
}  // namespace recorder_layout

/// A flight recorder in memory that outlives the program, and the place of its panic record.
///
/// Read what a run before has left (recorder_image.h) before this is constructed: it begins anew.
/// Context: start. Memory: the span.
class RecorderMemory {
 public:
  struct Run {
    std::uint64_t unix_us = 0;
    std::uint32_t process = 0;
    std::string_view program;  // name and version
  };

  /// Requires a power of two of slots, and memory aligned to 8.
  RecorderMemory(std::span<std::byte> memory,
                 std::size_t slots,
                 const Run& run,
                 Recorder::Clock clock);
  RecorderMemory(const RecorderMemory&) = delete;
  RecorderMemory& operator=(const RecorderMemory&) = delete;
  ~RecorderMemory();

  /// From now on note() and panic() write here.
  void install() noexcept;
  /// The end in good order; a run without it was killed, or lost its power.
  void end() noexcept;

  Recorder& recorder() { return recorder_; }
  const PanicArea& panic() const { return panic_; }

 private:
  friend std::uint32_t intern(RecorderMemory& memory, const char* words) noexcept;
  friend void record_panic(std::string_view, Site, const PanicCause&) noexcept;

  static constexpr SharedState kNameState{
      .name = "RecorderMemory::name",
      .purpose = "the words whose number is this place in the table, or null",
      .writers = Who::any,
      .readers = Who::any,
      .protection = "one word: it leaves null once; the winner copies the words into the memory",
      .orders = Orders::relaxed};
  using NameWord = SharedWord<const char*, kNameState>;
  struct Name {
    NameWord words{nullptr};
  };

  const Recorder::Clock clock_;
  const std::uint64_t start_us_;
  const std::uint32_t build_;
  PanicArea& panic_;
  char* const names_;
  Recorder recorder_;
  std::array<Name, recorder_layout::kNameCount> interned_;
};

/// Writes the panic record, if there is a place for it. Context: the one panic of this process.
void record_panic(std::string_view what, Site site, const PanicCause& cause) noexcept;

}  // namespace chappe::sync
