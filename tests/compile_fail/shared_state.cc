#include "chappe/sync/shared_state.h"

using namespace chappe::sync;

constexpr SharedState kBeats{.name = "Executor::beats",
                             .purpose = "how often it has come round",
                             .writers = Who::executor,
                             .readers = Who::watchdog,
                             .protection = "one writer",
                             .orders = Orders::relaxed};
constexpr SharedState kLine{.name = "Executor::line",
                            .purpose = "who waits",
                            .writers = Who::executor,
                            .readers = Who::executor,
                            .protection = "its executor alone"};

class Loop {
 public:
  void beat() { beats_.store(By<Loop>(), 1, Order::relaxed); }
  SingleWriter<unsigned, kBeats, Loop> beats_{0};
  Owned<unsigned, kLine, Loop> line_{0};
};

void control(Loop& loop) {
  loop.beat();
  static_cast<void>(loop.beats_.load(Order::relaxed));
}

#ifdef SECOND_WRITER  // expect: private
void writes_what_another_class_writes(Loop& loop) {
  loop.beats_.store(By<Loop>(), 2, Order::relaxed);
}
#endif

#ifdef OTHER_KEY  // expect: no viable conversion | no known conversion | could not convert | cannot
                  // convert
class Stranger {
  void write(Loop& loop) { loop.beats_.store(By<Stranger>(), 2, Order::relaxed); }
};
#endif

#ifdef READ_MODIFY_WRITE  // expect: private | inaccessible | no member
void counts_in_one_step(Loop& loop) {
  loop.beats_.fetch_add(1, Order::relaxed);
}
#endif

#ifdef FOREIGN_ACCESS  // expect: private
unsigned reads_what_another_class_owns(Loop& loop) {
  return loop.line_.at(By<Loop>());
}
#endif

#ifdef WITHOUT_A_PURPOSE  // expect: static_assert | static assertion | assertion failed
constexpr SharedState kNothing{.name = "X::y",
                               .purpose = "",
                               .writers = Who::any,
                               .readers = Who::any,
                               .protection = "one word",
                               .orders = Orders::relaxed};
SharedWord<unsigned, kNothing> undeclared{0};
#endif
