#include "chappe/radio/kiss/framing.h"

#include <utility>

namespace chappe::radio::kiss {

LineBuffer encode(Bytes frame) {
  LineBuffer line;
  line.append(kFend);
  for (const std::uint8_t byte : frame) {
    if (byte == kFend || byte == kFesc) {
      line.append(kFesc);
      line.append(byte == kFend ? kTfend : kTfesc);
    } else {
      line.append(byte);
    }
  }
  line.append(kFend);
  return line;
}

Bytes Decoder::push(std::uint8_t byte) {
  if (std::exchange(ended_, false)) frame_.clear();
  if (byte == kFend) {
    // One mark may end a frame and begin the next.
    ended_ = state_ == State::frame || state_ == State::escape;
    state_ = State::frame;
    if (ended_) return frame_;
    frame_.clear();
    return {};
  }
  switch (state_) {
    case State::noise:
    case State::too_long:
      return {};
    case State::frame:
      if (byte == kFesc) {
        state_ = State::escape;
        return {};
      }
      break;
    case State::escape:
      state_ = State::frame;
      if (byte == kFesc) {
        state_ = State::escape;
        return {};
      }
      if (byte != kTfend && byte != kTfesc) return {};
      byte = byte == kTfend ? kFend : kFesc;
      break;
  }
  if (frame_.room() == 0) {
    state_ = State::too_long;
    ++too_long_;
    return {};
  }
  frame_.append(byte);
  return {};
}

}  // namespace chappe::radio::kiss
