#include "chappe/tx/transmitter.h"

#include <algorithm>

#include "chappe/async/sleep.h"
#include "chappe/base/note.h"
#include "chappe/radio/airtime.h"

namespace chappe::tx {
namespace {

constexpr std::uint8_t kLane = 0;  // of the radio's buffers

// How long a frame waits when a law refuses what it had forecast: no law of ours does.
constexpr Duration kHopefulLaw = milliseconds(100);

// Added to the rank of frames whose neighbour is too far ahead: behind every priority there is.
constexpr std::uint16_t kBehindAll = 256;

}  // namespace

Waiting::Waiting(Transmitter& transmitter)
    : transmitter_(transmitter), timer_(transmitter.executor_, *this) {}

void Waiting::Due::fired(Timer& timer, const async::TimerContext& context) {
  Waiting& waiting = static_cast<Due&>(timer).waiting;
  if (waiting.state_ == State::delayed) return waiting.transmitter_.enter_line(waiting);
  waiting.transmitter_.finish(waiting,
                              Unexpected(Refused{Why::expired, Stage::gate, context.now()}));
}

Transmitter::Budget::Budget(Transmitter& of) : Timer(of.executor_, &fired), transmitter(of) {}

void Transmitter::Budget::fired(Timer& timer, const async::TimerContext&) {
  static_cast<Budget&>(timer).transmitter.due_.wake_one();
}

std::uint64_t Statistics::refused() const {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : refused_early) sum += count;
  for (const std::uint64_t count : refused_at_gate) sum += count;
  return sum;
}

std::optional<Duration> Statistics::undebited(const radio::Radio& radio) const {
  const std::optional<Duration> radiated = radio.radiated();
  if (!radiated) return std::nullopt;
  return *radiated - airtime - on_air - unsure;
}

Transmitter::Transmitter(
    async::Executor& executor, radio::Radio& radio, Law& law, Random& random, const Policy& policy)
    : executor_(executor),
      radio_(radio),
      law_(law),
      random_(random),
      policy_(policy),
      budget_(*this) {
  CHAPPE_CHECK(policy.busy_steps_max >= 1);
  CHAPPE_CHECK(policy.busy_doublings < 16);
  for (std::optional<Waiting>& place : pool_) {
    CHAPPE_CHECK(free_.try_push(&place.emplace(*this)));
  }
}

Transmitter::~Transmitter() {
  stop();
}

void Transmitter::start() {
  stopped_ = false;
  executor_.spawn(slot_, "transmitter", &Transmitter::run, this);
}

void Transmitter::stop() {
  stopped_ = true;  // first: who hears of it may answer by submitting
  slot_.cancel();
  budget_.cancel();
  statistics_.unsure += std::exchange(statistics_.on_air, {});  // what is on the air goes on
  for (std::optional<Waiting>& place : pool_) {
    if (place->state_ == Waiting::State::free) continue;
    finish(*place, Unexpected(Refused{Why::stopped, Stage::gate, kNever}));
  }
}

// --- Submission ----------------------------------------------------------------------------------

std::uint64_t Transmitter::submit(const Submission& submission,
                                  async::Completion<Outcome>* completion,
                                  async::Completion<Outcome>::Ticket ticket) {
  const Duration airtime = radio::time_on_air(radio_.modulation(), submission.frame.size());

  if (const auto refusal = refuse_early(submission, airtime)) {
    return refuse(submission, *refusal, completion, ticket);
  }
  Waiting newcomer(*this);
  newcomer.airtime_ = airtime;
  newcomer.id_ = last_id_ + 1;
  newcomer.neighbour_ = submission.neighbour;
  newcomer.priority_ = submission.priority;
  newcomer.origin_ = submission.origin;
  rank(newcomer);
  Waiting* const place = take_place(newcomer);
  if (place == nullptr) {
    shares_.give_back(newcomer.neighbour_, airtime);
    return refuse(submission, {Why::no_room, Stage::early, kNever}, completion, ticket);
  }

  const std::uint64_t id = ++last_id_;
  ++statistics_.submitted;
  ++statistics_.waiting;
  Waiting& waiting = *place;
  waiting.frame_ = radio::FrameBytes(submission.frame);
  waiting.airtime_ = airtime;
  waiting.due_ = executor_.now() + submission.after;
  waiting.expiry_ = submission.expiry;
  waiting.id_ = id;
  waiting.tag_ = submission.tag;
  waiting.completion_ = completion;
  waiting.ticket_ = ticket;
  waiting.neighbour_ = newcomer.neighbour_;
  waiting.tag_of_share_ = newcomer.tag_of_share_;
  waiting.rank_ = newcomer.rank_;
  waiting.priority_ = submission.priority;
  waiting.attempts_ = 0;
  waiting.perhaps_sent_ = false;
  waiting.origin_ = submission.origin;
  if (submission.after > Duration::zero()) {
    delay_until(waiting, waiting.due_);
  } else {
    enter_line(waiting);
  }
  return id;
}

