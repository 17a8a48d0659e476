#include "chappe/sync/recorder.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "chappe/sync/recorder_image.h"
#include "chappe/sync/recorder_memory.h"
#include "chappe/sync/worker.h"

namespace chappe::sync {
namespace {

std::uint64_t clock_us = 0;
std::uint64_t test_clock() noexcept {
  return clock_us;
}

template <std::size_t N>
struct Ring {
  std::array<RecorderSlot, N> slots;
  RecorderLive live;
  Recorder recorder{slots, live, &test_clock};
};

/// A recorder's memory, as a run leaves it.
class Memory {
 public:
  explicit Memory(std::size_t slots, std::uint64_t now = 1000)
      : bytes_(recorder_layout::bytes_for(slots)) {
    clock_us = now;
    memory_.emplace(
        std::span(bytes_), slots, RecorderMemory::Run{5'000'000, 42, "chappe 1.2"}, &test_clock);
  }
  RecorderMemory* operator->() { return &*memory_; }
  void write_at(std::uint64_t now, Note what, std::uint32_t a = 0, std::uint32_t b = 0) {
    clock_us = now;
    memory_->recorder().write(what, a, b);
  }
  std::vector<std::uint8_t> copy() const {
    const auto* const from = reinterpret_cast<const std::uint8_t*>(bytes_.data());
    return {from, from + bytes_.size()};
  }

