#pragma once

#include <array>
#include <cstdint>

namespace chappe {

/// What the flight recorder can hold. The numbers are part of its file format
/// (docs/formats/recorder.md): new ones go to the end, none is used again.
enum class Note : std::uint16_t {
  clock = 1,
  start = 2,
  end = 3,
  panic = 4,
  watchdog = 5,
  lock_contended = 6,
  lock_held_long = 7,
  refused = 8,
  paid = 9,
  kick = 10,
  wedge = 11,
  anomaly = 12,
  slow_step = 13,
  transmit_start = 14,
  transmit_end = 15,
  receive = 16,
  radio_recovery = 17,
};

/// How a note is shown: its name, and what its two numbers are. A number called `name` is one that
/// note_name() gave; a `+` before it says that it may be negative; an empty one is not used.
struct NoteKind {
  Note id;
  const char* name;
  const char* a;
  const char* b;
};

inline constexpr std::array<NoteKind, 17> kNoteKinds{{
    {Note::clock, "clock", "", ""},
    {Note::start, "start", "", "pid"},
    {Note::end, "end", "", ""},
    {Note::panic, "panic", "code", "number"},
    {Note::watchdog, "watchdog", "step", "silent_ms"},
    {Note::lock_contended, "lock_contended", "name", "rank"},
    {Note::lock_held_long, "lock_held_long", "name", "held_ms"},
    {Note::refused, "refused", "lane", "amount"},
    {Note::paid, "paid", "lane", "amount"},
    {Note::kick, "kick", "", ""},
    {Note::wedge, "wedge", "pending", "confirmed"},
    {Note::anomaly, "anomaly", "kind", "count"},
    {Note::slow_step, "slow_step", "name", "us"},
    {Note::transmit_start, "transmit_start", "bytes", "airtime_us"},
    {Note::transmit_end, "transmit_end", "outcome", "airtime_us"},
    {Note::receive, "receive", "bytes", "+rssi_quarter_dbm"},
    {Note::radio_recovery, "radio_recovery", "stage", "count"},
}};

constexpr const NoteKind* note_kind(std::uint32_t id) {
  for (const NoteKind& kind : kNoteKinds) {
    if (static_cast<std::uint32_t>(kind.id) == id) return &kind;
  }
  return nullptr;
}

/// Leaves one line in the flight recorder, if there is one: about 30 instructions and a look at the
/// clock. `a` above 65,535 is kept as 65,535.
///
/// Contract of note: context any; sleeps never; locks none; timers none; wakes none; touches
/// Recorder::current; calls Recorder::write.
void note(Note what, std::uint32_t a = 0, std::uint32_t b = 0) noexcept;

/// A number that the recorder's reader shows as these words; 0, "?", when its table is full. The
/// words must live for ever: a literal, the name of a lock class or of a task.
/// Contract of note_name: context any; sleeps never; locks none; timers none; wakes none; touches
/// RecorderMemory::current, RecorderMemory::name.
std::uint32_t note_name(const char* words) noexcept;

}  // namespace chappe
