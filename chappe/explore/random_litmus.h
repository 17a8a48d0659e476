#pragma once

#include <cstdint>

#include "chappe/explore/litmus.h"

namespace chappe::explore {

/// Which kinds of small programs the self-test throws at the search.
enum class Group : std::uint8_t {
  interleaving,
  locks,
  interrupts,
  weak,
  weak_with_locks,
  weak_with_interrupts,
  two_cores_with_interrupts,
  strong,  // seq_cst accesses and fences
};
constexpr int kGroups = 8;
const char* name_of(Group group);

/// The same seed makes the same program, on every machine.
Litmus random_litmus(Group group, std::uint64_t seed);

/// The program as a row of the format, as far as the format can say it.
std::string to_text(const Litmus& row);

}  // namespace chappe::explore
