// The transmitter, its own code with the real ledger, lock and executor, and radios that may do at
// each frame whatever a radio can do.

#include "chappe/tx/transmitter.h"

#include <algorithm>
#include <array>

#include "chappe/async/sleep.h"
#include "chappe/explore/exploration.h"
#include "chappe/radio/airtime.h"
#include "chappe/sync/parker.h"
#include "chappe/tx/ledger.h"
#include "tests/interleavings/model_port.h"

namespace chappe {
namespace {

using Slot = async::TaskSlot<2048>;
using tx::Outcome;

constexpr std::array<std::uint8_t, 1> kFrame{};
const Duration kAirtime = radio::time_on_air(radio::Modulation{}, kFrame.size());
constexpr Duration kWindow = seconds(60);

// Time that passes only while the executor has nothing to do: then up to its next timer, at once.
// Who kicks meanwhile is heard when it comes back, and so is who kicked just before.
class LeapingPort final : public sync::Port {
 public:
  Time now() noexcept override { return now_; }
  void wait(Time deadline) noexcept override {
    if (deadline == kNever) return parker_.park();
    now_ = std::max(now_, deadline);
  }
  void kick() noexcept override { parker_.unpark(); }

 private:
  Time now_{};  // the executor's context only
  sync::Parker parker_;
};

// What has been on the air, or may have been: the books that the ledger is held against.
struct Air {
  struct Span {
    Time from{};
    Time to{};
  };
  std::array<Span, 12> spans{};
  std::size_t count = 0;
  Duration debited{};  // what must be debited now

  // In no window more than `limit`. While sending it only grows: the windows that end with a frame
  // are enough.
  bool legal(Duration limit) const {
    for (std::size_t i = 0; i < count; ++i) {
      const Time end = spans[i].to;
      Duration sum{};
      for (std::size_t k = 0; k < count; ++k) {
        const Time from = std::max(spans[k].from, end - kWindow);
        const Time to = std::min(spans[k].to, end);
        if (from < to) sum += to - from;
      }
      if (sum > limit) return false;
    }
    return true;
  }
};

// What a radio may do at a frame.
enum class Does : std::uint8_t { send, fail_unkeyed, send_and_fail, count };

class ModelRadio final : public radio::Radio {
 public:
  ModelRadio(explore::World& x, async::Executor& executor, tx::SmallLedger& ledger, Air& air)
      : x_(x),
        executor_(executor),
        ledger_(ledger),
        air_(air),
        credits_(executor.wakes(), one_buffer()),
        heard_(executor.wakes()) {}

  const radio::Modulation& modulation() const override { return modulation_; }
  flow::Credits& credits() override { return credits_; }
  sync::Signal& heard() override { return heard_; }
  bool take(radio::Frame&) override { return false; }

  async::Task<radio::Channel> listen(const radio::Right&) override {
    x_.expect(!on_air_, "nobody listens while it sends");
    const bool busy = busy_looks > 0 && x_.choose(2) == 1;
    if (busy) --busy_looks;
    co_return busy ? radio::Channel::busy : radio::Channel::clear;
  }

  async::Task<Result<radio::Transmitted, radio::TransmitFailure>> transmit(
      const radio::Right&, Bytes, [[maybe_unused]] flow::Credit credit) override {
    x_.expect(!on_air_, "one frame at a time");
    x_.expect(right().owner() == sync::Agent::running(), "the sender holds the Right");
    air_.debited += kAirtime;
    x_.expect(ledger_.total() == air_.debited, "checked and debited in the last instant");
    const Does does = failures > 0 ? static_cast<Does>(x_.choose(3)) : Does::send;
    if (does != Does::send) --failures;
    if (does == Does::fail_unkeyed) {
      air_.debited -= kAirtime;
      co_return Unexpected(radio::TransmitFailure::never_keyed);
    }
    on_air_ = true;
    const Time from = executor_.now();
    air_.spans[air_.count++] = {from, from + kAirtime};
    co_await async::sleep_until(executor_, from + kAirtime);
    on_air_ = false;
    if (does == Does::send_and_fail) co_return Unexpected(radio::TransmitFailure::unsure);
    co_return radio::Transmitted{from, kAirtime};
  }

