// Hexadecimal text from a command line or a peer: whatever it is, it is read completely or refused,
// never past the room given, and writing the bytes again gives the same digits.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "chappe/base/check.h"
#include "chappe/base/hex.h"

namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

char lower(char letter) {
  return letter >= 'A' && letter <= 'F' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::array<std::uint8_t, 32> out{};
  const auto count = chappe::from_hex(text, out);
  if (!count) return 0;
  CHAPPE_CHECK(*count <= out.size());
  CHAPPE_CHECK(*count * 2 == text.size());
  for (std::size_t i = 0; i < *count; ++i) {
    CHAPPE_CHECK(kDigits[out[i] >> 4] == lower(text[2 * i]));
    CHAPPE_CHECK(kDigits[out[i] & 15] == lower(text[2 * i + 1]));
  }
  return 0;
}
