#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "chappe/async/completion.h"
#include "chappe/async/executor.h"
#include "chappe/async/wait_list.h"
#include "chappe/base/pairing_heap.h"
#include "chappe/base/random.h"
#include "chappe/base/ring.h"
#include "chappe/radio/radio.h"
#include "chappe/tx/fair_share.h"
#include "chappe/tx/law.h"
#include "chappe/tx/outcome.h"
#include "chappe/tx/submission.h"
#include "chappe/tx/waiting.h"

namespace chappe::tx {

enum class OverBudget : std::uint8_t { defer, drop };
enum class BusyChannel : std::uint8_t { transmit, drop };

/// Whether to look for others on the channel before keying.
enum class Listening : std::uint8_t { off, cad };

/// Energy in the channel, which LoRa's own detection does not see. For laws that ask for it, and
/// for channels shared with others than LoRa.
struct CarrierSense {
  enum class Against : std::uint8_t { nothing, level, noise_floor };
  Against against = Against::nothing;
  Duration span{};  // of clear channel before each transmission
  Dbm level;        // this or more is busy
  Decibels margin;  // this much or more above the noise floor is busy
};

/// How frames of one rank share the air.
enum class Sharing : std::uint8_t {
  first_come,  // who was submitted first, as the reference does
  fair,        // each neighbour its share of airtime
};

struct Policy {
  Listening listening = Listening::cad;
  /// A radio that cannot measure counts as busy.
  CarrierSense sense;
  OverBudget over_budget = OverBudget::defer;
  Sharing sharing = Sharing::fair;
  /// A relay behind so much airtime of its own neighbour, of its priority or better, stands behind
  /// everybody who is not: or who sends nothing but urgent frames would have all the air.
  Duration ahead_max = seconds(10);
  /// What happens when the channel stayed busy up to the cap.
  BusyChannel busy_channel = BusyChannel::transmit;
  Duration busy_cap = milliseconds(4000);  // protocol 10.5
  Duration busy_step = milliseconds(120);  // a back-off lasts 1 to busy_steps_max of these
  std::uint32_t busy_steps_max = 3;        // at least 1
  std::uint32_t busy_doublings = 0;        // of the step, one with each back-off in a row
  Duration retry_after = seconds(1);       // a local frame's second attempt
  std::uint8_t local_attempts = 2;
  /// The amplifier is on before the first symbol and behind the last, so long together: a law
  /// counts that too, and a radio tells only of symbols.
  Duration ramps{};
};

/// The books: every submission ends exactly once, so these always balance.
struct Statistics {
  std::uint64_t submitted = 0;
  std::uint64_t sent = 0;
  std::uint64_t forced = 0;  // of those sent, over a busy channel
  std::uint64_t waiting = 0;
  std::array<std::uint64_t, kWhyCount> refused_early{};
  std::array<std::uint64_t, kWhyCount> refused_at_gate{};
  std::uint64_t back_offs = 0;
  Duration airtime{};  // radiated, as committed
  Duration on_air{};   // of the frame that is being sent
  Duration unsure{};   // perhaps radiated: debited and not given back
  Duration saved{};    // of frames that were redundant

  std::uint64_t refused() const;
  /// What the radio has radiated beyond what was debited for it, if it keeps a log: 0, always.
  std::optional<Duration> undebited(const radio::Radio& radio) const;
  bool balances() const { return submitted == sent + waiting + refused(); }
};

/// Told of each result exactly once, in the order in which they happen.
class Observer {
 public:
  /// In the last instant before the frame is handed to the radio: from here on it may be on the
  /// air.
  virtual void on_keying(std::uint64_t /*tag*/) noexcept {}
  virtual void on_outcome(std::uint64_t tag, Bytes frame, const Outcome& outcome) noexcept = 0;

 protected:
  ~Observer() = default;
};

/// From "please send" to "it was sent": one per radio.
///
/// All delays run at once and the radio listens meanwhile. A frame that is due stands in line; one
/// task takes the best of them, takes the radio's Right, listens, reserves its airtime in the last
/// instant, and sends. So one frame is on the air at a time, and no two can pass the gate on the
/// same budget, because the gate is a debit.
///
/// Order: rank first, so that acknowledgements and direct frames overtake floods; within a rank
/// each neighbour has its share of airtime. A frame that waits for its budget is overtaken by
/// nobody who ranks behind it: or short frames would use up what a long one waits for, until it
/// expires.
///
/// The Right is held for listening + airtime + turnaround, never across a deferral, a back-off, the
/// disk or a retry. Context: one executor's tasks. Memory: the pool, in place.
class Transmitter {
 public:
  /// A burst of 64 relays, as many as a neighbourhood can send within one flood delay.
  static constexpr std::size_t kRelaysWaiting = 64;
  static constexpr std::size_t kLocalWaiting = 16;
  static constexpr std::size_t kOnAir = 1;
  static constexpr std::size_t kPool = kRelaysWaiting + kLocalWaiting + kOnAir;

