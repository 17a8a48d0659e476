#include "chappe/config/mistake.h"

namespace chappe::config {

std::string describe(std::string_view file, const std::vector<Mistake>& mistakes) {
  std::string lines;
  for (const Mistake& mistake : mistakes) {
    lines += file;
    if (mistake.place.line != 0) {
      lines +=
          ":" + std::to_string(mistake.place.line) + ":" + std::to_string(mistake.place.column);
    }
    lines += ": " + mistake.what + "\n";
  }
  return lines;
}

}  // namespace chappe::config