// Where it stands among the others.
void Transmitter::rank(Waiting& waiting) {
  waiting.rank_ = waiting.priority_;
  waiting.tag_of_share_ = Duration::zero();
  if (policy_.sharing == Sharing::first_come) return;
  Duration present = Duration::max();
  Duration ahead{};  // airtime of the same neighbour that goes before it anyway
  for (const std::optional<Waiting>& place : pool_) {
    if (place->state_ == Waiting::State::free) continue;
    present = std::min(present, place->tag_of_share_);
    const bool own_line = place->neighbour_ == waiting.neighbour_;
    if (own_line && place->priority_ <= waiting.priority_) ahead += place->airtime_;
  }
  if (statistics_.waiting == 0) present = Duration::zero();
  waiting.tag_of_share_ = shares_.tag(waiting.neighbour_, waiting.airtime_, present);
  const bool is_relay = waiting.origin_ == Origin::relay;
  if (is_relay && ahead > policy_.ahead_max) waiting.rank_ += kBehindAll;
}

std::uint64_t Transmitter::refuse(const Submission& submission,
                                  const Refused& refusal,
                                  async::Completion<Outcome>* completion,
                                  async::Completion<Outcome>::Ticket ticket) {
  const std::uint64_t id = ++last_id_;
  ++statistics_.submitted;
  ++statistics_.refused_early[static_cast<std::size_t>(refusal.why)];
  report(submission.tag, submission.frame, Unexpected(refusal), completion, ticket);
  return id;
}

// The advisory look: it only saves work. Only reserve() decides, and it decides again.
std::optional<Refused> Transmitter::refuse_early(const Submission& submission,
                                                 Duration airtime) const {
  if (stopped_) return Refused{Why::stopped, Stage::early, kNever};
  const Time due = time_after(executor_.now(), submission.after);
  if (due == kNever || due > submission.expiry) {
    return Refused{Why::expired, Stage::early, due};
  }
  const Time earliest = law_.earliest(with_ramps(airtime), due);
  if (earliest == kNever) return Refused{Why::never_fits, Stage::early, kNever};
  if (earliest > submission.expiry) return Refused{Why::expired, Stage::early, earliest};
  if (earliest > due && policy_.over_budget == OverBudget::drop) {
    return Refused{Why::over_budget, Stage::early, earliest};
  }
  return std::nullopt;
}

// A free place, or that of the least valuable frame if the newcomer is worth more. Relays and our
// own frames have places of their own: neither can crowd out the other.
Waiting* Transmitter::take_place(const Waiting& newcomer) {
  const Origin origin = newcomer.origin_;
  const std::size_t most = origin == Origin::relay ? kRelaysWaiting : kLocalWaiting;
  std::size_t& count = counts_[static_cast<std::size_t>(origin)];
  if (count < most) {
    ++count;
    return free_.pop();
  }

  Waiting* least = nullptr;
  for (std::optional<Waiting>& place : pool_) {
    // Free, and yet not in the list of free places: somebody is about to move in.
    if (place->state_ == Waiting::State::free) continue;
    if (place->state_ == Waiting::State::on_air || place->origin_ != origin) continue;
    if (least == nullptr || GoesFirst{}(*least, *place)) least = &*place;
  }
  if (least == nullptr || !GoesFirst{}(newcomer, *least)) return nullptr;
  // Taken before anybody hears of it: whoever answers by submitting must find another.
  vacate(*least, Unexpected(Refused{Why::no_room, Stage::gate, kNever}), Next::newcomer);
  return least;
}

void Transmitter::withdraw(std::uint64_t tag) {
  for (std::optional<Waiting>& place : pool_) {
    const bool waits =
        place->state_ == Waiting::State::delayed || place->state_ == Waiting::State::in_line;
    if (!waits || place->tag_ != tag) continue;
    statistics_.saved += place->airtime_;
    finish(*place, Unexpected(Refused{Why::redundant, Stage::gate, executor_.now()}));
  }
}

async::Task<Outcome> Transmitter::send(Submission submission) {
  async::Completion<Outcome> completion(executor_.wakes());
  // Cancelled while it waits, the asker is forgotten; the frame goes its way.
  struct Asker {
    ~Asker() { transmitter.disown(completion); }
    Transmitter& transmitter;
    async::Completion<Outcome>& completion;
  };
  const Asker asker{*this, completion};
  const auto ticket = completion.arm();
  submit(submission, &completion, ticket);
  const Outcome outcome = co_await completion.result();
  co_return outcome;
}

void Transmitter::disown(const async::Completion<Outcome>& completion) {
  for (std::optional<Waiting>& place : pool_) {
    if (place->completion_ == &completion) place->completion_ = nullptr;
  }
}

