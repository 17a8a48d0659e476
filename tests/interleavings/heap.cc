// The heap of the program, counted while a test's own code runs: what an execution leaves is a
// leak.

#include <cstddef>
#include <cstdlib>
#include <new>

#include "chappe/explore/world.h"

namespace {

void* take(std::size_t bytes, std::size_t alignment) {
  if (chappe::explore::World* const world = chappe::explore::World::current()) world->heap_taken();
  void* const memory =
      std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (memory == nullptr) std::abort();
  return memory;
}

void give_back(void* memory) noexcept {
  if (memory == nullptr) return;
  if (chappe::explore::World* const world = chappe::explore::World::current()) {
    world->heap_given_back();
  }
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t bytes) {
  return take(bytes, alignof(std::max_align_t));
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return take(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
  give_back(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  give_back(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  give_back(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  give_back(memory);
}
