#include "chappe/client/journal.h"

#include <algorithm>
#include <cstring>

#include "chappe/base/crc32.h"

namespace chappe::client {
namespace {

// docs/formats/submissions.md is the grammar.
constexpr std::uint32_t kMagic = 0x316a6863;  // "chj1"
constexpr std::uint8_t kHeader = 0x80;
constexpr std::size_t kKeyMax = SubmissionKey::capacity();

namespace at {
constexpr std::size_t kMagicWord = 0;
constexpr std::size_t kSerial = 4;
constexpr std::size_t kState = 8;
constexpr std::size_t kPriority = 9;
constexpr std::size_t kSent = 10;
constexpr std::size_t kWhy = 11;
constexpr std::size_t kPerhaps = 12;
constexpr std::size_t kAttempts = 13;
constexpr std::size_t kFrameSize = 14;
constexpr std::size_t kKeySize = 15;
constexpr std::size_t kBoot = 16;
constexpr std::size_t kOrder = 32;  // in the header: the generation
constexpr std::size_t kDue = 40;
constexpr std::size_t kEnded = 48;
constexpr std::size_t kKeyed = 56;
constexpr std::size_t kAirtime = 64;
constexpr std::size_t kWaited = 72;
constexpr std::size_t kKey = 80;
constexpr std::size_t kFrame = kKey + kKeyMax;
constexpr std::size_t kSum = Store::kRecord - 4;
static_assert(kFrame + mesh::kFrameMax <= kSum);
}  // namespace at

/// One record, little-endian.
class Record {
 public:
  std::span<std::uint8_t> bytes() { return bytes_; }
  Bytes view() const { return bytes_; }
  void put(std::size_t at, std::uint8_t byte) { bytes_[at] = byte; }
  std::uint8_t get(std::size_t at) const { return bytes_[at]; }
  void put32(std::size_t at, std::uint32_t word) {
    for (std::size_t i = 0; i < 4; ++i) bytes_[at + i] = static_cast<std::uint8_t>(word >> 8 * i);
  }
  std::uint32_t get32(std::size_t at) const { return le32(Bytes(bytes_).subspan(at)); }
  void put64(std::size_t at, std::uint64_t word) {
    put32(at, static_cast<std::uint32_t>(word));
    put32(at + 4, static_cast<std::uint32_t>(word >> 32));
  }
  std::uint64_t get64(std::size_t at) const {
    return get32(at) | std::uint64_t{get32(at + 4)} << 32;
  }
  void put_bytes(std::size_t at, Bytes from) { std::ranges::copy(from, bytes_.begin() + at); }
  Bytes get_bytes(std::size_t at, std::size_t size) const {
    return Bytes(bytes_).subspan(at, size);
  }

  void seal(std::uint32_t serial, const BootId& boot) {
    put32(at::kMagicWord, kMagic);
    put32(at::kSerial, serial);
    put_bytes(at::kBoot, boot);
    put32(at::kSum, crc32(Bytes(bytes_).first(at::kSum)));
  }
  bool is_whole() const {
    return get32(at::kMagicWord) == kMagic &&
           get32(at::kSum) == crc32(Bytes(bytes_).first(at::kSum));
  }
  bool is_blank() const {
    static constexpr std::array<std::uint8_t, Store::kRecord> kZeros{};
    return std::memcmp(bytes_.data(), kZeros.data(), kZeros.size()) == 0;
  }
  bool is_of(const BootId& boot) const {
    return std::ranges::equal(get_bytes(at::kBoot, boot.size()), boot);
  }

