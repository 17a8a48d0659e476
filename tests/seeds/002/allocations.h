#pragma once

#include <cstdint>

namespace chappe::seeds {

/// False under the thread sanitizer, which brings an allocator of its own.
extern const bool kAllocationsCounted;

/// How often this program has taken memory from the heap.
std::uint64_t allocation_count();

}  // namespace chappe::seeds
