#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "chappe/base/note.h"
#include "chappe/sync/shared_state.h"

namespace chappe::sync {

class Agent;

/// Where a line was written, as its number in the format; outside is an interrupt, the executor
/// itself, or a thread that has not said who it is.
enum class RunsIn : std::uint8_t { outside = 0, task = 1, timer = 2, worker = 3 };
RunsIn runs_in(const Agent* agent) noexcept;

/// One line of the flight recorder: 16 bytes.
struct RecorderSlot {
  static constexpr SharedState kSeqState{
      .name = "RecorderSlot::seq",
      .purpose = "the ticket of the line, 0 for none; with the top bit while it is written",
      .writers = Who::any,
      .readers = Who::any | Who::process,
      .protection = "claimed by compare-exchange from an older ticket; published by its claimer",
      .orders = Orders::acquire | Orders::release | Orders::relaxed};
  SharedWord<std::uint32_t, kSeqState> seq{0};
  static constexpr SharedState kTimeState{
      .name = "RecorderSlot::time",
      .purpose = "the clock's lower 32 bits, in microseconds",
      .writers = Who::any,
      .readers = Who::any | Who::process,
      .protection = "written by the claimer of RecorderSlot::seq; a reader looks at that twice",
      .orders = Orders::acquire | Orders::release};
  SharedWord<std::uint32_t, kTimeState> time{0};
  static constexpr SharedState kWhatState{
      .name = "RecorderSlot::what",
      .purpose = "note (12 bits), context (4 bits), its first number (16 bits)",
      .writers = Who::any,
      .readers = Who::any | Who::process,
      .protection = "written by the claimer of RecorderSlot::seq; a reader looks at that twice",
      .orders = Orders::acquire | Orders::release};
  SharedWord<std::uint32_t, kWhatState> what{0};
  static constexpr SharedState kBState{
      .name = "RecorderSlot::b",
      .purpose = "the note's second number",
      .writers = Who::any,
      .readers = Who::any | Who::process,
      .protection = "written by the claimer of RecorderSlot::seq; a reader looks at that twice",
      .orders = Orders::acquire | Orders::release};
  SharedWord<std::uint32_t, kBState> b{0};
};

/// The recorder's own counts, beside its slots in the same memory.
struct RecorderLive {
  explicit RecorderLive(std::uint64_t now_us = 0)
      : epoch(static_cast<std::uint32_t>(now_us >> 32)) {}

  static constexpr SharedState kNextState{.name = "RecorderLive::next",
                                          .purpose = "the next ticket",
                                          .writers = Who::any,
                                          .readers = Who::any | Who::process,
                                          .protection = "one word: each ticket is drawn once",
                                          .orders = Orders::relaxed};
  SharedWord<std::uint32_t, kNextState> next{1};
  static constexpr SharedState kDroppedState{
      .name = "RecorderLive::dropped",
      .purpose = "lines given up because their slot was taken",
      .writers = Who::any,
      .readers = Who::any | Who::process,
      .protection = "a count; nothing is decided by it",
      .orders = Orders::relaxed};
  SharedWord<std::uint32_t, kDroppedState> dropped{0};
  static constexpr SharedState kEpochState{
      .name = "RecorderLive::epoch",
      .purpose = "the clock's upper 32 bits at the last line",
      .writers = Who::any,
      .readers = Who::any | Who::process,
      .protection = "one word: whoever moves it on writes the clock line",
      .orders = Orders::relaxed};
  SharedWord<std::uint32_t, kEpochState> epoch;

  enum State : std::uint32_t { running = 0, ended = 1, panicked = 2 };
  static constexpr SharedState kStateState{
      .name = "RecorderLive::state",
      .purpose = "running, ended in good order, or frozen by a panic",
      .writers = Who::any,
      .readers = Who::any | Who::process,
      .protection = "leaves running once; a line under way at that moment is still finished",
      .orders = Orders::relaxed};
  SharedWord<std::uint32_t, kStateState> state{running};
};

/// The flight recorder: a ring of lines in memory that outlives whoever writes them (retained RAM,
/// a shared file mapping). Written from any context, never waits: a ticket, a claim, three stores.
///
/// Invariant: what a reader gets for a ticket is what was written for that ticket, whole. A writer
/// claims its slot from an older ticket only; one that was lapped meanwhile, or finds the slot
/// being written, gives its line up and counts it. The fields are stored with release, so whoever
/// sees one of them also sees the claim, and a reader that looks at the ticket before and after
/// knows. Context: any. Memory: none of its own; the number of slots is a power of two.
class Recorder {
 public:
  using Clock = std::uint64_t (*)() noexcept;  // microseconds; from any context

  Recorder(std::span<RecorderSlot> slots, RecorderLive& live, Clock clock)
      : slots_(slots), live_(live), clock_(clock) {}

  /// Contract of Recorder::write: context any; sleeps never; locks none; timers none; wakes none;
  /// touches RecorderLive::state, RecorderLive::epoch, RecorderLive::next, RecorderLive::dropped,
  /// RecorderSlot::seq, RecorderSlot::time, RecorderSlot::what, RecorderSlot::b.
  void write(Note what, std::uint32_t a, std::uint32_t b) noexcept;

  /// Nothing is written any more. Only the first call says why.
  void freeze(RecorderLive::State why) noexcept;

  struct Line {
    std::uint32_t ticket;
    std::uint32_t time;  // lower 32 bits, in microseconds
    std::uint32_t note;
    std::uint32_t context;
    std::uint32_t a;
    std::uint32_t b;
  };
  /// The line in a slot; nothing if there is none, or it is being written at this moment.
  std::optional<Line> read(std::size_t slot) const noexcept;

  std::uint32_t dropped_count() const { return live_.dropped.load(Order::relaxed); }

  static constexpr std::uint32_t kBusy = 0x80000000;
  static constexpr std::uint32_t kTicketMask = kBusy - 1;

  /// What the words of a slot say.
  static constexpr Line line_of(std::uint32_t ticket,
                                std::uint32_t time,
                                std::uint32_t what,
                                std::uint32_t b) {
    return {ticket, time, what & 0xfff, what >> 12 & 0xf, what >> 16, b};
  }
  /// Whether ticket `a` was drawn after ticket `b`, fewer than 2^30 tickets away.
  static constexpr bool later(std::uint32_t a, std::uint32_t b) {
    return static_cast<std::int32_t>((a - b) << 1) > 0;
  }

 private:
  void put(Note what, std::uint32_t a, std::uint32_t b, std::uint32_t time) noexcept;

  const std::span<RecorderSlot> slots_;
  RecorderLive& live_;
  const Clock clock_;
};

/// From now on note() writes there; null: nowhere. The recorder must live until the process ends,
/// or until nobody can be in note() any more. Context: start.
void set_recorder(Recorder* recorder) noexcept;
Recorder* current_recorder() noexcept;

}  // namespace chappe::sync
