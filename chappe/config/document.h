#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "chappe/base/result.h"
#include "chappe/config/mistake.h"

namespace chappe::config {

struct Entry;

/// A TOML date or time: nothing here wants one, so only that it was one is kept.
struct Moment {};

/// A TOML value and where it stands.
struct Node {
  using Array = std::vector<Node>;
  using Table = std::vector<Entry>;

  Place place;
  std::variant<std::string, bool, std::int64_t, double, Moment, Array, Table> value;
};

struct Entry {
  std::string key;
  Place key_place;
  Node node;
};

// A configuration is a page, not a book; the parser's memory and stack grow with these.
inline constexpr std::size_t kDocumentBytesMax = 65'536;
inline constexpr std::size_t kKeyPartsMax = 8;
inline constexpr std::size_t kNestedValuesMax = 8;

/// Reads TOML 1.0. Syntax errors come one at a time: behind the first, nothing is certain.
Result<Node::Table, Mistake> read_document(std::string_view text);

}  // namespace chappe::config
