#include "chappe/mesh/utf8.h"

namespace chappe::mesh {
namespace {

// How many bytes the character at the front of `text` has; 0 if it is none or is cut off.
std::size_t character_size(Bytes text) {
  const std::uint8_t first = text[0];
  std::size_t size = 0;
  if (first < 0x80) {
    size = 1;
  } else if (first >= 0xc2 && first < 0xe0) {
    size = 2;
  } else if (first >= 0xe0 && first < 0xf0) {
    size = 3;
  } else if (first >= 0xf0 && first < 0xf5) {
    size = 4;
  }
  if (size == 0 || size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((text[i] & 0xc0) != 0x80) return 0;
  }
  return size;
}

}  // namespace

Bytes cut_to_characters(std::string_view words, std::size_t room) {
  const Bytes text(reinterpret_cast<const std::uint8_t*>(words.data()), words.size());
  std::size_t used = 0;
  while (used < text.size() && text[used] != 0) {
    const std::size_t size = character_size(text.subspan(used));
    if (size == 0 || used + size > room) break;
    used += size;
  }
  return text.first(used);
}

}  // namespace chappe::mesh
