// The flight recorder, its own code down to the words: what a reader gets was written like that.

#include "chappe/sync/recorder.h"

#include <array>

#include "chappe/explore/exploration.h"
#include "chappe/sync/worker.h"

namespace chappe {
namespace {

// Every line of a test has the same number in all its fields, so that a torn one shows.
std::uint64_t number_of_writer() noexcept {
  return static_cast<std::uint64_t>(sync::Agent::running()->name()[0] - '0');
}

template <std::size_t kSlots>
struct Tape {
  std::array<sync::RecorderSlot, kSlots> slots;
  sync::RecorderLive live;
  sync::Recorder recorder{slots, live, &number_of_writer};

  void write(const char* number) {
    sync::Worker me(number);
    const auto n = static_cast<std::uint32_t>(number[0] - '0');
    recorder.write(Note::refused, n, n);
  }
};

void check_whole(explore::World& x, const sync::Recorder::Line& line, std::uint32_t last) {
  x.expect(line.a == line.b && line.b == line.time, "a line is read as it was written");
  x.expect(line.a >= 1 && line.a <= last, "somebody wrote it");
}

}  // namespace

// One slot, so that each line laps the one before.
CHAPPE_EXPLORE(recorder_two_writers_lapping_and_a_reader) {
  auto& tape = x.make<Tape<1>>("tape");
  auto& read = x.make<int>("read", 0);
  for (const char* const name : {"1", "2"}) {
    x.worker(name, [&, name] { tape.write(name); });
  }
  x.worker("reader", [&] {
    if (const auto line = tape.recorder.read(0)) {
      check_whole(x, *line, 2);
      read = 1;
    }
  });
  x.finally([&] {
    const auto line = tape.recorder.read(0);
    x.expect(line.has_value(), "whoever claimed the slot has finished with it");
    check_whole(x, *line, 2);
    x.expect(tape.recorder.dropped_count() <= 1, "of two, one is written at least");
    x.possible(read == 1, "the reader finds a line");
    x.possible(tape.recorder.dropped_count() == 1, "a writer finds the slot taken");
    x.possible(tape.recorder.dropped_count() == 0, "a line laps another");
  });
}

CHAPPE_EXPLORE(recorder_one_writer_laps_itself_and_another) {
  auto& tape = x.make<Tape<1>>("tape");
  x.worker("1", [&] {
    tape.write("1");
    tape.write("2");
  });
  x.worker("3", [&] { tape.write("3"); });
  x.finally([&] {
    const auto line = tape.recorder.read(0);
    x.expect(line.has_value(), "whoever claimed the slot has finished with it");
    check_whole(x, *line, 3);
    x.possible(line->ticket == 1, "both later lines found the slot taken");
  });
}

CHAPPE_EXPLORE(recorder_a_writer_laps_itself_beside_a_reader) {
  auto& tape = x.make<Tape<1>>("tape");
  x.worker("1", [&] {
    tape.write("1");
    tape.write("2");
  });
  x.worker("reader", [&] {
    for (int i = 0; i < 2; ++i) {
      const auto line = tape.recorder.read(0);
      if (!line) continue;
      check_whole(x, *line, 2);
      x.expect(line->ticket == line->a, "the ticket is the line's");
    }
  });
}

CHAPPE_EXPLORE(recorder_a_handler_writes_into_its_hosts_line) {
  auto& tape = x.make<Tape<1>>("tape");
  x.task("1", [&] {
    tape.write("1");
    tape.write("3");
  });
  x.interrupt("2", 1, [&] { tape.write("2"); });
  x.worker("reader", [&] {
    if (const auto line = tape.recorder.read(0)) check_whole(x, *line, 3);
  });
  x.finally([&] {
    const auto line = tape.recorder.read(0);
    x.expect(line.has_value(), "whoever claimed the slot has finished with it");
    check_whole(x, *line, 3);
  });
}

}  // namespace chappe
