#include "chappe/config/nearest.h"

#include <algorithm>
#include <vector>

namespace chappe::config {
namespace {

// Longer words are nobody's slip, and the table below grows with the product of the lengths.
constexpr std::size_t kWordMax = 64;

char folded(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

}  // namespace

std::size_t edit_distance(std::string_view written, std::string_view meant) {
  // Three rows of the textbook table are enough: a swap looks two rows back.
  std::vector<std::size_t> before(meant.size() + 1);
  std::vector<std::size_t> last(meant.size() + 1);
  std::vector<std::size_t> row(meant.size() + 1);
  for (std::size_t j = 0; j <= meant.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= written.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= meant.size(); ++j) {
      const char a = folded(written[i - 1]);
      const char b = folded(meant[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a == b ? 0u : 1u)});
      const bool swapped =
          i > 1 && j > 1 && a == folded(meant[j - 2]) && b == folded(written[i - 2]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[meant.size()];
}

std::optional<std::string_view> nearest(std::string_view written,
                                        std::span<const std::string_view> candidates) {
  // One letter is near to everything.
  if (written.size() < 2 || written.size() > kWordMax) return std::nullopt;
  std::optional<std::string_view> best;
  std::size_t best_distance = 0;
  for (const std::string_view candidate : candidates) {
    // A third of the word may be wrong: more of it was another word.
    const std::size_t allowed = std::max<std::size_t>(1, candidate.size() / 3);
    const std::size_t distance = edit_distance(written, candidate);
    if (distance > allowed || distance >= candidate.size()) continue;
    if (!best || distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace chappe::config
