#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace chappe::config {

/// How many single-letter slips (one added, missing, changed, or two swapped) lie between two
/// words. Upper and lower case count as the same letter.
std::size_t edit_distance(std::string_view written, std::string_view meant);

/// The candidate most likely meant by a word that is none of them; nothing if none is close.
std::optional<std::string_view> nearest(std::string_view written,
                                        std::span<const std::string_view> candidates);

}  // namespace chappe::config