 private:
  std::vector<std::byte> bytes_;
  std::optional<RecorderMemory> memory_;
};

std::vector<RecorderImage::Entry> entries(const RecorderImage& image) {
  std::vector<RecorderImage::Entry> all;
  image.for_each([&](const RecorderImage::Entry& entry) { all.push_back(entry); });
  return all;
}

TEST(Recorder, ALineIsReadAsItWasWritten) {
  Ring<8> ring;
  clock_us = 77;
  ring.recorder.write(Note::wedge, 3, 900'000);
  const auto line = ring.recorder.read(1);
  ASSERT_TRUE(line);
  EXPECT_EQ(line->ticket, 1u);
  EXPECT_EQ(line->time, 77u);
  EXPECT_EQ(line->note, static_cast<std::uint32_t>(Note::wedge));
  EXPECT_EQ(line->context, 0u);
  EXPECT_EQ(line->a, 3u);
  EXPECT_EQ(line->b, 900'000u);
  EXPECT_FALSE(ring.recorder.read(0));
}

TEST(Recorder, ALineSaysWhoRanAndKeepsWhatFitsOfItsFirstNumber) {
  Ring<8> ring;
  Worker worker("disk");
  ring.recorder.write(Note::anomaly, 70'000, 0);
  EXPECT_EQ(ring.recorder.read(1)->context, static_cast<std::uint32_t>(RunsIn::worker));
  EXPECT_EQ(ring.recorder.read(1)->a, 0xffffu);
}

TEST(Recorder, TheOldestLineGivesWayToTheNewest) {
  Ring<4> ring;
  for (std::uint32_t i = 1; i <= 6; ++i) ring.recorder.write(Note::kick, 0, i);
  EXPECT_EQ(ring.recorder.read(1)->b, 5u);
  EXPECT_EQ(ring.recorder.read(2)->b, 6u);
  EXPECT_EQ(ring.recorder.read(3)->b, 3u);
  EXPECT_EQ(ring.recorder.read(0)->b, 4u);
  EXPECT_EQ(ring.recorder.dropped_count(), 0u);
}

TEST(Recorder, AWriterThatWasLappedGivesItsLineUpAndCountsIt) {
  Ring<4> ring;
  // Somebody else has written the ticket one lap ahead of ours before we came to our slot.
  ring.slots[1].seq.store(5, Order::release);
  ring.slots[1].b.store(55, Order::release);
  ring.recorder.write(Note::kick, 0, 11);
  EXPECT_EQ(ring.recorder.dropped_count(), 1u);
  EXPECT_EQ(ring.recorder.read(1)->ticket, 5u);
  EXPECT_EQ(ring.recorder.read(1)->b, 55u);
}

TEST(Recorder, AWriterNeverWaitsForASlotThatIsBeingWritten) {
  Ring<4> ring;
  ring.slots[1].seq.store(Recorder::kBusy | 1,
                          Order::release);  // whoever it was, it was interrupted
  ring.live.next.store(5, Order::relaxed);
  ring.recorder.write(Note::kick, 0, 11);
  EXPECT_EQ(ring.recorder.dropped_count(), 1u);
  EXPECT_FALSE(ring.recorder.read(1)) << "not whole";
  ring.recorder.write(Note::kick, 0, 12);
  EXPECT_EQ(ring.recorder.read(2)->b, 12u) << "the others go on";
}

TEST(Recorder, TicketsBeginAnewAndTheRingGoesOn) {
  Ring<4> ring;
  ring.live.next.store(Recorder::kTicketMask - 1, Order::relaxed);
  for (std::uint32_t i = 0; i < 8; ++i) ring.recorder.write(Note::kick, 0, i);
  EXPECT_EQ(ring.recorder.dropped_count(), 0u);
  EXPECT_EQ(ring.recorder.read(3)->b, 5u);
}

TEST(Recorder, AFrozenRecorderKeepsWhatItHas) {
  Ring<4> ring;
  ring.recorder.write(Note::kick, 0, 1);
  ring.recorder.freeze(RecorderLive::panicked);
  ring.recorder.freeze(RecorderLive::ended);
  ring.recorder.write(Note::kick, 0, 2);
  EXPECT_FALSE(ring.recorder.read(2));
  EXPECT_EQ(ring.live.state.load(Order::relaxed), RecorderLive::panicked) << "the first reason";
}

TEST(Recorder, NoLineIsEverTornHoweverManyWrite) {
  // Few slots: every writer is lapped now and then, and the reader meets lines under way.
  Ring<4> ring;
  const int rounds = std::getenv("CHAPPE_SOAK") != nullptr ? 20'000'000 : 100'000;
  constexpr std::uint32_t kWriters = 3;
  std::atomic<std::uint32_t> writing{kWriters};
  std::vector<std::thread> writers;
  for (std::uint32_t id = 0; id < kWriters; ++id) {
    writers.emplace_back([&, id] {
      for (int i = 0; i < rounds; ++i) {
        const auto b = static_cast<std::uint32_t>(i) * kWriters + id;
        ring.recorder.write(Note::kick, b * 2654435761u >> 17, b);
      }
      --writing;
    });
  }
  std::uint64_t seen = 0;
  std::array<std::uint32_t, 4> last{};
  while (writing > 0 && !HasFailure()) {
    for (std::size_t slot = 0; slot < 4; ++slot) {
      const auto line = ring.recorder.read(slot);
      if (!line) continue;
      ++seen;
      EXPECT_EQ(line->a, line->b * 2654435761u >> 17);
      EXPECT_EQ(line->ticket % 4, slot);
      EXPECT_FALSE(last[slot] != 0 && Recorder::later(last[slot], line->ticket)) << "an older line";
      last[slot] = line->ticket;
    }
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_GT(seen, 0u);
  EXPECT_EQ(ring.live.next.load(Order::relaxed), kWriters * static_cast<unsigned>(rounds) + 1);
}

TEST(RecorderImage, TellsTheSequenceWithNamesAndTimes) {
  Memory memory(8);
  memory->install();
  const std::uint32_t bus = note_name("sensor bus");
  const std::uint32_t line = note_name("tx line");
  EXPECT_EQ(note_name("?") + note_name("?"), 6u);
  memory.write_at(1500, Note::lock_contended, bus, 10);
  memory.write_at(2500, Note::transmit_start, 60, 111'000);
  const auto copy = memory.copy();
  const auto image = RecorderImage::open(copy);
  ASSERT_TRUE(image);
  EXPECT_STREQ(image->header().program.data(), "chappe 1.2");
  EXPECT_EQ(image->header().process, 42u);
  EXPECT_EQ(image->header().start_unix_us, 5'000'000u);
  EXPECT_EQ(image->name(bus), "sensor bus");
  EXPECT_EQ(image->name(line), "tx line");
  EXPECT_EQ(image->name(0), "?");
  EXPECT_EQ(image->name(9999), "?");
  const auto all = entries(*image);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].after_start_us, 500);
  EXPECT_EQ(all[0].note, static_cast<std::uint32_t>(Note::lock_contended));
  EXPECT_EQ(all[1].after_start_us, 1500);
  EXPECT_EQ(all[1].b, 111'000u);
  EXPECT_EQ(image->state(), RecorderLive::running);
}

TEST(RecorderImage, KnowsTheTimeAfterTheLowerHalfBeganAnewAndWithTheClockLineLost) {
  constexpr std::uint64_t kTurn = 1ull << 32;
  Memory memory(8, 3 * kTurn - 100);
  memory.write_at(3 * kTurn - 50, Note::kick, 0, 1);
  memory.write_at(3 * kTurn + 50, Note::kick, 0, 2);
  memory.write_at(3 * kTurn + kTurn - 5, Note::kick, 0, 3);  // an hour of silence is a long time
  memory.write_at(6 * kTurn + 7, Note::kick, 0, 4);
  const auto copy = memory.copy();
  auto all = entries(*RecorderImage::open(copy));
  ASSERT_EQ(all.size(), 6u) << "four lines and two of the clock";
  EXPECT_EQ(all[0].after_start_us, 50);
  EXPECT_EQ(all[2].after_start_us, 150);
  EXPECT_EQ(all[3].after_start_us, static_cast<std::int64_t>(kTurn) + 95);
  EXPECT_EQ(all[5].after_start_us, static_cast<std::int64_t>(3 * kTurn) + 107);
  for (int i = 0; i < 8; ++i) memory.write_at(6 * kTurn + 8, Note::kick);
  const auto later = memory.copy();
  for (const auto& entry : entries(*RecorderImage::open(later))) {
    EXPECT_EQ(entry.after_start_us, static_cast<std::int64_t>(3 * kTurn) + 108);
  }
}

TEST(RecorderImage, LeavesOutALineThatWasBeingWrittenAndSaysSo) {
  Memory memory(8);
  for (int i = 0; i < 4; ++i) memory.write_at(1000, Note::kick);
  const auto first = memory.copy();
  for (int i = 0; i < 6; ++i) memory.write_at(2000, Note::kick);  // slots 5 to 7, 0, 1, 2
  const auto second = memory.copy();
  std::size_t lines = 0;
  const auto image = RecorderImage::open(first, second);
  const auto counts = image->for_each([&](const auto&) { ++lines; });
  EXPECT_EQ(lines, 2u) << "3 and 4 stand in both";
  EXPECT_EQ(counts.under_way, 2u);
}

TEST(RecorderImage, SaysWhatIsWrongWithAFile) {
  Memory memory(8);
  memory.write_at(1000, Note::kick);
  auto copy = memory.copy();
  EXPECT_EQ(RecorderImage::open(Bytes(copy).first(3)).error(), ImageProblem::too_short);
  EXPECT_EQ(RecorderImage::open(Bytes(copy).first(200)).error(), ImageProblem::too_short);
  const auto damaged = [&](std::size_t at) {
    auto bytes = copy;
    bytes[at] ^= 0x02;
    return bytes;
  };
  EXPECT_EQ(RecorderImage::open(damaged(0)).error(), ImageProblem::not_a_recorder);
  EXPECT_EQ(RecorderImage::open(damaged(12)).error(), ImageProblem::header_damaged);
  const auto cut = Bytes(copy).first(recorder_layout::kSlots + 3 * recorder_layout::kSlotBytes);
  EXPECT_EQ(RecorderImage::open(cut)->missing_slots(), 5u);
  EXPECT_EQ(entries(*RecorderImage::open(cut)).size(), 1u);
  EXPECT_EQ(RecorderImage::open(damaged(recorder_layout::kSlots + 16))
                ->for_each([](const auto&) {})
                .damaged,
            1u);
}

TEST(RecorderImage, ReadsAnyBytesWithoutHarm) {
  Memory memory(8);
  for (int i = 0; i < 30; ++i)
    memory.write_at(1000 + static_cast<unsigned>(i), Note::receive, 9, 9);
  const auto good = memory.copy();
  std::uint32_t state = 1;
  for (int round = 0; round < 3000; ++round) {
    auto copy = good;
    for (int i = 0; i < 8; ++i) {
      state = state * 1664525 + 1013904223;
      // Anywhere behind the header, which has a checksum.
      const std::size_t at = 128 + (state >> 8) % (copy.size() - 128);
      copy[at] = static_cast<std::uint8_t>(state >> 4);
    }
    const auto image = RecorderImage::open(copy);
    ASSERT_TRUE(image);
    const auto counts = image->for_each([&](const auto& entry) { (void)image->name(entry.a); });
    EXPECT_LE(counts.lines, 8u);
    if (const auto panic = image->panic()) {
      for (const auto& held : panic->record.held) (void)panic->words(held.lock);
    }
  }
}

TEST(RecorderMemory, WithoutOneANoteGoesNowhere) {
  note(Note::kick);
  EXPECT_EQ(note_name("nobody"), 0u);
  {
    Memory memory(8);
    memory->install();
    note(Note::kick);
    EXPECT_TRUE(memory->recorder().read(1));
  }
  EXPECT_EQ(current_recorder(), nullptr) << "who goes takes its recorder along";
}

TEST(RecorderMemory, ItsTableOfNamesIsBounded) {
  Memory memory(8);
  memory->install();
  std::array<char[8], recorder_layout::kNameCount + 1> names{};
  for (auto& name : names) std::strcpy(name, "x");
  for (std::size_t i = 0; i < recorder_layout::kNameCount; ++i) {
    EXPECT_EQ(note_name(names[i]), i + 1);
  }
  EXPECT_EQ(note_name(names.back()), 0u);
  EXPECT_EQ(note_name(names[3]), 4u);
}

TEST(RecorderMemory, AnEndInGoodOrderIsTheLastLine) {
  Memory memory(8);
  memory->end();
  memory.write_at(2000, Note::kick);
  const auto copy = memory.copy();
  const auto image = RecorderImage::open(copy);
  EXPECT_EQ(image->state(), RecorderLive::ended);
  EXPECT_EQ(entries(*image).back().note, static_cast<std::uint32_t>(Note::end));
}

}  // namespace
}  // namespace chappe::sync
