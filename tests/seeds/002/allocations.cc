#include "tests/seeds/002/allocations.h"

#include <atomic>
#include <cstdlib>
#include <new>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CHAPPE_THREAD_SANITIZER
#endif
#endif

namespace {
std::atomic<std::uint64_t> allocations{0};
}  // namespace

namespace chappe::seeds {

std::uint64_t allocation_count() {
  return allocations.load();
}

#ifdef CHAPPE_THREAD_SANITIZER
const bool kAllocationsCounted = false;
#else
const bool kAllocationsCounted = true;
#endif

}  // namespace chappe::seeds

#ifndef CHAPPE_THREAD_SANITIZER
void* operator new(std::size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* const memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  std::abort();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
#endif