void Transmitter::enter_line(Waiting& waiting) {
  waiting.state_ = Waiting::State::in_line;
  line_.push(waiting);
  // Wherever in the line it stands: nobody keeps a place for what is worth nothing any more.
  if (waiting.expiry_ != kNever) waiting.timer_.arm(waiting.expiry_ + Duration(1));
  due_.wake_one();
}

void Transmitter::delay_until(Waiting& waiting, Time not_before) {
  if (waiting.queued()) line_.remove(waiting);
  waiting.state_ = Waiting::State::delayed;
  waiting.timer_.arm(not_before);
}

// --- Sending -------------------------------------------------------------------------------------

async::Task<> Transmitter::run() {
  for (;;) {
    Waiting* const first = first_in_line();
    const Time start = first == nullptr ? kNever : start_of(*first);
    if (start > executor_.now()) {
      busy_since_ = kNever;  // nobody listens any more: what was busy then says nothing about now
      back_offs_in_a_row_ = 0;
      if (start != kNever) budget_.arm(start);
      co_await due_.wait("a frame that may go");
      budget_.cancel();
      continue;
    }
    const Promise promise = law_.promise(with_ramps(first->airtime_));
    if (promise == Promise::failed) {
      finish(*first, Unexpected(Refused{Why::not_durable, Stage::gate, kNever}));
      continue;
    }
    if (promise == Promise::pending) {
      co_await law_.news()->next();
      continue;
    }
    const Step step = co_await attempt();
    if (step == Step::back_off) co_await async::sleep_for(executor_, back_off());
  }
}

Duration Transmitter::back_off() {
  ++statistics_.back_offs;
  const std::uint32_t doublings = std::min(back_offs_in_a_row_++, policy_.busy_doublings);
  const std::uint32_t steps = 1 + random_.up_to(policy_.busy_steps_max - 1);
  return policy_.busy_step * (steps << doublings);
}

// The one that goes next, now or when it may. What can no longer go in time, or must not wait,
// leaves the line here, with nothing held.
Waiting* Transmitter::first_in_line() {
  while (!line_.empty()) {
    Waiting& first = line_.front();
    const Time now = executor_.now();
    const Time start = start_of(first);
    if (now > first.expiry_) {
      finish(first, Unexpected(Refused{Why::expired, Stage::gate, now}));
    } else if (start == kNever) {
      finish(first, Unexpected(Refused{Why::never_fits, Stage::gate, kNever}));
    } else if (start > first.expiry_) {
      finish(first, Unexpected(Refused{Why::expired, Stage::gate, start}));
    } else if (start > now && policy_.over_budget == OverBudget::drop) {
      finish(first, Unexpected(Refused{Why::over_budget, Stage::gate, start}));
    } else {
      return &first;
    }
  }
  return nullptr;
}

Time Transmitter::start_of(Waiting& first) const {
  return std::max(law_.earliest(with_ramps(first.airtime_), executor_.now()), hopeless_until_);
}

Waiting* Transmitter::best_legal() {
  Waiting* const first = first_in_line();
  return first == nullptr || start_of(*first) > executor_.now() ? nullptr : first;
}

async::Task<radio::Channel> Transmitter::look(const radio::Right& right) {
  if (policy_.listening == Listening::cad) {
    const radio::Channel channel = co_await radio_.listen(right);
    if (channel == radio::Channel::busy) co_return channel;
  }
  const CarrierSense& sense = policy_.sense;
  if (sense.against == CarrierSense::Against::nothing) co_return radio::Channel::clear;
  const std::optional<Dbm> strongest = co_await radio_.sense(right, sense.span);
  if (!strongest) co_return radio::Channel::busy;
  if (sense.against == CarrierSense::Against::level) {
    co_return *strongest >= sense.level ? radio::Channel::busy : radio::Channel::clear;
  }
  const std::optional<Dbm> floor = radio_.noise_floor();
  const bool busy = floor && *strongest - *floor >= sense.margin;
  co_return busy ? radio::Channel::busy : radio::Channel::clear;
}

