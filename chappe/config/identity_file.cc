#include "chappe/config/identity_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

#include "chappe/base/check.h"
#include "chappe/base/hex.h"

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

/// The CRC-32 of Ethernet and zip, bit by bit: a key file is read once.
std::uint32_t crc32(std::string_view text) {
  std::uint32_t sum = 0xffffffff;
  for (const char letter : text) {
    sum ^= static_cast<unsigned char>(letter);
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ ((sum & 1) != 0 ? 0xedb88320u : 0u);
  }
  return ~sum;
}

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
  const std::uint32_t sum = crc32(text);
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

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int operator*() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_;
};

Unexpected<std::string> failed(const std::string& path, const std::string& what) {
  return Unexpected(path + ": " + what);
}

Unexpected<std::string> failed_call(const std::string& path, const char* what) {
  return failed(path, std::string(what) + ": " + std::strerror(errno));
}

/// True if this call made the directory. Missing parents are made too, as private as it.
Result<bool, std::string> make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return true;
  if (errno == ENOENT) {
    const std::size_t slash = path.find_last_of('/');
    if (slash != std::string::npos && slash > 0) {
      const auto parent = make_directory(path.substr(0, slash));
      if (!parent) return parent;
      if (::mkdir(path.c_str(), 0700) == 0) return true;
    }
  }
  if (errno == EEXIST) return false;
  return failed_call(path, "cannot make the state directory");
}

std::optional<std::string> check_directory(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return failed_call(path, "cannot look at it").error();
  if (!S_ISDIR(status.st_mode)) return failed(path, "is not a directory").error();
  if ((status.st_mode & 022) != 0) {
    return failed(path,
                  "others may write here and could replace the identity; run: chmod go-w '" + path +
                      "'")
        .error();
  }
  return std::nullopt;
}

/// Nothing if there is no such file.
Result<std::optional<Identity>, std::string> load(const std::string& path, const KeyMath& math) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file) {
    if (errno == ENOENT) return std::optional<Identity>();
    if (errno == ELOOP) return failed(path, "is a symbolic link; it has to be a file");
    return failed_call(path, "cannot be opened");
  }
  struct stat status{};
  if (::fstat(*file, &status) != 0) return failed_call(path, "cannot be looked at");
  if (!S_ISREG(status.st_mode)) return failed(path, "is not a file");
  if (status.st_uid != ::geteuid()) {
    return failed(path, "belongs to another user, who could replace it");
  }
  if ((status.st_mode & 077) != 0) {
    return failed(path,
                  "others may read or write the private key; run: chmod 600 '" + path +
                      "', and if anybody might have copied it, make a new identity");
  }
  std::array<char, kFileBytes + 1> text{};
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t count = ::read(*file, text.data() + size, text.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed_call(path, "cannot be read");
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  const auto identity = parse_identity({text.data(), size}, math);
  if (!identity) {
    return failed(path,
                  identity.error() +
                      "; put a backup in its place, or move it away for a new "
                      "identity");
  }
  return std::optional(*identity);
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

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(file, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

/// True if the file is now there whole and durable, false if somebody else was faster.
Result<bool, std::string> store(const std::string& directory,
                                const std::string& path,
                                const Identity& identity,
                                Random& random) {
  std::array<std::uint8_t, 8> unique{};
  random.fill(unique);
  const std::string draft = path + "." + hex(unique);
  {
    const Descriptor file(
        ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) return failed_call(draft, "cannot be made");
    // Whole and on the disk before it gets its name: a power cut leaves all of it or nothing.
    if (!write_all(*file, print_identity(identity)) || ::fsync(*file) != 0) {
      const auto failure = failed_call(draft, "cannot be written");
      ::unlink(draft.c_str());
      return failure;
    }
  }
  if (::renameat2(AT_FDCWD, draft.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) != 0) {
    const bool beaten = errno == EEXIST;
    const auto failure = failed_call(path, "cannot be put in place");
    ::unlink(draft.c_str());
    if (beaten) return false;
    return failure;
  }
  const Descriptor folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(*folder) != 0) return failed_call(directory, "cannot be made durable");
  return true;
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
  const auto directory_created = make_directory(directory);
  if (!directory_created) return Unexpected(directory_created.error());
  if (const auto wrong = check_directory(directory)) return Unexpected(*wrong);

  const std::string path = directory + "/identity";
  const auto loaded = load(path, math);
  if (!loaded) return Unexpected(loaded.error());
  if (*loaded) return StoredIdentity{**loaded, false, *directory_created};

  const auto made = make_identity(math, random);
  if (!made) return Unexpected(path + ": " + made.error());
  const auto stored = store(directory, path, *made, random);
  if (!stored) return Unexpected(stored.error());

  // Read back in either case: what counts is what the next start will find.
  const auto kept = load(path, math);
  if (!kept) return Unexpected(kept.error());
  if (!*kept) return failed(path, "is gone again");
  return StoredIdentity{**kept, *stored, *directory_created};
}

}  // namespace chappe::config
