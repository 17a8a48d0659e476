#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

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

  void* allocate(std::size_t bytes) {
    const std::size_t size = kHeader + (bytes + kAlign - 1) / kAlign * kAlign;
    if (size > capacity_ - top_) [[unlikely]]
      fail_full(bytes);
    Block* const block = new (buffer_ + top_) Block{this, newest_, false};
    newest_ = static_cast<std::uint32_t>(top_);
    top_ += size;
    if (top_ > high_water_) [[unlikely]]
      high_water_ = top_;
    return reinterpret_cast<std::byte*>(block) + kHeader;
  }
  /// Finds the arena by itself: a frame is freed where it came from.
  static void free(void* frame) noexcept {
    Block* const block = reinterpret_cast<Block*>(static_cast<std::byte*>(frame) - kHeader);
    block->freed = true;
    block->arena->drop_freed();
  }

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

  [[noreturn, gnu::cold]] void fail_full(std::size_t bytes) const;
  void drop_freed() noexcept {
    while (newest_ != kNoBlock) {
      const Block* const newest = block_at(newest_);
      if (!newest->freed) break;
      top_ = newest_;
      newest_ = newest->below;
    }
  }
  Block* block_at(std::uint32_t offset) { return reinterpret_cast<Block*>(buffer_ + offset); }

  std::byte* const buffer_;
  const std::size_t capacity_;
  const char* const* const owner_name_;
  std::size_t top_ = 0;
  std::uint32_t newest_ = kNoBlock;
  std::size_t high_water_ = 0;
};

}  // namespace chappe::async