async::Task<Transmitter::Step> Transmitter::attempt() {
  // Account first, then hand over: room in the radio's buffers before the Right, so that the Right
  // is never held while waiting for it.
  flow::Credit credit = radio_.credits().try_take(kLane);
  if (!credit) {
    co_await radio_.credits().room(kLane).next();
    co_return Step::done;
  }
  const radio::Right right = co_await radio_.right().take();

  const radio::Channel channel = co_await look(right);
  bool forced = false;
  if (channel == radio::Channel::busy) {
    if (busy_since_ == kNever) busy_since_ = executor_.now();
    if (executor_.now() - busy_since_ <= policy_.busy_cap) co_return Step::back_off;
    forced = true;
  }
  busy_since_ = kNever;
  back_offs_in_a_row_ = 0;

  // Time has passed: another frame may be the best now, or none.
  Waiting* const best = best_legal();
  if (best == nullptr) co_return Step::done;
  Waiting& waiting = *best;
  if (forced && policy_.busy_channel == BusyChannel::drop) {
    finish(waiting, Unexpected(Refused{Why::channel_busy, Stage::gate, executor_.now()}));
    co_return Step::done;
  }
  std::optional<Reservation> reservation =
      law_.reserve(with_ramps(waiting.airtime_), executor_.now());
  if (!reservation) {
    // Another frame than the one that was promised, perhaps; or the forecast was too hopeful. Only
    // the gate decides.
    if (law_.promise(with_ramps(waiting.airtime_)) == Promise::given) {
      hopeless_until_ = executor_.now() + kHopefulLaw;
    }
    co_return Step::done;
  }
  line_.remove(waiting);
  waiting.timer_.cancel();
  waiting.state_ = Waiting::State::on_air;
  ++waiting.attempts_;
  statistics_.on_air = waiting.airtime_;
  if (observer_ != nullptr) observer_->on_keying(waiting.tag_);

  note(Note::transmit_start,
       static_cast<std::uint32_t>(waiting.frame().size()),
       static_cast<std::uint32_t>(waiting.airtime_.count()));
  const auto done = co_await radio_.transmit(right, waiting.frame(), std::move(credit));
  note(Note::transmit_end,
       done ? 0 : 1 + static_cast<std::uint32_t>(done.error()),
       done ? static_cast<std::uint32_t>(done->airtime.count()) : 0);
  statistics_.on_air = Duration::zero();
  if (done) {
    reservation->commit(done->keyed, with_ramps(done->airtime));
    statistics_.airtime += done->airtime;
    if (forced) ++statistics_.forced;
    const Duration waited = std::max(Duration::zero(), done->keyed - waiting.due_);
    finish(waiting, Sent{done->keyed, done->airtime, waiting.attempts_, waited, forced});
    co_return Step::done;
  }
  if (radio::surely_silent(done.error())) {
    reservation->cancel();
  } else {
    reservation->keep(executor_.now());
    statistics_.unsure += waiting.airtime_;
    waiting.perhaps_sent_ = true;
  }
  if (waiting.origin_ == Origin::local && waiting.attempts_ < policy_.local_attempts) {
    delay_until(waiting, executor_.now() + policy_.retry_after);
  } else {
    finish(waiting, Unexpected(Refused{Why::radio_failed, Stage::gate, executor_.now()}));
  }
  co_return Step::done;
}  // the Right goes back here, on every path

// --- Results -------------------------------------------------------------------------------------

void Transmitter::finish(Waiting& waiting, const Outcome& outcome) {
  vacate(waiting, outcome, Next::anybody);
}

void Transmitter::vacate(Waiting& waiting, const Outcome& outcome, Next next) {
  if (waiting.queued()) line_.remove(waiting);
  waiting.timer_.cancel();
  waiting.state_ = Waiting::State::free;
  --statistics_.waiting;
  if (next == Next::anybody) --counts_[static_cast<std::size_t>(waiting.origin_)];
  if (waiting.attempts_ == 0) shares_.give_back(waiting.neighbour_, waiting.airtime_);
  if (statistics_.waiting == 0) shares_.settle();
  if (outcome) {
    ++statistics_.sent;
  } else {
    ++statistics_.refused_at_gate[static_cast<std::size_t>(outcome.error().why)];
  }
  // The place is free before anybody hears of it: whoever answers by submitting finds room. The
  // frame is still there, and nobody else runs meanwhile but the observer itself, who is last.
  const radio::FrameBytes frame = waiting.frame_;
  const std::uint64_t tag = waiting.tag_;
  async::Completion<Outcome>* const completion = waiting.completion_;
  const auto ticket = waiting.ticket_;
  waiting.completion_ = nullptr;
  const bool perhaps_sent = waiting.perhaps_sent_;
  if (next == Next::anybody) CHAPPE_CHECK(free_.try_push(&waiting));
  if (outcome) return report(tag, frame, outcome, completion, ticket);
  Refused refused = outcome.error();
  refused.perhaps_sent = perhaps_sent;
  report(tag, frame, Unexpected(refused), completion, ticket);
}

void Transmitter::report(std::uint64_t tag,
                         Bytes frame,
                         const Outcome& outcome,
                         async::Completion<Outcome>* completion,
                         async::Completion<Outcome>::Ticket ticket) {
  // The observer last: completing only sets a word, but an observer may let the asker go.
  if (completion != nullptr) completion->complete(ticket, outcome);
  if (observer_ != nullptr) observer_->on_outcome(tag, frame, outcome);
}

}  // namespace chappe::tx
