#include "chappe/async/frame_arena.h"

#include <algorithm>
#include <new>

#include "chappe/base/panic.h"
#include "chappe/base/text.h"

namespace chappe::async {

void* FrameArena::allocate(std::size_t bytes) {
  const std::size_t size = kHeader + (bytes + kAlign - 1) / kAlign * kAlign;
  if (size > capacity_ - top_) [[unlikely]] {
    Text<200> words;
    words.add("task '").add(*owner_name_).add("': no room for a frame of ").add(bytes);
    words.add(" bytes: ").add(top_).add(" of ").add(capacity_).add(" used");
    panic(words.view());
  }
  Block* const block = new (buffer_ + top_) Block{this, newest_, false};
  newest_ = static_cast<std::uint32_t>(top_);
  top_ += size;
  high_water_ = std::max(high_water_, top_);
  return reinterpret_cast<std::byte*>(block) + kHeader;
}

void FrameArena::free(void* frame) noexcept {
  Block* const block = reinterpret_cast<Block*>(static_cast<std::byte*>(frame) - kHeader);
  FrameArena& arena = *block->arena;
  block->freed = true;
  while (arena.newest_ != kNoBlock) {
    const Block* const newest = arena.block_at(arena.newest_);
    if (!newest->freed) break;
    arena.top_ = arena.newest_;
    arena.newest_ = newest->below;
  }
}

}  // namespace chappe::async