  Transmitter(async::Executor& executor,
              radio::Radio& radio,
              Law& law,
              Random& random,
              const Policy& policy);
  Transmitter(const Transmitter&) = delete;
  Transmitter& operator=(const Transmitter&) = delete;
  ~Transmitter();

  /// Starts the sending task.
  void start();
  /// Ends it. Everything that still waits is refused as `stopped`, and so is what is submitted
  /// until the next start(); what is on the air stays spent.
  void stop();

  /// Takes a frame, or refuses it at once: with no timer, no task and nothing debited, if it never
  /// fits, cannot start before its expiry, or would only displace better frames. Either way exactly
  /// one outcome reaches the observer, and `completion` if there is one.
  ///
  /// Returns the submission's number, unique for this transmitter.
  std::uint64_t submit(const Submission& submission,
                       async::Completion<Outcome>* completion = nullptr,
                       async::Completion<Outcome>::Ticket ticket = {});

  /// Books a refusal that somebody above has decided, so that it too is one submission and one
  /// outcome.
  std::uint64_t refuse(const Submission& submission,
                       const Refused& refusal,
                       async::Completion<Outcome>* completion = nullptr,
                       async::Completion<Outcome>::Ticket ticket = {});

  /// The same for a task that wants to know: returns when it is decided.
  async::Task<Outcome> send(Submission submission);

  /// Others have sent what was submitted with this tag: what of it still waits is `redundant`.
  void withdraw(std::uint64_t tag);

  /// The owner of `completion` no longer wants to know. Its frame goes its way.
  void disown(const async::Completion<Outcome>& completion);

  void observe(Observer* observer) { observer_ = observer; }

  const Statistics& statistics() const { return statistics_; }
  std::size_t waiting_count() const { return statistics_.waiting; }
  /// The frame that would go next, or null: for displays.
  const Waiting* next_in_line() const { return line_.empty() ? nullptr : &line_.front(); }

 private:
  friend class Waiting;

  enum class Step : std::uint8_t { done, back_off };
  enum class Next : std::uint8_t { anybody, newcomer };  // whose a place is that was left

  async::Task<> run();
  async::Task<Step> attempt();
  async::Task<radio::Channel> look(const radio::Right& right);
  Waiting* first_in_line();
  Time start_of(Waiting& first) const;
  Waiting* best_legal();
  Duration back_off();
  Duration with_ramps(Duration symbols) const { return symbols + policy_.ramps; }
  std::optional<Refused> refuse_early(const Submission& submission, Duration airtime) const;
  Waiting* take_place(const Waiting& newcomer);
  void rank(Waiting& waiting);
  void enter_line(Waiting& waiting);
  void delay_until(Waiting& waiting, Time not_before);
  void wait_until(Time at);
  void finish(Waiting& waiting, const Outcome& outcome);
  void vacate(Waiting& waiting, const Outcome& outcome, Next next);
  void report(std::uint64_t tag,
              Bytes frame,
              const Outcome& outcome,
              async::Completion<Outcome>* completion,
              async::Completion<Outcome>::Ticket ticket);

  async::Executor& executor_;
  radio::Radio& radio_;
  Law& law_;
  Random& random_;
  const Policy policy_;
  Observer* observer_ = nullptr;

  std::array<std::optional<Waiting>, kPool> pool_;
  Ring<Waiting*, kPool> free_;
  PairingHeap<Waiting, GoesFirst> line_;
  std::array<std::size_t, 2> counts_{};  // of places taken, by origin
  FairShare shares_;
  async::WaitList due_;

  // Wakes the task when the first in line may go.
  struct Budget : async::Timer {
    explicit Budget(Transmitter& of);
    static void fired(Timer& timer, const async::TimerContext& context);
    Transmitter& transmitter;
  };
  Budget budget_;
  Time hopeless_until_{};  // the law refused what it had forecast
  Time busy_since_ = kNever;
  std::uint32_t back_offs_in_a_row_ = 0;
  std::uint64_t last_id_ = 0;
  bool stopped_ = false;  // not merely not yet started: then frames wait
  Statistics statistics_;
  async::TaskSlot<4096> slot_;
};

}  // namespace chappe::tx
