#include "chappe/async/frame_arena.h"

#include "chappe/base/panic.h"
#include "chappe/base/text.h"

namespace chappe::async {

void FrameArena::fail_full(std::size_t bytes) const {
  Text<200> words;
  words.add("task '").add(*owner_name_).add("': no room for a frame of ").add(bytes);
  words.add(" bytes: ").add(top_).add(" of ").add(capacity_).add(" used");
  panic(words.view());
}

}  // namespace chappe::async
