// Gates, credits, what is in flight, and who must be told.

#include <optional>

#include "chappe/async/executor.h"
#include "chappe/explore/exploration.h"
#include "chappe/flow/credits.h"
#include "chappe/flow/gate.h"
#include "chappe/flow/inflight.h"
#include "chappe/flow/notifier.h"
#include "tests/interleavings/model_port.h"

namespace chappe {
namespace {

using Slot = async::TaskSlot<2048>;

struct Loop {
  explicit Loop(explore::ModelClock* clock = nullptr) : port(clock) {}
  explore::ModelPort port;
  async::Executor executor{port};
};

struct GateBooks {
  flow::Gate gate;
  sync::Parker wake;
  sync::Plain<int> payload{0};
  sync::Word<std::uint32_t> posts{0};
  int refusals = 0;

  void give() {
    if (!gate.give(1)) return;
    posts.fetch_add(1, sync::Order::relaxed);
    wake.unpark();
  }
  void take(int wanted) {
    for (int taken = 0; taken < wanted;) {
      if (gate.take()) {
        ++taken;
      } else {
        ++refusals;
        wake.park();
      }
    }
  }
};

flow::Credits::Limits one_unit() {
  flow::Credits::Limits limits;
  limits.total = 1;
  limits.lane_max = {1, 1, 0, 0};
  return limits;
}

struct Lanes {
  Lanes() : credits(loop.executor.wakes(), one_unit()) {}
  Loop loop;
  flow::Credits credits;
  std::uint32_t refused[2] = {0, 0};
  std::uint32_t granted = 0;
  // What a unit stands for: touched by its holder only.
  sync::Plain<int> buffer{0};

