#include "chappe/rx/receiver.h"

#include "chappe/base/note.h"

namespace chappe::rx {

async::Task<> Receiver::run() {
  radio::Frame frame;
  for (;;) {
    // One signal may stand for several frames, and a frame may be taken before its signal is seen:
    // the queue is the truth, the signal only says when to look.
    while (radio_.take(frame)) {
      note(Note::receive,
           static_cast<std::uint32_t>(frame.bytes.size()),
           static_cast<std::uint32_t>(frame.rssi.quarters));
      sink_.on_frame(frame);
    }
    co_await radio_.heard().next();
  }
}

}  // namespace chappe::rx
