#pragma once

#include <cstdint>

namespace chappe::seeds {

/// The rule as it was merged: "waiting to send" becomes true by a refused send, and false by a
/// successful one and by nothing else. At each activity everybody who is waiting and could send is
/// told.
struct NaiveSocket {
  std::uint32_t room = 0;
  bool waiting_to_send = false;
  std::uint64_t posts = 0;

  bool send() {
    if (room == 0) {
      waiting_to_send = true;
      return false;
    }
    --room;
    waiting_to_send = false;
    return true;
  }
  void activity() {
    if (room > 0 && waiting_to_send) ++posts;
  }
};

}  // namespace chappe::seeds