  void use(std::uint8_t lane) {
    flow::Credit credit = credits.try_take(lane);
    if (!credit) {
      ++refused[lane];
      return;
    }
    buffer.write(lane);
  }
};

// The second one served ends the executor.
async::Task<> take_and_use(Lanes& lanes, std::uint8_t lane, int& served) {
  const flow::Credit credit = co_await lanes.credits.take(lane);
  lanes.buffer.write(lane);
  if (++served == 2) lanes.loop.executor.stop();
}

struct Buffers {
  sync::Plain<int> of[2];
};

async::Task<> look_when_idle(async::Executor& executor,
                             flow::Credits& credits,
                             Buffers& buffers,
                             std::uint32_t& idles) {
  const std::uint32_t seen = co_await credits.idle().next();
  for (const sync::Plain<int>& buffer : buffers.of) static_cast<void>(buffer.read());
  idles = seen + credits.idle().take();
  executor.stop();
}

async::Task<> listen(flow::Subscriber& client, std::uint32_t& seen, int& wakes) {
  for (;;) {
    const std::uint32_t why = co_await client.wake().wait(~0u);
    seen |= why;
    ++wakes;
  }
}

}  // namespace

CHAPPE_EXPLORE(gate_two_givers_two_each) {
  auto& books = x.make<GateBooks>("gate");
  for (const char* const name : {"giver 1", "giver 2"}) {
    x.worker(name, [&] {
      books.give();
      books.give();
    });
  }
  x.worker("taker", [&] { books.take(4); });
  x.finally([&] {
    x.expect(books.gate.amount() == 0, "everything given is taken");
    x.expect(books.posts.load(sync::Order::relaxed) == static_cast<std::uint32_t>(books.refusals),
             "each refusal is paid once");
  });
}

// Who takes a unit sees what its giver wrote before.
CHAPPE_EXPLORE(gate_hands_on_what_its_giver_wrote) {
  auto& books = x.make<GateBooks>("gate");
  x.worker("giver", [&] {
    books.payload.write(1);
    books.give();
  });
  x.worker("taker", [&] {
    books.take(1);
    x.expect(books.payload.read() == 1, "the payload is there");
  });
}

CHAPPE_EXPLORE(gate_two_takers_of_one_unit) {
  auto& gate = x.make<flow::Gate>("gate");
  struct Taken {
    bool by[2] = {false, false};
    bool paid = false;
  };
  auto& taken = x.make<Taken>("taken");
  x.worker("giver", [&] { taken.paid = gate.give(1); });
  for (const int one : {0, 1}) {
    x.worker(one == 0 ? "taker 1" : "taker 2",
             [&gate, &taken, one] { taken.by[one] = gate.take(); });
  }
  x.finally([&] {
    const std::uint32_t took = static_cast<std::uint32_t>(taken.by[0]) + taken.by[1];
    x.expect(took <= 1, "one unit is taken once");
    x.expect(gate.amount() + took == 1, "and is there as long as nobody took it");
    x.expect(!taken.paid || took < 2, "who was refused before was paid");
    x.expect(took == 1 || taken.paid, "two refusals before the unit came are paid");
  });
}

CHAPPE_EXPLORE(credits_two_lanes_of_one_unit) {
  auto& lanes = x.make<Lanes>("credits");
  x.worker("lane 0", [&] {
    lanes.use(0);
    lanes.use(0);
  });
  x.worker("lane 1", [&] { lanes.use(1); });
  x.finally([&] {
    const flow::Credits::Snapshot end = lanes.credits.read();
    x.expect(end.total == 0, "every unit comes home");
    for (std::uint8_t lane = 0; lane < 2; ++lane) {
      const std::uint32_t told = lanes.credits.room(lane).take();
      x.expect(!end.wanted[lane], "nobody is owed at the end");
      x.expect(told <= lanes.refused[lane], "nobody is told for nothing");
      x.expect(lanes.refused[lane] == 0 || told > 0, "whoever was refused is told");
    }
    x.expect(lanes.credits.idle().take() > 0, "the last unit's return is seen");
  });
}

CHAPPE_EXPLORE(credits_closed_and_opened_beside_two_lanes) {
  auto& lanes = x.make<Lanes>("credits");
  x.worker("lane 0", [&] { lanes.use(0); });
  x.worker("lane 1", [&] { lanes.use(1); });
  x.worker("power", [&] {
    if (!lanes.credits.try_close()) return;
    lanes.buffer.write(9);  // nobody has a unit now
    lanes.credits.open();
  });
  x.finally([&] {
    const flow::Credits::Snapshot end = lanes.credits.read();
    x.expect(end.total == 0 && !end.closed, "open, and every unit is home");
    for (std::uint8_t lane = 0; lane < 2; ++lane) {
      x.expect(!end.wanted[lane], "nobody is owed at the end");
      x.expect(lanes.credits.room(lane).take() == lanes.refused[lane], "each refusal is paid once");
    }
  });
}

// Lanes and total are of one instant, whoever looks, and whenever.
CHAPPE_EXPLORE(credits_a_look_is_of_one_instant) {
  flow::Credits::Limits limits;
  limits.total = 2;
  limits.lane_max = {2, 2, 0, 0};
  auto& loop = x.make<Loop>("loop");
  auto& credits = x.make<flow::Credits>("credits", loop.executor.wakes(), limits);
  for (const std::uint8_t lane : {std::uint8_t{0}, std::uint8_t{1}}) {
    x.worker(lane == 0 ? "lane 0" : "lane 1",
             [&credits, lane] { const flow::Credit credit = credits.try_take(lane); });
  }
  x.worker("reader", [&] {
    const flow::Credits::Snapshot seen = credits.read();
    x.expect(seen.total == seen.used[0] + seen.used[1], "the total is the sum of the lanes");
  });
}

// Two units come home in one release, while another lane asks.
CHAPPE_EXPLORE(credits_several_units_home_at_once_pay_who_was_refused) {
  flow::Credits::Limits limits;
  limits.total = 2;
  limits.lane_max = {2, 2, 0, 0};
  auto& loop = x.make<Loop>("loop");
  auto& credits = x.make<flow::Credits>("credits", loop.executor.wakes(), limits);
  auto& refused = x.make<std::uint32_t>("refused", 0u);
  credits.try_take(0).hand_over();
  credits.try_take(0).hand_over();
  x.worker("hardware", [&] { credits.release(0, 2); });
  x.worker("sender", [&] {
    if (!credits.try_take(1)) ++refused;
  });
  x.finally([&] {
    x.expect(credits.room(1).take() == refused, "a refusal is paid once");
    x.expect(!credits.read().wanted[1], "nobody is owed at the end");
    x.expect(credits.read().total == 0, "every unit comes home");
  });
}

// Whoever is told that the last unit is home sees what every holder did with his.
CHAPPE_EXPLORE(credits_the_last_unit_home_sees_what_the_others_did) {
  flow::Credits::Limits limits;
  limits.total = 2;
  limits.lane_max = {2, 2, 0, 0};
  auto& loop = x.make<Loop>("loop");
  auto& credits = x.make<flow::Credits>("credits", loop.executor.wakes(), limits);
  auto& buffers = x.make<Buffers>("buffers");
  auto& slot = x.make<Slot>("task");
  auto& idles = x.make<std::uint32_t>("idles", 0u);
  credits.try_take(0).hand_over();
  credits.try_take(1).hand_over();
  loop.executor.spawn(slot, "owner", &look_when_idle, loop.executor, credits, buffers, idles);
  for (const std::uint8_t lane : {std::uint8_t{0}, std::uint8_t{1}}) {
    x.worker(lane == 0 ? "lane 0" : "lane 1", [&credits, &buffers, lane] {
      buffers.of[lane].write(1);
      credits.release(lane, 1);
    });
  }
  x.worker("executor", [&] { loop.executor.run(); });
  x.finally([&] { x.expect(idles == 1, "one release sees the last unit"); });
}

// The hardware may confirm before the sender's next instruction.
CHAPPE_EXPLORE(in_flight_is_counted_before_the_hand_over) {
  auto& loop = x.make<Loop>("loop");
  auto& inflight = x.make<flow::Inflight>("in flight", loop.executor.wakes());
  auto& frame = x.make<sync::Parker>("frame");
  x.worker("sender", [&] {
    inflight.submitted();
    frame.unpark();
  });
  x.worker("hardware", [&] {
    frame.park();
    inflight.confirmed();
  });
  x.finally([&] { x.expect(inflight.read().pending == 0, "the books are even"); });
}

// Refuse against release: two lanes want the only unit, which a third party gives back.
CHAPPE_EXPLORE(credits_two_lanes_wait_for_one_unit) {
  auto& lanes = x.make<Lanes>("credits");
  auto& first = x.make<Slot>("first");
  auto& second = x.make<Slot>("second");
  auto& served = x.make<int>("served", 0);
  async::Executor& executor = lanes.loop.executor;
  lanes.credits.try_take(0).hand_over();
  executor.spawn(first, "lane 0", &take_and_use, lanes, std::uint8_t{0}, served);
  executor.spawn(second, "lane 1", &take_and_use, lanes, std::uint8_t{1}, served);
  x.worker("executor", [&] { executor.run(); });
  x.worker("radio", [&] {
    lanes.buffer.write(7);
    lanes.credits.release(0, 1);
  });
  x.finally([&] {
    x.expect(served == 2, "both are served, one after the other");
    x.expect(lanes.credits.read().total == 0, "the unit is home");
  });
}

CHAPPE_EXPLORE(credits_an_interrupt_releases_at_every_step_of_a_refusal) {
  auto& lanes = x.make<Lanes>("credits");
  auto& slot = x.make<Slot>("task");
  auto& served = x.make<int>("served", 1);
  async::Executor& executor = lanes.loop.executor;
  lanes.credits.try_take(1).hand_over();
  executor.spawn(slot, "lane 0", &take_and_use, lanes, std::uint8_t{0}, served);
  x.task("executor", [&] { executor.run(); });
  x.interrupt("radio", 1, [&] { lanes.credits.release(1, 1); });
  x.finally([&] { x.expect(served == 2, "who is refused is told"); });
}

CHAPPE_EXPLORE(credits_close_against_take) {
  auto& lanes = x.make<Lanes>("credits");
  struct Books {
    bool taken = false;
    bool closed = false;
  };
  auto& books = x.make<Books>("books");
  x.worker("lane 0", [&] {
    flow::Credit credit = lanes.credits.try_take(0);
    books.taken = static_cast<bool>(credit);
    if (!credit) return;
    lanes.buffer.write(1);
    credit.hand_over();  // it stays out
  });
  x.worker("power", [&] {
    books.closed = lanes.credits.try_close();
    if (books.closed) lanes.buffer.write(9);
  });
  x.finally([&] {
    const flow::Credits::Snapshot end = lanes.credits.read();
    x.expect(books.taken != books.closed, "either the unit is taken, or it is closed");
    x.expect(end.wanted[0] == !books.taken, "who was refused is owed");
    x.possible(books.taken, "taken first");
    x.possible(books.closed, "closed first");
    if (books.taken) lanes.credits.release(0, 1);
  });
}

// Confirm against submit: both halves of the word change together, in any order of the two.
CHAPPE_EXPLORE(in_flight_confirm_against_submit) {
  auto& loop = x.make<Loop>("loop");
  auto& inflight = x.make<flow::Inflight>("in flight", loop.executor.wakes());
  inflight.submitted();
  inflight.submitted();
  x.always([&] {
    const flow::Inflight::Snapshot now = inflight.read();
    x.expect(now.pending + now.confirmed >= 2 && now.pending + now.confirmed <= 4,
             "submitted is pending or confirmed, at every instant");
  });
  x.worker("sender", [&] {
    inflight.submitted();
    inflight.submitted();
  });
  x.worker("radio", [&] {
    inflight.confirmed();
    inflight.confirmed();
  });
  x.finally([&] {
    const flow::Inflight::Snapshot end = inflight.read();
    x.expect(end.pending == 2 && end.confirmed == 2, "every one is counted");
  });
}

// The supervisor looks for the second time as the confirmation comes after all.
CHAPPE_EXPLORE(in_flight_watchdog_against_late_confirm) {
  auto& clock = x.make<explore::ModelClock>("clock");
  auto& loop = x.make<Loop>("loop", &clock);
  auto& inflight = x.make<flow::Inflight>("in flight", loop.executor.wakes());
  auto& slot = x.make<Slot>("task");
  auto& wedges = x.make<int>("wedges", 0);
  inflight.submitted();
  inflight.supervise(
      loop.executor,
      slot,
      Duration(10),
      [](void* count, const flow::Inflight::Snapshot& at) {
        CHAPPE_CHECK(at.pending == 1 && at.confirmed == 0);
        ++*static_cast<int*>(count);
      },
      &wedges);
  x.worker("executor", [&] { loop.executor.run(); });
  x.may_sleep_for_ever();
  x.worker("time", [&] {
    clock.advance_to(10);
    loop.port.kick();
  });
  x.worker("radio", [&] { inflight.confirmed(); });
  x.finally([&] {
    x.expect(inflight.read().pending == 0, "what came late is counted all the same");
    x.expect(inflight.wedge_count() == static_cast<std::uint64_t>(wedges), "each is reported");
    x.possible(wedges == 1, "the look comes first");
    x.possible(wedges == 0, "the confirmation comes first");
  });
}

CHAPPE_EXPLORE(in_flight_no_wedge_while_things_move) {
  auto& clock = x.make<explore::ModelClock>("clock");
  auto& loop = x.make<Loop>("loop", &clock);
  auto& inflight = x.make<flow::Inflight>("in flight", loop.executor.wakes());
  auto& slot = x.make<Slot>("task");
  auto& wedges = x.make<int>("wedges", 0);
  inflight.supervise(
      loop.executor,
      slot,
      Duration(10),
      [](void* count, const flow::Inflight::Snapshot&) { ++*static_cast<int*>(count); },
      &wedges);
  x.worker("executor", [&] { loop.executor.run(); });
  x.may_sleep_for_ever();
  x.worker("radio", [&] {
    // Each frame is back before a period is over.
    for (int period = 1; period <= 2; ++period) {
      inflight.submitted();
      inflight.confirmed();
      clock.advance_to(10 * period);
      loop.port.kick();
    }
  });
  x.finally([&] {
    x.expect(wedges == 0, "no wedge is reported while frames come back");
    x.expect(inflight.read().pending == 0, "the books are even");
  });
}

CHAPPE_EXPLORE(in_flight_a_frame_that_stays_out_is_a_wedge) {
  auto& clock = x.make<explore::ModelClock>("clock");
  auto& loop = x.make<Loop>("loop", &clock);
  auto& inflight = x.make<flow::Inflight>("in flight", loop.executor.wakes());
  auto& slot = x.make<Slot>("task");
  auto& wedges = x.make<int>("wedges", 0);
  inflight.supervise(
      loop.executor,
      slot,
      Duration(10),
      [](void* count, const flow::Inflight::Snapshot&) { ++*static_cast<int*>(count); },
      &wedges);
  x.worker("executor", [&] { loop.executor.run(); });
  x.may_sleep_for_ever();
  x.worker("sender", [&] {
    inflight.submitted();
    for (int period = 1; period <= 2; ++period) {
      clock.advance_to(10 * period);
      loop.port.kick();
    }
  });
  x.finally([&] {
    x.expect(wedges <= 2, "at most one wedge a period");
    // Its two looks are a period apart, from whenever it looked first.
    x.expect(wedges >= 1 || loop.executor.next_deadline() > at_us(20), "no look is left out");
    x.expect(loop.executor.next_deadline() != kNever, "while a frame is out, somebody will look");
  });
}

// Any three things that a service may do, while its client wakes when it wakes.
CHAPPE_EXPLORE(notifier_with_restart) {
  auto& loop = x.make<Loop>("loop");
  auto& client = x.make<flow::Subscriber>("client", loop.executor.wakes());
  auto& notifier = x.make<flow::Notifier>("notifier");
  auto& slot = x.make<Slot>("task");
  struct Books {
    std::uint32_t seen = 0;
    std::uint32_t posted = 0;
    int wakes = 0;
    std::uint64_t restarts = 0;
  };
  auto& books = x.make<Books>("books");
  notifier.attach(client);
  loop.executor.spawn(slot, "client", &listen, client, books.seen, books.wakes);
  x.worker("service", [&] {
    bool owed = false;
    for (int i = 0; i < 3; ++i) {
      switch (x.choose(3)) {
        case 0: {
          const flow::Access access = notifier.want(client, 0);
          if (access != flow::Access::restarted) owed = access == flow::Access::refused;
          break;
        }
        case 1: {
          const std::uint64_t before = notifier.posts();
          notifier.progress(client, 0, 1);
          x.expect((notifier.posts() != before) == owed, "told if, and only if, owed");
          if (owed) books.posted |= 1;
          owed = false;
          break;
        }
        default:
          notifier.restarted();
          books.posted |= flow::Subscriber::kRestarted;
          ++books.restarts;
          owed = false;
      }
    }
  });
  x.worker("client", [&] { loop.executor.run(); });
  x.may_sleep_for_ever();
  x.finally([&] {
    x.expect(books.seen == books.posted, "the client learns what was posted, and nothing else");
    x.expect(notifier.posts() <= notifier.refusals() + books.restarts, "posts are paid for");
    x.expect(books.wakes <= static_cast<int>(notifier.posts()), "no wake without a post");
  });
}

// Refusal against room, which appears in an interrupt.
CHAPPE_EXPLORE(notifier_refusal_against_room) {
  auto& loop = x.make<Loop>("loop");
  auto& client = x.make<flow::Subscriber>("client", loop.executor.wakes());
  auto& notifier = x.make<flow::Notifier>("notifier");
  auto& refused = x.make<std::uint32_t>("refused", 0u);
  notifier.attach(client);
  x.task("service", [&] {
    for (int i = 0; i < 2; ++i) refused += notifier.want(client, 0) == flow::Access::refused;
  });
  x.interrupt("radio", 1, [&] { notifier.progress(client, 0, 1); });
  x.worker("other radio", [&] { notifier.progress(client, 0, 1); });
  x.finally([&] {
    x.expect(notifier.posts() <= refused, "nobody is told who was not refused");
    // Two units came for two wishes: what was refused last is told, if room came after.
    const bool room = notifier.want(client, 0) == flow::Access::granted;
    x.expect(room == (refused > 0), "a unit that was not granted is still there");
    x.expect(refused == 0 || notifier.posts() >= 1, "who was refused, and has room now, is told");
    x.possible(refused == 0, "room comes first");
    x.possible(refused == 2 && notifier.posts() == 1, "two refusals are one debt");
    static_cast<void>(client.wake().take(~0u));
  });
}

// Detach against progress: what is on its way to a client that goes finds nobody, and no harm.
CHAPPE_EXPLORE(notifier_detach_against_progress) {
  auto& loop = x.make<Loop>("loop");
  auto& notifier = x.make<flow::Notifier>("notifier");
  auto& client = x.make<std::optional<flow::Subscriber>>("client");
  auto& stays = x.make<flow::Subscriber>("stays", loop.executor.wakes());
  auto& stopped = x.make<sync::Parker>("stopped");
  auto& slot = x.make<Slot>("task");
  struct Books {
    std::uint32_t seen = 0;
    int wakes = 0;
  };
  auto& books = x.make<Books>("books");
  client.emplace(loop.executor.wakes());
  notifier.attach(*client);
  notifier.attach(stays);
  x.expect(notifier.want(*client, 0) == flow::Access::refused, "nothing is there");
  x.expect(notifier.want(stays, 0) == flow::Access::refused, "nothing is there");
  loop.executor.spawn(slot, "stays", &listen, stays, books.seen, books.wakes);
  x.worker("radio", [&] {
    notifier.progress(*client, 0, 1);
    stopped.unpark();  // as who calls progress() has to, before the client goes
    notifier.progress(stays, 0, 1);
  });
  x.worker("executor", [&] {
    static_cast<void>(loop.executor.step());
    stopped.park();
    client.reset();
    loop.executor.run();
  });
  x.may_sleep_for_ever();
  x.finally([&] {
    x.expect(books.seen == 1 && books.wakes == 1, "who stays is told, once");
    notifier.restarted();
    x.expect(notifier.blasts() == 1, "who is gone is not told of a restart");
  });
}

// A restart while a client is owed, and another one before it has run at all.
CHAPPE_EXPLORE(notifier_two_restarts_before_a_refused_client_runs) {
  auto& loop = x.make<Loop>("loop");
  auto& client = x.make<flow::Subscriber>("client", loop.executor.wakes());
  auto& notifier = x.make<flow::Notifier>("notifier");
  auto& slot = x.make<Slot>("task");
  struct Books {
    std::uint32_t seen = 0;
    int wakes = 0;
  };
  auto& books = x.make<Books>("books");
  notifier.attach(client);
  loop.executor.spawn(slot, "client", &listen, client, books.seen, books.wakes);
  x.worker("service", [&] {
    x.expect(notifier.want(client, 0) == flow::Access::refused, "nothing is there");
    const auto restarts = x.choose(2) + 1;
    for (std::uint64_t i = 0; i < restarts; ++i) notifier.restarted();
    notifier.progress(client, 0, 1);  // the debt is void: nobody is told
    x.expect(notifier.posts() == restarts, "a restart tells each client once");
    x.expect(notifier.want(client, 0) == flow::Access::restarted, "the client learns it");
    x.expect(notifier.want(client, 0) == flow::Access::granted, "and once is enough");
  });
  x.worker("client", [&] { loop.executor.run(); });
  x.may_sleep_for_ever();
  x.finally([&] {
    x.expect(books.seen == flow::Subscriber::kRestarted, "the client hears of the restart alone");
    x.expect(books.wakes <= 2, "at most once for each");
    x.possible(books.wakes == 1 && notifier.posts() == 2, "two restarts are one wake");
    x.possible(books.wakes == 2, "two wakes");
  });
}

}  // namespace chappe