  int busy_looks = 0;  // at most so many
  int failures = 0;    // and so many frames that are not sent as they should

 private:
  static flow::Credits::Limits one_buffer() {
    flow::Credits::Limits limits;
    limits.total = 1;
    limits.lane_max = {1, 0, 0, 0};
    return limits;
  }

  explore::World& x_;
  async::Executor& executor_;
  tx::SmallLedger& ledger_;
  Air& air_;
  radio::Modulation modulation_;
  flow::Credits credits_;
  sync::Signal heard_;
  bool on_air_ = false;
};

async::Task<> submit_when_told(sync::Signal& told,
                               tx::Transmitter& transmitter,
                               tx::Origin origin) {
  co_await told.next();
  tx::Submission submission;
  submission.frame = kFrame;
  submission.origin = origin;
  transmitter.submit(submission);
}

// A radio with the transmitter that alone keys it.
struct Sender final : tx::Observer {
  Sender(explore::World& x, async::Executor& executor, tx::SmallLedger& ledger, Air& air)
      : radio(x, executor, ledger, air),
        transmitter(executor, radio, ledger, random, tx::Policy{}) {
    transmitter.observe(this);
    transmitter.start();
  }
  ~Sender() { transmitter.observe(nullptr); }
  void on_outcome(std::uint64_t, Bytes, const Outcome&) noexcept override { ++outcomes; }

  ConstantRandom random{0};
  ModelRadio radio;
  tx::Transmitter transmitter;
  int outcomes = 0;
};

// The radios of one mast, which share a ledger, and who wants to send on them.
struct Mast {
  Mast(explore::World& world, Duration most)
      : x(world), limit(most), rules{tx::Rule{kWindow, most}}, ledger(rules) {}

