#include "chappe/tx/transmitter.h"

#include <algorithm>

#include "chappe/async/sleep.h"
#include "chappe/radio/airtime.h"

namespace chappe::tx {
namespace {

constexpr std::uint8_t kLane = 0;  // of the radio's buffers

// How long a frame waits when a law refuses what it had forecast: no law of ours does.
constexpr Duration kHopefulLaw = milliseconds(100);

}  // namespace

Waiting::Waiting(Transmitter& transmitter)
    : transmitter_(transmitter), timer_(transmitter.executor_, *this) {}

void Waiting::Due::fired(Timer& timer, const async::TimerContext&) {
  Waiting& waiting = static_cast<Due&>(timer).waiting;
  waiting.transmitter_.enter_line(waiting);
}

std::uint64_t Statistics::refused() const {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : refused_early) sum += count;
  for (const std::uint64_t count : refused_at_gate) sum += count;
  return sum;
}

Transmitter::Transmitter(
    async::Executor& executor, radio::Radio& radio, Law& law, Random& random, const Policy& policy)
    : executor_(executor), radio_(radio), law_(law), random_(random), policy_(policy) {
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

  std::optional<Refused> refusal = refuse_early(submission, airtime);
  Waiting* const place = refusal ? nullptr : take_place(submission.priority);
  if (!refusal && place == nullptr) refusal = Refused{Why::no_room, Stage::early, kNever};
  if (refusal) return refuse(submission, *refusal, completion, ticket);

  const std::uint64_t id = ++last_id_;
  ++statistics_.submitted;
  Waiting& waiting = *place;
  ++statistics_.waiting;
  waiting.frame_ = radio::FrameBytes(submission.frame);
  waiting.airtime_ = airtime;
  waiting.due_ = executor_.now() + submission.after;
  waiting.expiry_ = submission.expiry;
  waiting.id_ = id;
  waiting.tag_ = submission.tag;
  waiting.completion_ = completion;
  waiting.ticket_ = ticket;
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
  const Time earliest = law_.earliest(airtime, due);
  if (earliest == kNever) return Refused{Why::never_fits, Stage::early, kNever};
  if (earliest > submission.expiry) return Refused{Why::expired, Stage::early, earliest};
  if (earliest > due && policy_.over_budget == OverBudget::drop) {
    return Refused{Why::over_budget, Stage::early, earliest};
  }
  return std::nullopt;
}

// A free place, or that of the least valuable frame if the newcomer is worth more.
Waiting* Transmitter::take_place(std::uint8_t priority) {
  if (free_.empty()) {
    Waiting* least = nullptr;
    for (std::optional<Waiting>& place : pool_) {
      // Free, and yet not in the list of free places: somebody is about to move in.
      if (place->state_ == Waiting::State::free) continue;
      if (place->state_ == Waiting::State::on_air) continue;
      if (least == nullptr || GoesFirst{}(*least, *place)) least = &*place;
    }
    if (least == nullptr || least->priority_ <= priority) return nullptr;
    // Taken before anybody hears of it: whoever answers by submitting must find another.
    vacate(*least, Unexpected(Refused{Why::no_room, Stage::gate, kNever}), Next::newcomer);
    return least;
  }
  return free_.pop();
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
    while (best_legal() == nullptr) {
      busy_since_ = kNever;  // nobody listens any more: what was busy then says nothing about now
      co_await due_.wait("a frame that is due");
    }
    const Step step = co_await attempt();
    if (step == Step::back_off) {
      const Duration pause = policy_.busy_step * (1 + random_.up_to(policy_.busy_steps_max - 1));
      co_await async::sleep_for(executor_, pause);
    }
  }
}

// The first frame in line that may start now. What has expired or is not legal yet leaves the line
// here, with nothing held.
Waiting* Transmitter::best_legal() {
  while (!line_.empty()) {
    Waiting& best = line_.front();
    if (!must_yield(best)) return &best;
  }
  return nullptr;
}

bool Transmitter::must_yield(Waiting& waiting) {
  const Time now = executor_.now();
  if (now > waiting.expiry_) {
    finish(waiting, Unexpected(Refused{Why::expired, Stage::gate, now}));
    return true;
  }
  const Time earliest = law_.earliest(waiting.airtime_, now);
  if (earliest <= now) return false;
  hold_back(waiting, earliest);
  return true;
}

// It may not go before `earliest`.
void Transmitter::hold_back(Waiting& waiting, Time earliest) {
  if (earliest == kNever) {
    finish(waiting, Unexpected(Refused{Why::never_fits, Stage::gate, kNever}));
  } else if (earliest > waiting.expiry_) {
    finish(waiting, Unexpected(Refused{Why::expired, Stage::gate, earliest}));
  } else if (policy_.over_budget == OverBudget::drop) {
    finish(waiting, Unexpected(Refused{Why::over_budget, Stage::gate, earliest}));
  } else {
    delay_until(waiting, earliest);
  }
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

  radio::Channel channel = radio::Channel::clear;
  if (policy_.listening == Listening::cad) {
    channel = co_await radio_.listen(right);
  }
  bool forced = false;
  if (channel == radio::Channel::busy) {
    if (busy_since_ == kNever) busy_since_ = executor_.now();
    if (executor_.now() - busy_since_ <= policy_.busy_cap) co_return Step::back_off;
    forced = true;
  }
  busy_since_ = kNever;

  // Time has passed: another frame may be the best now, or none.
  Waiting* const best = best_legal();
  if (best == nullptr) co_return Step::done;
  Waiting& waiting = *best;
  if (forced && policy_.busy_channel == BusyChannel::drop) {
    finish(waiting, Unexpected(Refused{Why::channel_busy, Stage::gate, executor_.now()}));
    co_return Step::done;
  }
  std::optional<Reservation> reservation = law_.reserve(waiting.airtime_, executor_.now());
  if (!reservation) {
    // The forecast of best_legal() was too hopeful. Only the gate decides.
    const Time now = executor_.now();
    hold_back(waiting, std::max(law_.earliest(waiting.airtime_, now), now + kHopefulLaw));
    co_return Step::done;
  }
  line_.remove(waiting);
  waiting.state_ = Waiting::State::on_air;
  ++waiting.attempts_;

  const auto done = co_await radio_.transmit(right, waiting.frame(), std::move(credit));
  if (done) {
    reservation->commit(done->airtime);
    statistics_.airtime += done->airtime;
    if (forced) ++statistics_.forced;
    const Duration waited = std::max(Duration::zero(), done->keyed - waiting.due_);
    finish(waiting, Sent{done->keyed, done->airtime, waiting.attempts_, waited, forced});
    co_return Step::done;
  }
  if (radio::surely_silent(done.error())) {
    reservation->cancel();
  } else {
    reservation->keep();
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
