#include "chappe/sync/recorder_memory.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

#include "chappe/base/check.h"
#include "chappe/base/crc32.h"

namespace chappe::sync {
namespace {

namespace layout = recorder_layout;

static_assert(sizeof(RecorderSlot) == layout::kSlotBytes);
static_assert(sizeof(RecorderLive) == 16);
static_assert(std::endian::native == std::endian::little, "the format is little-endian");

constexpr SharedState kCurrentState{
    .name = "RecorderMemory::current",
    .purpose = "where a panic writes its record",
    .writers = Who::start,
    .readers = Who::any,
    .protection = "set before anybody else runs, and once more when nobody does",
    .orders = Orders::acquire | Orders::release | Orders::relaxed};
constinit SharedWord<RecorderMemory*, kCurrentState> current{nullptr};

template <std::size_t N>
std::uint32_t fill(std::array<char, N>& out, std::string_view words) {
  out.fill('\0');
  std::copy_n(words.begin(), std::min(words.size(), N - 1), out.begin());
  return crc32({reinterpret_cast<const std::uint8_t*>(out.data()), N});
}

std::byte* begin_header(std::span<std::byte> memory,
                        std::size_t slots,
                        const RecorderMemory::Run& run,
                        std::uint64_t now) {
  CHAPPE_CHECK(std::has_single_bit(slots));
  CHAPPE_CHECK(slots <= layout::kSlotsMost);
  CHAPPE_CHECK(memory.size() >= layout::bytes_for(slots));
  CHAPPE_CHECK(reinterpret_cast<std::uintptr_t>(memory.data()) % 8 == 0);
  // Everything before the slots; those are constructed one by one.
  std::memset(memory.data(), 0, layout::kSlots);
  RecorderHeader header{};
  header.magic = RecorderHeader::kMagic;
  header.version = RecorderHeader::kVersion;
  header.slots = static_cast<std::uint32_t>(slots);
  header.start_unix_us = run.unix_us;
  header.start_us = now;
  header.process = run.process;
  header.build = fill(header.program, run.program);
  header.crc =
      crc32({reinterpret_cast<const std::uint8_t*>(&header), offsetof(RecorderHeader, crc)});
  std::memcpy(memory.data(), &header, sizeof header);
  return memory.data();
}

std::span<RecorderSlot> begin_slots(std::span<std::byte> memory, std::size_t slots) {
  auto* const first = reinterpret_cast<RecorderSlot*>(memory.data() + layout::kSlots);
  for (std::size_t i = 0; i < slots; ++i) ::new (first + i) RecorderSlot();
  return {first, slots};
}

}  // namespace

RecorderMemory::RecorderMemory(std::span<std::byte> memory,
                               std::size_t slots,
                               const Run& run,
                               Recorder::Clock clock)
    : clock_(clock),
      start_us_(clock()),
      build_(reinterpret_cast<const RecorderHeader*>(begin_header(memory, slots, run, start_us_))
                 ->build),
      panic_(*::new(memory.data() + layout::kPanic) PanicArea()),
      names_(reinterpret_cast<char*>(memory.data() + layout::kNames)),
      recorder_(begin_slots(memory, slots),
                *::new(memory.data() + layout::kLive) RecorderLive(start_us_),
                clock) {}

RecorderMemory::~RecorderMemory() {
  if (current.load(Order::relaxed) != this) return;
  current.store(nullptr, Order::release);
  set_recorder(nullptr);
}

void RecorderMemory::install() noexcept {
  current.store(this, Order::release);
  set_recorder(&recorder_);
}

void RecorderMemory::end() noexcept {
  recorder_.write(Note::end, 0, 0);
  recorder_.freeze(RecorderLive::ended);
}

std::uint32_t intern(RecorderMemory& memory, const char* words) noexcept {
  for (std::size_t i = 0; i < layout::kNameCount; ++i) {
    RecorderMemory::NameWord& place = memory.interned_[i].words;
    const char* seen = place.load(Order::relaxed);
    if (seen == nullptr && place.compare_exchange(seen, words, Order::relaxed, Order::relaxed)) {
      char* const text = memory.names_ + i * layout::kNameBytes;
      for (std::size_t k = 0; k + 1 < layout::kNameBytes && words[k] != 0; ++k) text[k] = words[k];
      seen = words;
    }
    if (seen == words) return static_cast<std::uint32_t>(i + 1);
  }
  return 0;
}

void record_panic(std::string_view what, Site site, const PanicCause& cause) noexcept {
  RecorderMemory* const memory = current.load(Order::acquire);
  if (memory == nullptr) return;
  const std::uint64_t uptime = memory->clock_() - memory->start_us_;
  write_panic(memory->panic_, what, site, cause, uptime, memory->build_);
}

}  // namespace chappe::sync

namespace chappe {

std::uint32_t note_name(const char* words) noexcept {
  sync::RecorderMemory* const memory = sync::current.load(sync::Order::acquire);
  return memory == nullptr ? 0 : sync::intern(*memory, words);
}

}  // namespace chappe
