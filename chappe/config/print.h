#pragma once

#include <cstdint>
#include <string>

#include "chappe/config/configuration.h"

namespace chappe::config {

enum class Secrets : std::uint8_t { shown, hidden };

/// The configuration as a file, every key with its value and a comment. With secrets shown it
/// reads back as an equal one; hidden ones are left out and said to be.
std::string to_toml(const Configuration& configuration, Secrets secrets);

/// docs/configuration.md.
std::string reference_page();

}  // namespace chappe::config
