#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "chappe/base/bytes.h"
#include "chappe/base/units.h"
#include "chappe/tx/journal.h"
#include "chappe/tx/ledger.h"

namespace chappe::tx {

/// Whose airtime a record counts: this node's, in this sub-band. Others' says nothing about ours.
using AirtimeOwner = std::array<std::uint8_t, 16>;

/// What a journal keeps: the airtime that was spent, and how much more may have been since.
/// Layout: docs/formats/airtime.md.
struct Record {
  static constexpr std::size_t kHeaderBytes = 8 + 4 + 16 + 16 + 8 + 8 + 1 + 8 + 8 + 2;
  static constexpr std::size_t kBlockBytes = 8 + 8;
  static constexpr std::size_t kChecksumBytes = 4;
  static constexpr std::size_t kBlocksMax = 120;
  static_assert(kHeaderBytes + kBlocksMax * kBlockBytes + kChecksumBytes <= Journal::kBytesMax);

  std::uint32_t sequence = 0;  // rises by one with each record, and wraps
  AirtimeOwner owner{};
  ClockReading written;
  Duration window{};    // the blocks are all that was sent in this time
  Duration promised{};  // may have been spent since, on top of them
  std::array<Block, kBlocksMax> blocks{};
  std::size_t block_count = 0;

  std::span<const Block> history() const { return {blocks.data(), block_count}; }
};

using RecordBytes = ByteBuffer<Journal::kBytesMax>;

RecordBytes encode(const Record& record);

/// Nothing if these are not the bytes of a whole, undamaged record.
std::optional<Record> decode(Bytes bytes);

/// True if `a` was written after `b`. Sequence numbers wrap; two copies are never far apart.
constexpr bool is_newer(const Record& a, const Record& b) {
  return static_cast<std::int32_t>(a.sequence - b.sequence) > 0;
}

}  // namespace chappe::tx
