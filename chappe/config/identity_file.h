#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "chappe/base/random.h"
#include "chappe/base/result.h"

namespace chappe::config {

/// A node's key pair as MeshCore keeps it: the expanded private key, from which alone a node works,
/// and the public key that goes with it.
struct Identity {
  std::array<std::uint8_t, 64> private_key{};
  std::array<std::uint8_t, 32> public_key{};

  bool operator==(const Identity&) const = default;
};

/// The arithmetic of keys, passed in: this room knows files, not curves.
struct KeyMath {
  std::function<Identity(const std::array<std::uint8_t, 32>& seed)> from_seed;
  std::function<std::array<std::uint8_t, 32>(const std::array<std::uint8_t, 64>& private_key)>
      public_of;
};

struct StoredIdentity {
  Identity identity;
  bool created = false;            // by this call
  bool directory_created = false;  // so nothing else can be remembered there either
};

/// Loads `<directory>/identity`, or makes directory and file if there is none. docs/formats/
/// identity.md has the format.
///
/// A file is never overwritten, and one that is damaged, or that others can read, is refused: a new
/// identity would be a new node to the mesh. `random` must be the operating system's; it is asked
/// only for a new key. The error is a sentence for the operator.
Result<StoredIdentity, std::string> load_or_create_identity(const std::string& directory,
                                                            const KeyMath& math,
                                                            Random& random);

// The file's text and back. Public for tools that import and export; the error is half a sentence.
std::string print_identity(const Identity& identity);
Result<Identity, std::string> parse_identity(std::string_view text, const KeyMath& math);

}  // namespace chappe::config
