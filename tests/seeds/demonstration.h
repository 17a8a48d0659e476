#pragma once

#include <string>

namespace chappe::seeds {

/// One of the five problems, shown twice: on a naive variant, which has it, and on Chappe.
struct Demonstration {
  const char* number;
  const char* problem;
  std::string naive{};  // what was seen
  bool naive_has_the_bug = false;
  std::string chappe{};  // what was seen
  bool chappe_is_clean = false;
};

Demonstration demonstrate_000();
Demonstration demonstrate_001();
Demonstration demonstrate_002();
Demonstration demonstrate_003();
Demonstration demonstrate_004();

}  // namespace chappe::seeds
