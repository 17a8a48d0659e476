#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "chappe/base/result.h"

namespace chappe::port {

// Files that hold secrets: for their owner alone, whole or not there. Errors are
// sentences for the operator that begin with the path.

/// True if this call made the directory; missing parents are made too, all with mode 0700. One that
/// is there is refused if others may write to it, for they could replace what it keeps.
Result<bool, std::string> make_private_directory(const std::string& path);

/// The file's bytes, at most one more than `bytes_max`; nothing if there is no such file. Refuses
/// what is not a plain file of ours, and one that others may read or write.
Result<std::optional<std::string>, std::string> read_private_file(const std::string& path,
                                                                  std::size_t bytes_max);

/// Writes a file that appears whole and durable under its name, or not at all. False, and nothing
/// is changed, if a file of that name is already there. `unique` tells concurrent drafts apart.
Result<bool, std::string> create_private_file(const std::string& path,
                                              std::string_view text,
                                              const std::string& unique);

/// Writes a file that takes the place of one of that name, whole and durable, or not at all: who
/// reads it, even after a power cut, finds the old text or the new one. Nothing, or what failed.
std::optional<std::string> replace_private_file(const std::string& path,
                                                std::string_view text,
                                                const std::string& unique);

}  // namespace chappe::port
