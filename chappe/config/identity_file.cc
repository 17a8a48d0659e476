#include "chappe/config/identity_file.h"

#include <cstddef>
#include <optional>
#include <span>

#include "chappe/base/check.h"
#include "chappe/base/crc32.h"
#include "chappe/base/hex.h"
#include "chappe/port/linux/files/private_file.h"

namespace chappe::config {
namespace {

constexpr std::string_view kFirstLine = "chappe identity 1\n";
constexpr std::string_view kPrivate = "private ";
constexpr std::string_view kPublic = "public ";
constexpr std::string_view kChecksum = "crc32 ";

constexpr std::size_t kPrivateDigits = 2 * 64;
constexpr std::size_t kPublicDigits = 2 * 32;
constexpr std::size_t kChecksumDigits = 8;
constexpr std::size_t kLineEnds = 3;
constexpr std::size_t kFileBytes = kFirstLine.size() + kPrivate.size() + kPrivateDigits +
                                   kPublic.size() + kPublicDigits + kChecksum.size() +
                                   kChecksumDigits + kLineEnds;

// Each try fails with a probability of 1/128: only a broken random source needs this many.
constexpr int kTriesMax = 64;

std::string hex(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string digits;
  for (const std::uint8_t byte : bytes) {
    digits += kDigits[byte >> 4];
    digits += kDigits[byte & 15];
  }
  return digits;
}

std::string checksum_digits(std::string_view text) {
  const std::uint32_t sum =
      crc32({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  const std::array bytes{static_cast<std::uint8_t>(sum >> 24),
                         static_cast<std::uint8_t>(sum >> 16),
                         static_cast<std::uint8_t>(sum >> 8),
                         static_cast<std::uint8_t>(sum)};
  return hex(bytes);
}

/// MeshCore reserves public keys that start with 00 or FF.
bool is_reserved(const Identity& identity) {
  return identity.public_key[0] == 0x00 || identity.public_key[0] == 0xff;
}

/// Nothing if there is no such file.
Result<std::optional<Identity>, std::string> load(const std::string& path, const KeyMath& math) {
  const auto text = port::read_private_file(path, kFileBytes);
  if (!text) return Unexpected(text.error());
  if (!*text) return std::optional<Identity>();
  const auto identity = parse_identity(**text, math);
  if (identity) return std::optional(*identity);
  return Unexpected(path + ": " + identity.error() +
                    "; put a backup in its place, or move it away for a new identity");
}

Result<Identity, std::string> make_identity(const KeyMath& math, Random& random) {
  for (int tries = 0; tries < kTriesMax; ++tries) {
    std::array<std::uint8_t, 32> seed{};
    random.fill(seed);
    const Identity identity = math.from_seed(seed);
    if (!is_reserved(identity)) return identity;
  }
  return Unexpected(std::string("the random source makes no usable key"));
}

/// Takes `size` hex digits and the line's end off the front of `text`.
bool take_line(std::string_view& text, std::string_view name, std::span<std::uint8_t> bytes) {
  const std::size_t digits = 2 * bytes.size();
  if (text.substr(0, name.size()) != name) return false;
  const auto count = from_hex(text.substr(name.size(), digits), bytes);
  if (!count || *count != bytes.size()) return false;
  text.remove_prefix(name.size() + digits);
  if (text.empty() || text[0] != '\n') return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::string print_identity(const Identity& identity) {
  std::string text(kFirstLine);
  text.append(kPrivate).append(hex(identity.private_key)).append("\n");
  text.append(kPublic).append(hex(identity.public_key)).append("\n");
  const std::string checksum = checksum_digits(text);
  text.append(kChecksum).append(checksum).append("\n");
  CHAPPE_CHECK(text.size() == kFileBytes);
  return text;
}

Result<Identity, std::string> parse_identity(std::string_view text, const KeyMath& math) {
  if (text.size() != kFileBytes) {
    return Unexpected(std::string("has ") + (text.size() > kFileBytes ? "more" : "fewer") +
                      " than the " + std::to_string(kFileBytes) + " bytes of an identity");
  }
  std::string_view rest = text;
  if (rest.substr(0, kFirstLine.size()) != kFirstLine) {
    return Unexpected(std::string("is not an identity of this program"));
  }
  rest.remove_prefix(kFirstLine.size());
  Identity identity;
  std::array<std::uint8_t, 4> checksum{};
  const bool has_keys = take_line(rest, kPrivate, identity.private_key) &&
                        take_line(rest, kPublic, identity.public_key);
  const std::string_view summed = text.substr(0, text.size() - rest.size());
  if (!has_keys || !take_line(rest, kChecksum, checksum) ||
      hex(checksum) != checksum_digits(summed)) {
    return Unexpected(std::string("is damaged"));
  }
  if (is_reserved(identity)) {
    return Unexpected(std::string("holds a key that the mesh reserves (first byte 00 or ff)"));
  }
  if (math.public_of(identity.private_key) != identity.public_key) {
    return Unexpected(std::string("holds two keys that do not belong together"));
  }
  return identity;
}

Result<StoredIdentity, std::string> load_or_create_identity(const std::string& directory,
                                                            const KeyMath& math,
                                                            Random& random) {
  const auto directory_created = port::make_private_directory(directory);
  if (!directory_created) return Unexpected(directory_created.error());

  const std::string path = directory + "/identity";
  const auto loaded = load(path, math);
  if (!loaded) return Unexpected(loaded.error());
  if (*loaded) return StoredIdentity{**loaded, false, *directory_created};

  const auto made = make_identity(math, random);
  if (!made) return Unexpected(path + ": " + made.error());
  std::array<std::uint8_t, 8> unique{};
  random.fill(unique);
  const auto stored = port::create_private_file(path, print_identity(*made), hex(unique));
  if (!stored) return Unexpected(stored.error());

  // Read back in either case: what counts is what the next start will find.
  const auto kept = load(path, math);
  if (!kept) return Unexpected(kept.error());
  if (!*kept) return Unexpected(path + ": is gone again");
  return StoredIdentity{**kept, *stored, *directory_created};
}

}  // namespace chappe::config