  explore::World& x;
  const Duration limit;
  const std::array<tx::Rule, 1> rules;
  LeapingPort port;
  async::Executor executor{port};
  tx::SmallLedger ledger;
  Air air;
};

struct Submitter {
  explicit Submitter(Mast& mast) : told(mast.executor.wakes()) {}
  sync::Signal told;
  Slot slot;
};

// It may want to at any instant: as an interrupt, which is one step for others, because what
// threads do to the wake list is that one's own test.
void submits(explore::World& x,
             Mast& mast,
             Sender& sender,
             const char* name,
             tx::Origin origin = tx::Origin::relay) {
  auto& submitter = x.make<Submitter>(name, mast);
  mast.executor.spawn(
      submitter.slot, name, &submit_when_told, submitter.told, sender.transmitter, origin);
  x.interrupt(name, 1, [&submitter] { submitter.told.set(); });
}

void runs(explore::World& x, Mast& mast) {
  x.task("executor", [&mast] { mast.executor.run(); });
  x.may_sleep_for_ever();
}

void check_books(explore::World& x, Mast& mast, const Sender& sender, int submitted) {
  const tx::Statistics& books = sender.transmitter.statistics();
  x.expect(sender.outcomes == submitted, "each frame has one outcome");
  x.expect(books.balances() && books.waiting == 0, "the books balance");
  x.expect(mast.ledger.total() == mast.air.debited,
           "debited is what was, or may have been, radiated, and nothing else");
  x.expect(mast.air.legal(mast.limit), "no window has more than the limit");
}

}  // namespace

CHAPPE_EXPLORE(transmitter_two_senders) {
  auto& mast = x.make<Mast>("mast", x, kAirtime);  // the second has to wait for its window
  auto& sender = x.make<Sender>("sender", x, mast.executor, mast.ledger, mast.air);
  sender.radio.busy_looks = 1;
  sender.radio.failures = 2;
  submits(x, mast, sender, "first");
  submits(x, mast, sender, "second");
  runs(x, mast);
  x.finally([&] {
    check_books(x, mast, sender, 2);
    x.possible(mast.air.count == 2, "both are sent");
    x.possible(mast.air.count == 0, "neither is sent");
    x.possible(sender.transmitter.statistics().unsure == 2 * kAirtime, "both are unsure");
    x.possible(sender.transmitter.statistics().back_offs == 1, "one backs off");
  });
}

CHAPPE_EXPLORE(transmitter_three_senders) {
  auto& mast = x.make<Mast>("mast", x, 2 * kAirtime);
  auto& sender = x.make<Sender>("sender", x, mast.executor, mast.ledger, mast.air);
  sender.radio.failures = 1;
  submits(x, mast, sender, "first");
  submits(x, mast, sender, "second");
  submits(x, mast, sender, "third");
  runs(x, mast);
  x.finally([&] {
    check_books(x, mast, sender, 3);
    x.possible(mast.air.count == 3, "all are sent");
    x.possible(mast.air.count == 2, "one fails");
  });
}

// A local frame that failed is tried again: debited again, and only then.
CHAPPE_EXPLORE(transmitter_a_second_attempt_beside_another_sender) {
  auto& mast = x.make<Mast>("mast", x, 2 * kAirtime);
  auto& sender = x.make<Sender>("sender", x, mast.executor, mast.ledger, mast.air);
  sender.radio.failures = 2;
  submits(x, mast, sender, "local", tx::Origin::local);
  submits(x, mast, sender, "relay");
  runs(x, mast);
  x.finally([&] {
    check_books(x, mast, sender, 2);
    x.possible(mast.air.count == 3, "three transmissions of two frames");
  });
}

CHAPPE_EXPLORE(transmitter_two_radios_share_a_ledger) {
  auto& mast = x.make<Mast>("mast", x, kAirtime);  // enough for one of the two
  auto& east = x.make<Sender>("east", x, mast.executor, mast.ledger, mast.air);
  auto& west = x.make<Sender>("west", x, mast.executor, mast.ledger, mast.air);
  east.radio.failures = 1;
  west.radio.failures = 1;
  submits(x, mast, east, "eastern");
  submits(x, mast, west, "western");
  runs(x, mast);
  x.finally([&] {
    check_books(x, mast, east, 1);
    check_books(x, mast, west, 1);
    x.possible(mast.air.count == 2, "both are sent");
    x.possible(mast.air.count == 0, "neither is sent");
  });
}

// With room for two, both may be on the air at once, and a third waits for both.
CHAPPE_EXPLORE(transmitter_two_radios_at_once_and_a_third_frame) {
  auto& mast = x.make<Mast>("mast", x, 2 * kAirtime);
  auto& east = x.make<Sender>("east", x, mast.executor, mast.ledger, mast.air);
  auto& west = x.make<Sender>("west", x, mast.executor, mast.ledger, mast.air);
  submits(x, mast, east, "eastern");
  submits(x, mast, west, "western");
  submits(x, mast, east, "third");
  runs(x, mast);
  x.finally([&] {
    check_books(x, mast, east, 2);
    check_books(x, mast, west, 1);
    const Air& air = mast.air;
    x.possible(air.spans[0].from == air.spans[1].from, "two radios send at the same time");
  });
}

// The end comes at any instant: what is on the air stays spent, and everybody hears of it.
namespace {

async::Task<> stop_when_told(sync::Signal& told, tx::Transmitter& transmitter) {
  co_await told.next();
  transmitter.stop();
}

}  // namespace

CHAPPE_EXPLORE(transmitter_stopped_beside_a_sender) {
  auto& mast = x.make<Mast>("mast", x, kAirtime);
  auto& sender = x.make<Sender>("sender", x, mast.executor, mast.ledger, mast.air);
  auto& stopper = x.make<Submitter>("stopper", mast);
  mast.executor.spawn(stopper.slot, "stopper", &stop_when_told, stopper.told, sender.transmitter);
  submits(x, mast, sender, "first");
  x.interrupt("stopper", 1, [&stopper] { stopper.told.set(); });
  runs(x, mast);
  x.finally([&] {
    check_books(x, mast, sender, 1);
    const tx::Statistics& books = sender.transmitter.statistics();
    x.possible(books.sent == 1, "it is sent before");
    x.possible(books.unsure == kAirtime, "it is on the air then");
    x.possible(mast.air.count == 0, "it comes too late");
  });
}

}  // namespace chappe
