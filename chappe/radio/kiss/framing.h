#pragma once

#include <cstddef>
#include <cstdint>

#include "chappe/base/bytes.h"

/// KISS: frames on a line of bytes. docs/formats/kiss.md is the grammar.
namespace chappe::radio::kiss {

inline constexpr std::uint8_t kFend = 0xc0;
inline constexpr std::uint8_t kFesc = 0xdb;
inline constexpr std::uint8_t kTfend = 0xdc;
inline constexpr std::uint8_t kTfesc = 0xdd;

/// The longest frame, type byte included, before escaping (protocol section 17).
inline constexpr std::size_t kFrameBytesMax = 512;
/// ... and on the line: every byte escaped, and a mark at each end.
inline constexpr std::size_t kLineBytesMax = 2 * kFrameBytesMax + 2;

using FrameBuffer = ByteBuffer<kFrameBytesMax>;
using LineBuffer = ByteBuffer<kLineBytesMax>;

/// `frame` as it goes over the line. Requires frame.size() <= kFrameBytesMax.
LineBuffer encode(Bytes frame);

/// Finds the frames in what a line yields, byte by byte: where the line was cut makes no
/// difference.
///
/// What comes before the first mark is noise. A byte behind an escape that is none is left out, as
/// the reference does. A frame that is too long is left out whole, and counted.
/// Context: any, one at a time. Memory: in place.
class Decoder {
 public:
  /// The frame that ends with this byte, type byte first; empty if none does. Valid until the next
  /// call.
  [[nodiscard]] Bytes push(std::uint8_t byte);

  void reset() { *this = Decoder(); }
  std::uint32_t too_long_count() const { return too_long_; }

 private:
  enum class State : std::uint8_t { noise, frame, escape, too_long };

  State state_ = State::noise;
  bool ended_ = false;  // what is in frame_ was handed out
  FrameBuffer frame_;
  std::uint32_t too_long_ = 0;
};

}  // namespace chappe::radio::kiss
