// A radio: each send has a result of its own, and what is heard stands in a queue.
//
// A failed send is its sender's news and nobody else's: the receiver goes on, and so does the next
// send. (An event "the radio has an error" would wake both, and both would be wrong.)
#include <cstdint>
#include <cstdio>

#include "chappe/async/completion.h"
#include "chappe/async/executor.h"
#include "chappe/async/sleep.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/sync/spsc.h"

using namespace chappe;

enum class Sent : std::uint8_t { ok, failed };
struct Frame {
  int number = 0;
};

// The hardware: a send ends 40 ms later, the second one badly. A frame is heard each 15 ms.
class Modem {
 public:
  Modem(port::VirtualPort& port, sync::WakeList& wakes)
      : heard(wakes), sent_(wakes), port_(port), end_(*this), air_(*this) {
    port_.raise_at(air_, port_.now() + milliseconds(15));
  }

  async::Task<Sent> send() {
    ticket_ = sent_.arm();
    port_.raise_at(end_, port_.now() + milliseconds(40));
    const Sent result = co_await sent_.result();
    co_return result;
  }

  sync::Spsc<Frame, 8> heard;
  int lost = 0;

 private:
  struct End : port::VirtualPort::Interrupt {
    explicit End(Modem& owner) : Interrupt(&raised), modem(owner) {}
    static void raised(Interrupt& self) {
      Modem& modem = static_cast<End&>(self).modem;
      modem.sent_.complete(modem.ticket_, ++modem.sends_ == 2 ? Sent::failed : Sent::ok);
    }
    Modem& modem;
  };
  struct Air : port::VirtualPort::Interrupt {
    explicit Air(Modem& owner) : Interrupt(&raised), modem(owner) {}
    static void raised(Interrupt& self) {
      Modem& modem = static_cast<Air&>(self).modem;
      if (!modem.heard.push(Frame{++modem.frames_})) ++modem.lost;
      if (modem.frames_ < 8) modem.port_.raise_at(self, modem.port_.now() + milliseconds(15));
    }
    Modem& modem;
  };

  async::Completion<Sent> sent_;
  async::Completion<Sent>::Ticket ticket_;
  port::VirtualPort& port_;
  End end_;
  Air air_;
  int sends_ = 0;
  int frames_ = 0;
};

async::Task<> sender(Modem& modem, int& good, int& bad) {
  for (int i = 0; i < 3; ++i) {
    const Sent result = co_await modem.send();
    ++(result == Sent::ok ? good : bad);
    std::printf("send %d: %s\n", i + 1, result == Sent::ok ? "ok" : "failed");
  }
}

async::Task<> receiver(Modem& modem, int& received) {
  for (;;) {
    const Frame frame = co_await modem.heard.pop();
    received += frame.number == received + 1 ? 1 : 0;
  }
}

int main() {
  port::VirtualPort port;
  async::Executor executor(port);
  Modem modem(port, executor.wakes());
  int good = 0;
  int bad = 0;
  int received = 0;
  async::TaskSlot<1024> slots[2];
  executor.spawn(slots[0], "sender", sender, modem, good, bad);
  executor.spawn(slots[1], "receiver", receiver, modem, received);
  port.run(executor);
  std::printf("%d sent, %d failed, %d of 8 frames received in order\n", good, bad, received);
  return good == 2 && bad == 1 && received == 8 && modem.lost == 0 ? 0 : 1;
}
