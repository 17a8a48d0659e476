#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chappe::config {

/// Where in a file; both count from one. Line zero: the file as a whole.
struct Place {
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  friend constexpr auto operator<=>(const Place&, const Place&) = default;
};

/// One thing that is wrong with a configuration, in a sentence that says what is allowed.
struct Mistake {
  Place place;
  std::string what;

  bool operator==(const Mistake&) const = default;
};

/// One line each, as compilers write them: "chappe.toml:7:3: unknown key ...".
std::string describe(std::string_view file, const std::vector<Mistake>& mistakes);

}  // namespace chappe::config
