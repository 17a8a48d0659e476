#include "chappe/sync/recorder_image.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>

#include "chappe/base/crc32.h"

namespace chappe::sync {
namespace {

namespace layout = recorder_layout;
constexpr std::uint64_t kHalf = 1ull << 31;

}  // namespace

std::string_view name_of(ImageProblem problem) {
  switch (problem) {
    case ImageProblem::too_short:
      return "too short: it ends before its first line";
    case ImageProblem::not_a_recorder:
      return "not a flight recorder's file";
    case ImageProblem::other_version:
      return "written by another version of the format";
    case ImageProblem::header_damaged:
      return "its header is damaged";
  }
  return "?";
}

Result<RecorderImage, ImageProblem> RecorderImage::open(Bytes copy, Bytes second) {
  RecorderHeader header;
  if (copy.size() < sizeof header.magic) return Unexpected(ImageProblem::too_short);
  if (std::memcmp(copy.data(), RecorderHeader::kMagic.data(), sizeof header.magic) != 0) {
    return Unexpected(ImageProblem::not_a_recorder);
  }
  if (copy.size() < layout::kSlots) return Unexpected(ImageProblem::too_short);
  std::memcpy(&header, copy.data(), sizeof header);
  if (crc32(copy.first(offsetof(RecorderHeader, crc))) != header.crc) {
    return Unexpected(ImageProblem::header_damaged);
  }
  if (header.version != RecorderHeader::kVersion) return Unexpected(ImageProblem::other_version);
  if (!std::has_single_bit(header.slots) || header.slots > layout::kSlotsMost) {
    return Unexpected(ImageProblem::header_damaged);
  }
  const std::size_t whole =
      std::min<std::size_t>(header.slots, (copy.size() - layout::kSlots) / layout::kSlotBytes);
  return RecorderImage(copy, second, header, whole);
}

std::uint32_t RecorderImage::word(std::size_t at) const {
  std::uint32_t value = 0;
  std::memcpy(&value, copy_.data() + at, sizeof value);
  return value;
}

std::optional<PanicArea> RecorderImage::panic() const {
  PanicArea area;
  std::memcpy(&area, copy_.data() + layout::kPanic, sizeof area);
  if (!area.is_whole()) return std::nullopt;
  return area;
}

bool RecorderImage::panic_is_damaged() const {
  return word(layout::kPanic) != 0 && !panic();
}

std::string_view RecorderImage::name(std::uint32_t number) const {
  if (number == 0 || number > layout::kNameCount) return "?";
  const auto* const from = reinterpret_cast<const char*>(copy_.data()) + layout::kNames +
                           (number - 1) * layout::kNameBytes;
  return {from, static_cast<std::size_t>(std::find(from, from + layout::kNameBytes, '\0') - from)};
}

std::optional<Recorder::Line> RecorderImage::line_at(std::size_t slot) const {
  const std::size_t at = layout::kSlots + slot * layout::kSlotBytes;
  const std::uint32_t ticket = word(at);
  if (ticket == 0 || (ticket & Recorder::kBusy) != 0) return std::nullopt;
  if ((ticket & (header_.slots - 1)) != slot) return std::nullopt;
  if (second_.size() >= at + layout::kSlotBytes &&
      std::memcmp(copy_.data() + at, second_.data() + at, layout::kSlotBytes) != 0) {
    return std::nullopt;
  }
  return Recorder::line_of(ticket, word(at + 4), word(at + 8), word(at + 12));
}

std::optional<Recorder::Line> RecorderImage::line_of(std::uint32_t ticket) const {
  const std::size_t slot = ticket & (header_.slots - 1);
  if (slot >= slots_) return std::nullopt;
  const auto line = line_at(slot);
  if (!line || line->ticket != ticket) return std::nullopt;
  return line;
}

// The ring in order ends with the latest ticket that any slot holds. Not with the count in the
// memory: that one may be damaged, and the latest lines may have been given up.
std::uint32_t RecorderImage::oldest() const {
  std::uint32_t latest = 0;
  for (std::size_t slot = 0; slot < slots_; ++slot) {
    const auto line = line_at(slot);
    if (line && (latest == 0 || Recorder::later(line->ticket, latest))) latest = line->ticket;
  }
  return (latest - header_.slots + 1) & Recorder::kTicketMask;
}

std::optional<std::uint32_t> RecorderImage::lower_after(std::uint32_t ticket) const {
  const auto line = line_of((ticket + 1) & Recorder::kTicketMask);
  if (!line || line->note == static_cast<std::uint32_t>(Note::clock)) return std::nullopt;
  return line->time;
}

RecorderImage::Clock RecorderImage::clock_at_first() const {
  Clock clock{static_cast<std::int64_t>(header_.start_us), live(2)};
  std::uint32_t ticket = oldest();
  for (std::size_t i = 0; i < header_.slots; ++i, ++ticket) {
    const auto line = line_of(ticket & Recorder::kTicketMask);
    if (!line || line->note != static_cast<std::uint32_t>(Note::clock)) continue;
    clock.upper = line->b - line->a;
    break;
  }
  return clock;
}

std::int64_t RecorderImage::Clock::time_of(const Recorder::Line& line,
                                           std::optional<std::uint32_t> next_lower) {
  if (line.note == static_cast<std::uint32_t>(Note::clock)) upper = line.b;
  std::uint64_t time = upper << 32 | line.time;
  if (time + kHalf < before) {
    // Written after the turn, by somebody who was quicker than the writer of the clock line.
    time += 2 * kHalf;
  } else if (next_lower && line.time > *next_lower && line.time - *next_lower > kHalf &&
             upper > 0) {
    // Looked at the clock before the turn, and wrote after the clock line.
    time -= 2 * kHalf;
  }
  before = time;
  return static_cast<std::int64_t>(time - static_cast<std::uint64_t>(start));
}

RecorderImage::Counts RecorderImage::count() const {
  Counts counts;
  for (std::size_t slot = 0; slot < slots_; ++slot) {
    const std::uint32_t ticket = word(layout::kSlots + slot * layout::kSlotBytes);
    if (ticket == 0 || line_at(slot)) continue;
    const bool here = (ticket & (header_.slots - 1)) == slot;
    ++(here ? counts.under_way : counts.damaged);
  }
  return counts;
}

}  // namespace chappe::sync
