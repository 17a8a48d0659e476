#pragma once

#include <cstdint>
#include <optional>

#include "chappe/async/task.h"
#include "chappe/base/result.h"
#include "chappe/flow/credits.h"
#include "chappe/radio/frame.h"
#include "chappe/radio/modulation.h"
#include "chappe/radio/right.h"
#include "chappe/sync/signal.h"

namespace chappe::radio {

enum class Channel : std::uint8_t { clear, busy };

/// A transmission that ended as it should.
struct Transmitted {
  Time keyed{};      // when the first symbol began
  Duration airtime;  // measured
};

/// What a sender has to know when it did not.
enum class TransmitFailure : std::uint8_t {
  never_keyed,  // surely nothing was radiated
  unsure,       // something may have been radiated: its airtime stays spent
  restarted,    // the radio was reset before this was keyed: surely nothing was radiated
};

/// Whether nobody can have heard anything of it.
constexpr bool surely_silent(TransmitFailure failure) {
  return failure != TransmitFailure::unsure;
}

/// Looks at a frame where it was heard, before anybody is woken for it. What is not new goes no
/// further, and whoever looks has counted it.
class FrameFilter {
 public:
  /// Context: the radio's executor, which may run on a thread of its own. Never waits.
  virtual bool is_new(const Frame& frame) noexcept = 0;

 protected:
  ~FrameFilter() = default;
};

/// One half-duplex LoRa radio.
///
/// Listening is its resting state: frames arrive while delays run and others judge. Everything else
/// takes the Right. Context: tasks of one executor.
class Radio {
 public:
  virtual const Modulation& modulation() const = 0;

  /// The lock of everything that is not plain listening.
  RightLock& right() { return right_; }

  /// Room in the radio's transmit buffers. A credit is taken before a frame is handed over.
  virtual flow::Credits& credits() = 0;

  /// Looks once whether somebody is using the channel, blind to our own transmissions.
  virtual async::Task<Channel> listen(const Right& right) = 0;

  /// The strongest level in the channel during `span`, whoever made it, blind to our own
  /// transmissions: carrier sense, as laws ask for. Nothing from a radio that cannot measure.
  virtual async::Task<std::optional<Dbm>> sense(const Right&, Duration /*span*/) {
    co_return std::nullopt;
  }
  /// What it measures when nobody sends; nothing if it does not know.
  virtual std::optional<Dbm> noise_floor() const { return std::nullopt; }

  /// All it has radiated since it was made, from its own log; nothing from one that keeps none.
  virtual std::optional<Duration> radiated() const { return std::nullopt; }

  /// Sends `frame` and returns when its last symbol is out, listening again. `frame` and `right`
  /// must outlive the call. The credit goes back when the radio no longer holds the frame.
  /// Cancelled, the transmission still ends, and counts as unsure.
  virtual async::Task<Result<Transmitted, TransmitFailure>> transmit(const Right& right,
                                                                     Bytes frame,
                                                                     flow::Credit credit) = 0;

  /// Set when the radio is back after a reset that was not its start: what it held is void, and
  /// whoever keeps promises on top of it begins anew. Null: it is never reset. One task waits.
  virtual sync::Signal* resets() { return nullptr; }

  /// Set once for each frame that was heard.
  virtual sync::Signal& heard() = 0;
  /// Takes the oldest frame that was heard; false if there is none.
  [[nodiscard]] virtual bool take(Frame& frame) = 0;

  /// A panic: whatever is on the air ends now, by the shortest way there is (register writes, one
  /// command), and nothing is sent any more. It must not lock, wait, allocate or panic. A radio
  /// that ends by itself when its program does has nothing to do. Context: any.
  virtual void make_safe() noexcept {}

  /// Who looks at frames first; null: nobody, all are new. Radios that hear in the context of their
  /// house have no use for it and may ignore it. Before the radio starts, and after it has ended.
  void set_filter(FrameFilter* filter) { filter_ = filter; }

 protected:
  ~Radio() = default;
  bool passes(const Frame& frame) const { return filter_ == nullptr || filter_->is_new(frame); }

 private:
  RightLock right_;
  FrameFilter* filter_ = nullptr;
};

}  // namespace chappe::radio
