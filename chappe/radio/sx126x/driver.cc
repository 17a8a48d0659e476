#include "chappe/radio/sx126x/driver.h"

#include <algorithm>
#include <utility>

#include "chappe/async/sleep.h"
#include "chappe/base/check.h"
#include "chappe/radio/airtime.h"

namespace chappe::radio::sx126x {
namespace {

constexpr Duration kTickEvery = milliseconds(500);

// After the last symbol should be out, its interrupt is looked for.
constexpr Duration kLookAfter = milliseconds(2);
constexpr Duration kLookAgain = milliseconds(10);

// A transmission is given up this much later; the chip's own timer unkeys it somewhat earlier.
constexpr Duration kGiveUpAfter = milliseconds(100);
constexpr Duration kChipGivesUpAfter = milliseconds(50);

// Readings of the signal strength are wrong for so long after the receiver was armed.
constexpr Duration kSettles = milliseconds(1);

// A TX_DONE that comes much too early is doubted: it may be a flipped bit.
constexpr Duration kTooEarly = milliseconds(3);

flow::Credits::Limits one_buffer() {
  flow::Credits::Limits limits;
  limits.total = 1;  // the chip sends from one buffer, whoever asks
  limits.lane_max = {1, 1, 1, 1};
  return limits;
}

}  // namespace

Driver::Driver(async::Executor& house,
               async::Executor& own,
               Bus& bus,
               const Board& board,
               const Modulation& modulation)
    : house_(house),
      own_(own),
      bus_(bus),
      board_(board),
      credits_(house.wakes(), one_buffer()),
      inflight_(own.wakes()),
      events_(own.wakes()),
      heard_(house.wakes()),
      trouble_(house.wakes()),
      inbox_(house.wakes()),
      resets_(house.wakes()),
      reply_(house.wakes()),
      modulation_(modulation),
      link_(own, bus, counters_),
      book_(own.now()),
      tuned_(modulation) {}

Driver::~Driver() {
  bus_.listen(nullptr);
}

void Driver::start() {
  bus_.listen(this);
  book_ = TimeBook(own_.now());
  next_tick_ = own_.now() + kTickEvery;
  tick_.arm(next_tick_);
  supervise();
  own_.spawn(server_, "sx126x", &Driver::serve, this);
  house_.spawn(keeper_, "sx126x keeper", &Driver::keep, this);
}

bool Driver::take(Frame& frame) {
  const std::optional<Frame> oldest = inbox_.try_pop();
  if (oldest) frame = *oldest;
  return oldest.has_value();
}

// --- The house -----------------------------------------------------------------------------------

// Recovery keys, calibrates and resets, so it needs the Right like everybody else.
async::Task<> Driver::keep() {
  for (;;) {
    {
      const Right right = co_await this->right().take();
      co_await previous_ended();
      co_await ask(Kind::recover);
    }
    co_await trouble_.next();
  }
}

// A cancelled asker leaves its operation behind: it ends, and nobody but the next one is told.
async::Task<> Driver::previous_ended() {
  if (reply_.armed()) co_await reply_.result();
}

async::Task<Driver::Reply> Driver::ask(Kind kind) {
  op_.kind = kind;
  op_.generation = generation_.load(sync::Order::relaxed);
  ticket_ = reply_.arm();
  events_.set(kAsked);
  const Reply reply = co_await reply_.result();
  co_return reply;
}

async::Task<Channel> Driver::listen(const Right&) {
  co_await previous_ended();
  const Reply reply = co_await ask(Kind::look);
  co_return reply.channel;
}

async::Task<std::optional<Dbm>> Driver::sense(const Right&, Duration span) {
  co_await previous_ended();
  op_.span = span;
  const Reply reply = co_await ask(Kind::measure);
  if (!reply.done) co_return std::nullopt;
  co_return reply.level;
}

std::optional<Dbm> Driver::noise_floor() const {
  const DriverReport now = report();
  if (!now.noise_known) return std::nullopt;
  return now.noise_floor;
}

async::Task<Result<Transmitted, TransmitFailure>> Driver::transmit(const Right&,
                                                                   Bytes frame,
                                                                   flow::Credit credit) {
  CHAPPE_CHECK(credit);
  CHAPPE_CHECK(!frame.empty() && frame.size() <= kFrameMax);
  co_await previous_ended();
  op_.frame = FrameBytes(frame);
  op_.lane = credit.lane();
  inflight_.submitted();
  credit.hand_over();
  const Reply reply = co_await ask(Kind::send);
  if (!reply.done) co_return Unexpected(reply.failure);
  co_return reply.sent;
}

async::Task<bool> Driver::tune(const Right&, const Modulation& modulation) {
  co_await previous_ended();
  op_.modulation = modulation;
  modulation_ = modulation;
  const Reply reply = co_await ask(Kind::tune);
  co_return reply.done;
}

async::Task<bool> Driver::calibrate(const Right&) {
  co_await previous_ended();
  const Reply reply = co_await ask(Kind::calibrate);
  co_return reply.done;
}

async::Task<bool> Driver::reset(const Right&) {
  co_await previous_ended();
  const Reply reply = co_await ask(Kind::reset);
  co_return reply.done;
}

async::Task<bool> Driver::power_down(const Right&, Time deadline) {
  bool claimed = credits_.try_close();
  while (!claimed) {
    if (house_.now() >= deadline) co_return false;
    co_await async::sleep_until(house_, std::min(deadline, house_.now() + milliseconds(20)));
    claimed = credits_.try_close();
  }
  co_await previous_ended();
  const Reply reply = co_await ask(Kind::sleep);
  if (!reply.done) credits_.open();
  co_return reply.done;
}

async::Task<bool> Driver::power_up(const Right& right) {
  credits_.open();
  const bool up = co_await reset(right);
  co_return up;
}

// --- Any context ---------------------------------------------------------------------------------

void Driver::on_dio1(Time at) noexcept {
  edge_at_.store(in_us(at), sync::Order::relaxed);
  events_.set(kEdge);
}

void Driver::make_safe() noexcept {
  bus_.set_reset(true);
  bus_.set_antenna(AntennaSwitch::off);
}

// --- The server ----------------------------------------------------------------------------------

async::Task<> Driver::serve() {
  constexpr std::uint32_t kAll = kEdge | kAsked | kTick | kAlarm | kWedge | kPoll;
  for (;;) {
    publish();
    const std::uint32_t events = co_await events_.wait(kAll);
    ++counters_.wakes;
    by_edge_ = (events & kEdge) != 0;
    if ((events & (kEdge | kPoll)) != 0) co_await service();
    if ((events & kTick) != 0) {
      next_tick_ = std::max(next_tick_ + kTickEvery, own_.now());
      tick_.arm(next_tick_);
      co_await look_after();
    }
    if ((events & kAsked) != 0) co_await carry_out();
  }
}

void Driver::publish() {
  DriverReport report;
  report.at = own_.now();
  report.time = book_;
  report.counters = counters_;
  report.counters.wedges = inflight_.wedge_count();
  const std::uint32_t resets = generation_.load(sync::Order::relaxed);
  report.generation = resets > 0 ? resets - 1 : 0;  // the first one was the start
  report.listening = up_;
  report.alarm = alarm_;
  report.noise_known = noise_.known();
  report.noise_floor = noise_.level();
  report.radiated = radiated_;
  report.rssi = rssi_;
  CHAPPE_DCHECK(book_.balances(report.at));
  published_.publish(report);
}

async::Task<> Driver::carry_out() {
  Reply reply;
  switch (op_.kind) {
    case Kind::send:
      reply = co_await send_frame();
      // The only place where a credit comes home, and each operation passes it once: no
      // confirmation of the chip, late, spurious or doubled, can give back what is not out.
      if (reply.done) {
        ++counters_.sent;
      } else if (reply.failure == TransmitFailure::unsure) {
        ++counters_.unsure;
      } else if (reply.failure == TransmitFailure::restarted) {
        ++counters_.restarted;
      } else {
        ++counters_.never_keyed;
      }
      inflight_.confirmed();
      credits_.release(op_.lane, 1);
      break;
    case Kind::look:
      reply = co_await look_for_others();
      break;
    case Kind::measure:
      reply = co_await measure();
      break;
    case Kind::tune:
      tuned_ = op_.modulation;
      supervise();
      reply.done = co_await recover(Stage::recalibrate);
      break;
    case Kind::calibrate:
      reply.done = co_await recover(Stage::recalibrate);
      break;
    case Kind::recover:
      // Somebody else's operation may have put it right meanwhile.
      reply.done = up_ || asleep_;
      if (!reply.done) {
        const bool new_chip = book_.activity() == Activity::starting;
        reply.done = co_await recover(new_chip ? Stage::reset : Stage::standby);
      }
      break;
    case Kind::reset:
      asleep_ = false;
      reply.done = co_await recover(Stage::reset);
      break;
    case Kind::sleep:
      reply.done = co_await go_to_sleep();
      break;
  }
  publish();
  reply_.complete(ticket_, reply);
}

async::Task<Driver::Reply> Driver::send_frame() {
  Reply reply;
  reply.failure = TransmitFailure::restarted;
  if (asleep_ || op_.generation != generation_.load(sync::Order::relaxed)) co_return reply;
  // What was heard and not yet read shares the chip's memory with what is to be sent.
  by_edge_ = false;
  co_await service();
  if (!up_) {
    const bool back = co_await recover(Stage::standby);
    if (!back || op_.generation != generation_.load(sync::Order::relaxed)) co_return reply;
  }

  const Duration airtime = time_on_air(tuned_, op_.frame.size());
  enter(Activity::turning);
  const bool loaded = co_await load_frame();
  if (!loaded) {
    co_await recover(Stage::standby);
    const bool same = op_.generation == generation_.load(sync::Order::relaxed);
    reply.failure = same ? TransmitFailure::never_keyed : TransmitFailure::restarted;
    co_return reply;
  }

  // From here on something may be radiated, whatever we are told.
  reply.failure = TransmitFailure::unsure;
  bus_.set_antenna(AntennaSwitch::transmit);
  const Duration limit = airtime + airtime / 16 + kChipGivesUpAfter;
  bool keyed = co_await link_.send(set_tx(limit));
  if (keyed) keyed = co_await link_.ready(milliseconds(20));
  const Time since = own_.now();
  if (keyed) {
    enter(Activity::transmitting);
    const std::optional<ChipStatus> status = co_await link_.status();
    if (status && !status->is(ChipMode::tx)) {
      keyed = false;
      if (status->refused()) reply.failure = TransmitFailure::never_keyed;
    }
  }
  if (keyed) reply.done = co_await wait_for_end(since, airtime, &reply.sent);
  const bool silent = reply.failure != TransmitFailure::unsure;
  if (reply.done) {
    radiated_ += reply.sent.airtime;
  } else if (!silent) {
    radiated_ += std::max(airtime, own_.now() - since);
  }
  enter(Activity::turning);
  bool listens = false;
  if (reply.done) listens = co_await arm();
  if (!reply.done && reply.failure == TransmitFailure::unsure) ++owed_confirmations_;
  // Standby first: whatever it still sends ends there.
  if (!listens) co_await recover(Stage::standby);
  co_return reply;
}

// Everything before the key. Nothing is radiated whatever fails here.
async::Task<bool> Driver::load_frame() {
  bool ok = co_await link_.send(set_standby(Standby::xosc));
  if (ok) ok = co_await link_.write_buffer(op_.frame);
  if (ok) ok = co_await link_.send(set_modulation(tuned_));
  if (ok) ok = co_await link_.send(set_frequency(tuned_.frequency));
  if (ok) ok = co_await link_.send(write_sync_word());
  if (ok) ok = co_await link_.send(set_packet(tuned_, op_.frame.size()));
  if (ok) ok = co_await link_.send(set_dio_irq(irq::kLatched, irq::kTold));
  // A preamble that was being received is given up; that the last transmission ended is known.
  constexpr std::uint16_t kOver =
      irq::kTxDone | irq::kTimeout | irq::kPreambleDetected | irq::kHeaderValid | irq::kHeaderError;
  if (ok) ok = co_await link_.send(clear_irq(kOver));
  if (!ok) co_return false;
  // The chip that takes all this and stands in standby is the one that we have set up.
  const std::optional<ChipStatus> status = co_await link_.status();
  co_return status && status->is(ChipMode::standby_xosc) && !status->refused();
}

// True if the last symbol is out.
async::Task<bool> Driver::wait_for_end(Time keyed, Duration airtime, Transmitted* sent) {
  const Time due = keyed + airtime;
  const Time give_up = due + airtime / 16 + kGiveUpAfter;
  Time look = due + kLookAfter;
  int silences = 0;
  bool overdue = false;  // seen to go on for longer than it should
  for (;;) {
    alarm_timer_.arm(look);
    const std::uint32_t events = co_await events_.wait(kEdge | kAlarm | kWedge);
    const bool edge = (events & kEdge) != 0;
    const std::optional<std::uint16_t> seen = co_await flags();
    const Time now = own_.now();
    if (seen && (*seen & irq::kTxDone) != 0) {
      const bool in_time = now + kTooEarly >= due;
      std::optional<std::uint16_t> again = seen;
      if (!in_time) again = co_await flags();
      if (again && (*again & irq::kTxDone) != 0) {
        alarm_timer_.cancel();
        co_await link_.send(clear_irq(*seen));
        if (!edge) ++counters_.edges_missed;
        // How long it lasted, as DIO1 tells. An edge that was late or lost tells nothing: it lasted
        // what its symbols last, unless it was seen to go on.
        const Time ended = edge ? at_us(edge_at_.load(sync::Order::relaxed)) : now;
        Duration measured = ended - keyed;
        const Duration off = measured > airtime ? measured - airtime : airtime - measured;
        if (!overdue && (!edge || off > kLookAfter)) measured = airtime;
        *sent = Transmitted{keyed, measured};
        co_return in_time;
      }
    }
    if (seen) {
      silences = 0;
      if (edge && *seen == 0) ++counters_.edges_for_nothing;
      if (now > due) overdue = true;
      if ((*seen & irq::kTimeout) != 0) break;
    } else if (link_.fault() == ChipLink::Fault::silent) {
      ++silences;  // the first may be a flipped bit
      if (silences > 1) break;
    }
    if (now >= give_up || (events & kWedge) != 0) break;
    look = now < due ? due + kLookAfter : std::min(now + kLookAgain, give_up);
    if (silences > 0) look = now + milliseconds(1);
  }
  alarm_timer_.cancel();
  co_return false;
}

// --- Listening before talking --------------------------------------------------------------------

async::Task<Driver::Reply> Driver::look_for_others() {
  Reply reply;
  if (asleep_) co_return reply;
  by_edge_ = false;
  co_await service();
  if (!up_) {
    const bool back = co_await recover(Stage::standby);
    if (!back) co_return reply;
  }
  reply.done = true;
  if (signal_until_ != kNever) co_return reply;  // somebody's preamble or header stands
  // Whoever is sending now began after that, so the receiver would have seen the preamble.
  const Duration longest = time_on_air(tuned_, kFrameMax);
  const bool sure = attentive_since_ != kNever && own_.now() - attentive_since_ > longest;
  if (sure && board_.sensing == Sensing::when_unsure) {
    reply.channel = Channel::clear;
    co_return reply;
  }
  enter(Activity::sensing);
  attentive_since_ = kNever;
  bool busy = true;
  const bool looked = co_await detect_activity(&busy);
  bool listens = false;
  if (looked) listens = co_await arm();
  if (!listens) {
    reply.done = co_await recover(Stage::standby);
  } else if (!busy) {
    reply.channel = Channel::clear;
  }
  co_return reply;
}

// Levels while the receiver listens on; it has to have settled for a millisecond.
async::Task<Driver::Reply> Driver::measure() {
  Reply reply;
  const Time begun = own_.now();
  if (begun < last_good_ + kSettles) co_await async::sleep_until(own_, last_good_ + kSettles);
  const Time until = own_.now() + op_.span;
  do {
    if (!up_) co_return reply;
    const std::optional<Command> answer = co_await link_.ask(get_rssi());
    if (!answer) co_return reply;
    const Dbm level = rssi_from((*answer)[2]);
    if (!reply.done || level > reply.level) reply.level = level;
    reply.done = true;
    co_await async::sleep_until(own_, std::min(until, own_.now() + kSettles));
  } while (own_.now() < until);
  co_return reply;
}

async::Task<bool> Driver::detect_activity(bool* busy) {
  bool ok = co_await link_.send(set_standby(Standby::xosc));
  if (ok) ok = co_await link_.send(set_cad_params(tuned_.spreading));
  if (ok) ok = co_await link_.send(clear_irq(irq::kCadDone | irq::kCadDetected));
  if (ok) ok = co_await link_.send(set_cad());
  if (!ok) co_return false;
  const Time give_up = own_.now() + cad_lasts(tuned_) + 2 * kLookAgain;
  Time look = own_.now() + cad_lasts(tuned_) + kLookAfter;
  for (;;) {
    alarm_timer_.arm(look);
    const std::uint32_t events = co_await events_.wait(kEdge | kAlarm);
    const std::optional<std::uint16_t> seen = co_await flags();
    if (seen && (*seen & irq::kCadDone) != 0) {
      alarm_timer_.cancel();
      if ((events & kEdge) == 0) ++counters_.edges_missed;
      *busy = (*seen & irq::kCadDetected) != 0;
      const bool cleared = co_await link_.send(clear_irq(irq::kCadDone | irq::kCadDetected));
      co_return cleared;
    }
    if (seen && (events & kEdge) != 0 && *seen == 0) ++counters_.edges_for_nothing;
    if (own_.now() >= give_up) co_return false;
    look = std::min(std::max(look, own_.now() + kLookAfter), give_up);
  }
}

async::Task<bool> Driver::go_to_sleep() {
  bool ok = co_await link_.send(set_standby(Standby::rc));
  if (ok) ok = co_await link_.send(set_sleep_warm());
  if (!ok) {
    co_await recover(Stage::standby);
    co_return false;
  }
  bus_.set_antenna(AntennaSwitch::off);
  up_ = false;
  asleep_ = true;
  attentive_since_ = signal_until_ = kNever;
  enter(Activity::off);
  co_return true;
}

}  // namespace chappe::radio::sx126x
