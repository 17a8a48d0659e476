// Sources and the wake list: nothing is lost, doubled or torn, and one sleep costs one kick.

#include "chappe/sync/wake_list.h"

#include "chappe/explore/exploration.h"
#include "tests/interleavings/model_port.h"

namespace chappe {
namespace {

// Counts what is delivered, and reads what its producers wrote before they set it.
class Counter : public sync::WakeSource {
 public:
  explicit Counter(sync::WakeList& list) : WakeSource(list, &deliver) {}
  ~Counter() { drain(); }
  void set() noexcept { add_one(); }
  std::uint32_t total = 0;
  sync::Plain<int>* payload = nullptr;

 private:
  static void deliver(WakeSource& self, std::uint32_t count) noexcept {
    auto& counter = static_cast<Counter&>(self);
    counter.total += count;
    if (counter.payload != nullptr) static_cast<void>(counter.payload->read());
  }
};

struct Loop {
  explore::ModelPort port;
  sync::WakeList list{port};
  int sleeps = 0;

  // What the executor does, until `done`.
  template <class Done>
  void run(Done done) {
    for (;;) {
      while (list.drain()) {
      }
      if (done()) return;
      if (!list.announce_sleep()) continue;
      ++sleeps;
      port.wait(kNever);
      list.retract_sleep();
    }
  }
};

}  // namespace

CHAPPE_EXPLORE(wake_list_two_producers_one_source) {
  auto& loop = x.make<Loop>("loop");
  auto& source = x.make<Counter>("source", loop.list);
  for (const char* const name : {"producer 1", "producer 2"}) {
    x.worker(name, [&] {
      source.set();
      source.set();
    });
  }
  x.worker("executor", [&] { loop.run([&] { return source.total == 4; }); });
  x.finally([&] {
    x.expect(source.total == 4, "each set is delivered once");
    x.expect(loop.port.kicks() <= loop.sleeps, "one kick a sleep");
  });
}

CHAPPE_EXPLORE(wake_list_two_producers_two_sources) {
  auto& loop = x.make<Loop>("loop");
  auto& first = x.make<Counter>("first", loop.list);
  auto& second = x.make<Counter>("second", loop.list);
  x.worker("producer 1", [&] {
    first.set();
    first.set();
  });
  x.worker("producer 2", [&] {
    second.set();
    second.set();
  });
  x.worker("executor", [&] { loop.run([&] { return first.total + second.total == 4; }); });
  x.finally([&] {
    x.expect(first.total == 2, "each set of the first is delivered once");
    x.expect(second.total == 2, "each set of the second is delivered once");
    x.expect(loop.port.kicks() <= loop.sleeps, "one kick a sleep");
  });
}

CHAPPE_EXPLORE(wake_list_two_producers_each_both_sources) {
  auto& loop = x.make<Loop>("loop");
  auto& first = x.make<Counter>("first", loop.list);
  auto& second = x.make<Counter>("second", loop.list);
  x.worker("producer 1", [&] {
    first.set();
    second.set();
  });
  x.worker("producer 2", [&] {
    second.set();
    first.set();
  });
  x.worker("executor", [&] { loop.run([&] { return first.total + second.total == 4; }); });
  x.finally([&] { x.expect(first.total == 2 && second.total == 2, "each set is delivered once"); });
}

CHAPPE_EXPLORE(wake_list_interrupts_of_two_priorities) {
  auto& loop = x.make<Loop>("loop");
  auto& source = x.make<Counter>("source", loop.list);
  x.task("executor", [&] { loop.run([&] { return source.total == 4; }); });
  x.interrupt("low", 1, [&] { source.set(); }, explore::times(2));
  x.interrupt("high", 2, [&] { source.set(); }, explore::times(2));
  x.finally([&] { x.expect(source.total == 4, "each set is delivered once"); });
}

CHAPPE_EXPLORE(wake_list_interrupts_two_sources) {
  auto& loop = x.make<Loop>("loop");
  auto& first = x.make<Counter>("first", loop.list);
  auto& second = x.make<Counter>("second", loop.list);
  x.task("executor", [&] { loop.run([&] { return first.total + second.total == 3; }); });
  x.interrupt("low", 1, [&] { first.set(); }, explore::times(2));
  x.interrupt("high", 2, [&] { second.set(); });
  x.finally([&] { x.expect(first.total == 2 && second.total == 1, "each set is delivered once"); });
}

// What was written before a set is there for the woken, also if the set found the source pending.
CHAPPE_EXPLORE(wake_list_publishes_what_a_coalesced_set_follows) {
  auto& loop = x.make<Loop>("loop");
  auto& payload = x.make<sync::Plain<int>>("payload");
  auto& source = x.make<Counter>("source", loop.list);
  x.worker("pusher", [&] { source.set(); });
  x.worker("producer", [&] {
    payload.write(1);
    source.set();
  });
  x.worker("executor", [&] {
    loop.run([&] { return source.total == 2; });
    static_cast<void>(payload.read());
  });
}

}  // namespace chappe