 private:
  std::array<std::uint8_t, Store::kRecord> bytes_{};
};

// The newer of two copies, whole or not at all.
enum class Read : std::uint8_t { nothing, whole, damaged };

Read read_newest(Store& store, std::size_t first, Record& newest) {
  Read result = Read::nothing;
  for (std::size_t copy = 0; copy < 2; ++copy) {
    Record record;
    if (!store.read(first + copy, record.bytes())) return Read::damaged;
    if (record.is_blank()) continue;
    if (!record.is_whole()) {
      // One copy damaged is a write that was cut: the other is what counts.
      if (result == Read::nothing) result = Read::damaged;
      continue;
    }
    // Serial numbers wrap: later is less than half the circle ahead.
    const auto ahead =
        static_cast<std::int32_t>(record.get32(at::kSerial) - newest.get32(at::kSerial));
    if (result != Read::whole || ahead > 0) newest = record;
    result = Read::whole;
  }
  return result;
}

Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

tx::Outcome perhaps() {
  return Unexpected(tx::Refused{tx::Why::stopped, tx::Stage::gate, kNever, true});
}

}  // namespace

Journal::Journal(std::unique_ptr<Store> store,
                 const BootId& boot,
                 Time now,
                 Fresh fresh,
                 std::uint32_t otherwise)
    : store_(std::move(store)), boot_(boot) {
  if (store_ != nullptr) load(now, fresh, otherwise);
}

void Journal::load(Time now, Fresh fresh, std::uint32_t otherwise) {
  Record header;
  const Read read = read_newest(*store_, 0, header);
  if (read == Read::whole && header.get(at::kState) == kHeader) {
    found_ = Found::intact;
    header_serial_ = header.get32(at::kSerial);
    generation_ = header.get32(at::kOrder) + 1;
  } else {
    found_ = read == Read::nothing ? Found::nothing : Found::damaged;
    // The first ever is 0. Whatever else is not known counts as a restart.
    const bool first_ever = found_ == Found::nothing && fresh == Fresh::yes;
    generation_ = first_ever ? 0 : otherwise;
  }
  for (std::size_t place = 0; place < kPlaces; ++place) load_place(place, now);
  write_header();
}

void Journal::load_place(std::size_t place, Time now) {
  Record record;
  if (read_newest(*store_, 2 + 2 * place, record) != Read::whole) return;
  const std::size_t key_size = record.get(at::kKeySize);
  const std::uint8_t state = record.get(at::kState);
  if (key_size > kKeyMax || state > static_cast<std::uint8_t>(State::ended)) return;
  if (record.get(at::kWhy) >= tx::kWhyCount) return;

  Entry& entry = entries_[place];
  entry.serial = record.get32(at::kSerial);
  entry.state = static_cast<State>(state);
  if (entry.state == State::free) return;
  const Bytes key = record.get_bytes(at::kKey, key_size);
  entry.key = SubmissionKey({reinterpret_cast<const char*>(key.data()), key.size()});
  entry.key_hash = crc32(key);
  entry.frame = mesh::FrameBytes(record.get_bytes(at::kFrame, record.get(at::kFrameSize)));
  entry.priority = record.get(at::kPriority);
  entry.due = at_us(static_cast<std::int64_t>(record.get64(at::kDue)));
  entry.order = record.get64(at::kOrder);
  entry.durable = true;
  last_order_ = std::max(last_order_, entry.order);
  const bool same_boot = record.is_of(boot_);
  if (entry.state == State::ended) {
    entry.ended = same_boot ? at_us(static_cast<std::int64_t>(record.get64(at::kEnded))) : now;
    if (record.get(at::kSent) != 0) {
      entry.outcome = tx::Sent{at_us(static_cast<std::int64_t>(record.get64(at::kKeyed))),
                               microseconds(static_cast<std::int64_t>(record.get64(at::kAirtime))),
                               record.get(at::kAttempts),
                               microseconds(static_cast<std::int64_t>(record.get64(at::kWaited))),
                               false};
    } else {
      entry.outcome = Unexpected(tx::Refused{static_cast<tx::Why>(record.get(at::kWhy)),
                                             tx::Stage::gate,
                                             kNever,
                                             record.get(at::kPerhaps) != 0});
    }
    return;
  }
  // Marked, it may have been on the air. Of another boot, its mark may not have reached the disk.
  if (entry.state == State::keying || !same_boot) close(entry, perhaps(), now);
}

void Journal::begin_generation(std::uint32_t generation) {
  generation_ = generation;
  write_header();
}

void Journal::write_header() {
  if (store_ == nullptr) return;
  Record record;
  record.put(at::kState, kHeader);
  record.put32(at::kOrder, generation_);
  record.seal(++header_serial_, boot_);
  static_cast<void>(store_->write(header_serial_ % 2, record.view()));
  static_cast<void>(store_->ask_sync());
}

Journal::Entry* Journal::find(std::string_view key) {
  const std::uint32_t hash = crc32(bytes_of(key));
  for (Entry& entry : entries_) {
    if (entry.state == State::free || entry.key_hash != hash) continue;
    if (entry.key.view() == key) return &entry;
  }
  return nullptr;
}

// A free place, or the one whose result is the oldest that may be forgotten.
Journal::Entry* Journal::take_place(Time now) {
  Entry* oldest = nullptr;
  for (Entry& entry : entries_) {
    if (entry.state == State::free) return &entry;
    if (entry.state != State::ended || entry.owner != nullptr) continue;
    const bool harmless = !entry.outcome && !entry.outcome.error().perhaps_sent;
    if (!harmless && now - entry.ended < kRemembered) continue;
    if (oldest == nullptr || entry.ended < oldest->ended) oldest = &entry;
  }
  return oldest;
}

Journal::Entry* Journal::accept(
    Entry* former, std::string_view key, Bytes frame, Time due, std::uint8_t priority, Time now) {
  Entry* const entry = former != nullptr ? former : take_place(now);
  if (entry == nullptr) return nullptr;
  entry->state = State::accepted;
  entry->key = SubmissionKey(key);
  entry->key_hash = crc32(bytes_of(key));
  entry->frame = mesh::FrameBytes(frame);
  entry->priority = priority;
  entry->handed_over = false;
  entry->durable = false;
  entry->due = due;
  entry->order = ++last_order_;
  entry->id = 0;
  write(*entry);
  entry->sync = store_ != nullptr ? store_->ask_sync() : 0;
  return entry;
}

void Journal::mark_keying(Entry& entry) {
  if (entry.state != State::accepted) return;  // a second attempt
  entry.state = State::keying;
  write(entry);
}

void Journal::close(Entry& entry, const tx::Outcome& outcome, Time now) {
  entry.state = State::ended;
  entry.outcome = outcome;
  entry.ended = now;
  write(entry);
}

void Journal::write(Entry& entry) {
  if (store_ == nullptr) return;
  Record record;
  record.put(at::kState, static_cast<std::uint8_t>(entry.state));
  record.put(at::kPriority, entry.priority);
  record.put(at::kFrameSize, static_cast<std::uint8_t>(entry.frame.size()));
  record.put(at::kKeySize, static_cast<std::uint8_t>(entry.key.size()));
  record.put64(at::kOrder, entry.order);
  record.put64(at::kDue, static_cast<std::uint64_t>(in_us(entry.due)));
  record.put_bytes(at::kKey, bytes_of(entry.key.view()));
  record.put_bytes(at::kFrame, entry.frame.view());
  if (entry.state == State::ended) {
    record.put64(at::kEnded, static_cast<std::uint64_t>(in_us(entry.ended)));
    if (entry.outcome) {
      record.put(at::kSent, 1);
      record.put(at::kAttempts, entry.outcome->attempts);
      record.put64(at::kKeyed, static_cast<std::uint64_t>(in_us(entry.outcome->at)));
      record.put64(at::kAirtime, static_cast<std::uint64_t>(in_us(entry.outcome->airtime)));
      record.put64(at::kWaited, static_cast<std::uint64_t>(in_us(entry.outcome->waited)));
    } else {
      record.put(at::kWhy, static_cast<std::uint8_t>(entry.outcome.error().why));
      record.put(at::kPerhaps, entry.outcome.error().perhaps_sent ? 1 : 0);
    }
  }
  record.seal(++entry.serial, boot_);
  const std::size_t place = static_cast<std::size_t>(&entry - entries_.data());
  static_cast<void>(store_->write(2 + 2 * place + entry.serial % 2, record.view()));
}

Journal::Entry* Journal::next_to_resume() {
  Entry* first = nullptr;
  for (Entry& entry : entries_) {
    if (entry.state != State::accepted || entry.handed_over || !entry.durable) continue;
    if (first == nullptr || entry.order < first->order) first = &entry;
  }
  return first;
}

}  // namespace chappe::client
