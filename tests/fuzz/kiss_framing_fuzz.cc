#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "chappe/base/check.h"
#include "chappe/radio/kiss/framing.h"

namespace {

using namespace chappe;
using namespace chappe::radio::kiss;

std::vector<std::vector<std::uint8_t>> frames_of(Decoder& decoder, Bytes line) {
  std::vector<std::vector<std::uint8_t>> frames;
  for (const std::uint8_t byte : line) {
    const Bytes frame = decoder.push(byte);
    if (!frame.empty()) frames.emplace_back(frame.begin(), frame.end());
  }
  return frames;
}

}  // namespace

// Any bytes are frames within the bound; written again, each is read again; and a decoder that met
// other bytes before finds the same from the first mark on.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const Bytes line(bytes, size);
  Decoder decoder;
  const auto frames = frames_of(decoder, line);

  std::vector<std::uint8_t> again;
  for (const auto& frame : frames) {
    CHAPPE_CHECK(frame.size() <= kFrameBytesMax);
    const LineBuffer encoded = encode(frame);
    CHAPPE_CHECK(std::count(encoded.view().begin(), encoded.view().end(), kFend) == 2);
    again.insert(again.end(), encoded.view().begin(), encoded.view().end());
  }
  Decoder fresh;
  CHAPPE_CHECK(frames_of(fresh, again) == frames);

  // `decoder` may stand in the middle of anything; a mark ends it.
  static_cast<void>(decoder.push(kFend));
  CHAPPE_CHECK(frames_of(decoder, again) == frames);
  return 0;
}
