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
#include "chappe/tx/law.h"
#include "chappe/tx/outcome.h"
#include "chappe/tx/submission.h"
#include "chappe/tx/waiting.h"

namespace chappe::tx {

enum class OverBudget : std::uint8_t { defer, drop };
enum class BusyChannel : std::uint8_t { transmit, drop };

/// Whether to look for others on the channel before keying.
enum class Listening : std::uint8_t { off, cad };

struct Policy {
  Listening listening = Listening::cad;
  OverBudget over_budget = OverBudget::defer;
  /// What happens when the channel stayed busy up to the cap.
  BusyChannel busy_channel = BusyChannel::transmit;
  Duration busy_cap = milliseconds(4000);  // protocol 10.5
  Duration busy_step = milliseconds(120);  // a back-off lasts 1 to 3 of these
  std::uint32_t busy_steps_max = 3;
  Duration retry_after = seconds(1);  // a local frame's second attempt
  std::uint8_t local_attempts = 2;
};

/// The books: every submission ends exactly once, so these always balance.
struct Statistics {
  std::uint64_t submitted = 0;
  std::uint64_t sent = 0;
  std::uint64_t forced = 0;  // of those sent, over a busy channel
  std::uint64_t waiting = 0;
  std::array<std::uint64_t, kWhyCount> refused_early{};
  std::array<std::uint64_t, kWhyCount> refused_at_gate{};
  Duration airtime{};  // radiated, as committed

  std::uint64_t refused() const;
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
/// The Right is held for listening + airtime + turnaround, never across a deferral, a back-off or
/// a retry. Context: one executor's tasks. Memory: the pool, in place.
class Transmitter {
 public:
  static constexpr std::size_t kRelaysWaiting = 48;
  static constexpr std::size_t kLocalWaiting = 15;
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
  Waiting* best_legal();
  bool must_yield(Waiting& waiting);
  void hold_back(Waiting& waiting, Time earliest);
  std::optional<Refused> refuse_early(const Submission& submission, Duration airtime) const;
  Waiting* take_place(std::uint8_t priority);
  void enter_line(Waiting& waiting);
  void delay_until(Waiting& waiting, Time not_before);
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
  async::WaitList due_;
  Time busy_since_ = kNever;
  std::uint64_t last_id_ = 0;
  bool stopped_ = false;  // not merely not yet started: then frames wait
  Statistics statistics_;
  async::TaskSlot<4096> slot_;
};

}  // namespace chappe::tx
