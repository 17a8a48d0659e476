#include "chappe/tx/record.h"

#include <algorithm>

#include "chappe/base/crc32.h"

namespace chappe::tx {
namespace {

constexpr std::array<std::uint8_t, 8> kMagic = {'c', 'h', 'a', 'p', 'p', 'e', 'A', '1'};

void append_le64(RecordBytes& out, std::int64_t word) {
  out.append_le32(static_cast<std::uint32_t>(word));
  out.append_le32(static_cast<std::uint32_t>(static_cast<std::uint64_t>(word) >> 32));
}

/// Reads fields in order. Requires that they are there.
class Fields {
 public:
  explicit Fields(Bytes bytes) : rest_(bytes) {}

  Bytes take(std::size_t count) {
    const Bytes taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }
  template <std::size_t kCount>
  std::array<std::uint8_t, kCount> array() {
    std::array<std::uint8_t, kCount> out{};
    std::ranges::copy(take(kCount), out.begin());
    return out;
  }
  std::uint32_t word32() { return le32(take(4)); }
  std::uint16_t word16() { return le16(take(2)); }
  std::int64_t word64() {
    const std::uint64_t low = word32();
    return static_cast<std::int64_t>(low | std::uint64_t{word32()} << 32);
  }

 private:
  Bytes rest_;
};

// A checksum is right by accident once in four thousand million times, and a defect of ours is not
// found by it at all: what is read must make sense.
bool makes_sense(const Record& record) {
  if (record.window < Duration::zero() || record.promised < Duration::zero()) return false;
  Time end = Time::min();
  for (const Block& block : record.history()) {
    if (block.start < end || block.end <= block.start) return false;
    end = block.end;
  }
  return true;
}

}  // namespace

RecordBytes encode(const Record& record) {
  RecordBytes out;
  out.append(kMagic);
  out.append_le32(record.sequence);
  out.append(record.owner);
  out.append(record.written.boot);
  append_le64(out, in_us(record.written.now));
  append_le64(out, record.written.wall_us);
  out.append(static_cast<std::uint8_t>(record.written.wall_is_set));
  append_le64(out, in_us(record.window));
  append_le64(out, in_us(record.promised));
  out.append_le16(static_cast<std::uint16_t>(record.block_count));
  for (const Block& block : record.history()) {
    append_le64(out, in_us(block.start));
    append_le64(out, in_us(block.end));
  }
  out.append_le32(crc32(out));
  return out;
}

std::optional<Record> decode(Bytes bytes) {
  constexpr std::size_t kAround = Record::kHeaderBytes + Record::kChecksumBytes;
  if (bytes.size() < kAround) return std::nullopt;
  Fields fields(bytes);
  if (!std::ranges::equal(fields.take(kMagic.size()), kMagic)) return std::nullopt;
  Record record;
  record.sequence = fields.word32();
  record.owner = fields.array<16>();
  record.written.boot = fields.array<16>();
  record.written.now = at_us(fields.word64());
  record.written.wall_us = fields.word64();
  record.written.wall_is_set = fields.take(1)[0] != 0;
  record.window = Duration(fields.word64());
  record.promised = Duration(fields.word64());
  record.block_count = fields.word16();
  if (record.block_count > Record::kBlocksMax) return std::nullopt;
  // Behind the record there may be the rest of a longer one.
  const std::size_t summed = Record::kHeaderBytes + record.block_count * Record::kBlockBytes;
  if (bytes.size() < summed + Record::kChecksumBytes) return std::nullopt;
  for (std::size_t i = 0; i < record.block_count; ++i) {
    const Time start = at_us(fields.word64());
    record.blocks[i] = {start, at_us(fields.word64())};
  }
  if (fields.word32() != crc32(bytes.first(summed))) return std::nullopt;
  if (!makes_sense(record)) return std::nullopt;
  return record;
}

}  // namespace chappe::tx
