#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "chappe/base/bytes.h"
#include "chappe/base/result.h"
#include "chappe/sync/recorder_memory.h"

namespace chappe::sync {

enum class ImageProblem : std::uint8_t {
  too_short,
  not_a_recorder,  // another magic
  other_version,
  header_damaged,
};
std::string_view name_of(ImageProblem problem);

/// A copy of a recorder's memory, as a sequence. Any bytes are safe to read: what is damaged is
/// counted, not believed.
///
/// Of a process that still writes, take two copies one after the other: a line that differs between
/// them was being written and is left out. Memory: none; the copies must outlive this.
class RecorderImage {
 public:
  static Result<RecorderImage, ImageProblem> open(Bytes copy, Bytes second = {});

  struct Entry {
    std::uint32_t ticket;
    std::int64_t after_start_us;
    std::uint32_t note;
    std::uint32_t context;
    std::uint32_t a;
    std::uint32_t b;
  };

  const RecorderHeader& header() const { return header_; }
  std::uint32_t state() const { return live(3); }
  std::uint32_t dropped() const { return live(1); }
  /// The record of a panic; nothing if there was none, or (see panic_is_damaged) it cannot be read.
  std::optional<PanicArea> panic() const;
  bool panic_is_damaged() const;
  /// The words of a number that note_name() gave.
  std::string_view name(std::uint32_t number) const;
  /// Slots that the memory lacks at its end.
  std::size_t missing_slots() const { return header_.slots - slots_; }

  struct Counts {
    std::size_t lines = 0;
    std::size_t under_way = 0;  // slots whose line was being written
    std::size_t damaged = 0;    // slots that hold what cannot be there
  };
  /// `visit(const Entry&)` for each line, in the order of the tickets.
  template <class Visit>
  Counts for_each(Visit visit) const {
    Counts counts = count();
    Clock clock = clock_at_first();
    std::uint32_t ticket = oldest();
    for (std::size_t i = 0; i < slots_ring(); ++i, ticket = (ticket + 1) & Recorder::kTicketMask) {
      const auto line = line_of(ticket);
      if (!line) continue;
      ++counts.lines;
      visit(Entry{ticket,
                  clock.time_of(*line, lower_after(ticket)),
                  line->note,
                  line->context,
                  line->a,
                  line->b});
    }
    return counts;
  }

 private:
  // The whole clock from its lower half: the upper one stands in the clock lines.
  struct Clock {
    std::int64_t start;
    std::uint64_t upper;
    std::uint64_t before = 0;
    std::int64_t time_of(const Recorder::Line& line, std::optional<std::uint32_t> next_lower);
  };

  RecorderImage(Bytes copy, Bytes second, const RecorderHeader& header, std::size_t slots)
      : copy_(copy), second_(second), header_(header), slots_(slots) {}

  std::uint32_t word(std::size_t at) const;
  std::uint32_t live(std::size_t index) const { return word(recorder_layout::kLive + index * 4); }
  std::uint32_t slots_ring() const { return header_.slots; }
  std::optional<Recorder::Line> line_at(std::size_t slot) const;
  std::optional<Recorder::Line> line_of(std::uint32_t ticket) const;
  std::optional<std::uint32_t> lower_after(std::uint32_t ticket) const;
  std::uint32_t oldest() const;
  Clock clock_at_first() const;
  Counts count() const;

  Bytes copy_;
  Bytes second_;
  RecorderHeader header_;
  std::size_t slots_;
};

}  // namespace chappe::sync
