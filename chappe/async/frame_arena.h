#pragma once

#include <cstddef>
#include <cstdint>

namespace chappe::async {

/// Where a task's coroutine frames live: a stack of blocks in a fixed buffer, so a task's memory is
/// bounded and known, and awaiting a child allocates in a few instructions.
///
/// Freed in the middle, a block waits until everything above it is freed too. Exhaustion is a panic
/// that names the task, what it wanted and what it had.
/// Context: the owning executor's thread.
class FrameArena {
 public:
  FrameArena(std::byte* buffer, std::size_t capacity, const char* const* owner_name)
      : buffer_(buffer), capacity_(capacity), owner_name_(owner_name) {}
  FrameArena(const FrameArena&) = delete;
  FrameArena& operator=(const FrameArena&) = delete;

  void* allocate(std::size_t bytes);
  /// Finds the arena by itself: a frame is freed where it came from.
  static void free(void* frame) noexcept;

  std::size_t capacity() const { return capacity_; }
  std::size_t used() const { return top_; }
  /// The most that was ever used, in bytes: what the arena must at least hold.
  std::size_t high_water() const { return high_water_; }

 private:
  struct Block {
    FrameArena* arena;
    std::uint32_t below;  // offset of the block under this one, kNoBlock at the bottom
    bool freed;
  };
  static constexpr std::size_t kAlign = alignof(std::max_align_t);
  static constexpr std::size_t kHeader = (sizeof(Block) + kAlign - 1) / kAlign * kAlign;
  static constexpr std::uint32_t kNoBlock = 0xffffffff;

  Block* block_at(std::uint32_t offset) { return reinterpret_cast<Block*>(buffer_ + offset); }

  std::byte* const buffer_;
  const std::size_t capacity_;
  const char* const* const owner_name_;
  std::size_t top_ = 0;
  std::uint32_t newest_ = kNoBlock;
  std::size_t high_water_ = 0;
};

}  // namespace chappe::async
