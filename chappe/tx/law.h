#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "chappe/base/check.h"
#include "chappe/base/units.h"
#include "chappe/sync/signal.h"

namespace chappe::tx {

class Law;

/// Airtime that is debited already and not yet accounted for. Exactly one of three things happens
/// to it; doing nothing, as when its task is cancelled, keeps it as spent.
class [[nodiscard]] Reservation {
 public:
  Reservation(Reservation&& other) noexcept : law_(other.law_), id_(other.id_) {
    other.law_ = nullptr;
  }
  Reservation& operator=(Reservation&&) = delete;

  /// It was radiated: its first symbol began at `keyed` and it lasted `airtime`.
  void commit(Time keyed, Duration airtime);
  /// It surely was not radiated: the debit is taken back.
  void cancel();
  /// It may have been radiated, at the latest until `until`: all of it stays debited.
  void keep(Time until);

 private:
  friend class Law;
  Reservation(Law& law, std::uint64_t id) : law_(&law), id_(id) {}
  Law* law_;
  std::uint64_t id_;
};

/// Whether airtime may be spent as far as the disk is concerned: what is spent must have been
/// promised there before, so that no crash can forget it.
enum class Promise : std::uint8_t {
  given,
  pending,  // being written: the law's news() will be set
  failed,   // the disk does not take it; it is tried again, and news() set, now and then
};

/// What has been spent of one limit, for displays.
struct Usage {
  Duration spent{};
  Duration limit{};  // zero: there is none
  Duration window{};
};

/// What may be radiated, and when. Context: the transmitter's executor.
class Law {
 public:
  /// The earliest instant, not before `at`, at which a frame of `airtime` may begin if nothing else
  /// is sent until then. kNever: it never fits. A forecast; reserve() alone decides.
  virtual Time earliest(Duration airtime, Time at) const = 0;

  /// The gate: checks and debits in one step, in the last instant before keying.
  virtual std::optional<Reservation> reserve(Duration airtime, Time now) = 0;

  /// The share of the tightest limit that is spent at `now`, in millionths: 0 to 1,000,000.
  virtual std::uint32_t spent_ppm(Time now) const = 0;

  /// The limit that is nearest to being spent. A law without windows has none.
  virtual Usage usage(Time) const { return {}; }

  /// Asks for a promise of `airtime`. reserve() refuses what is not promised.
  virtual Promise promise(Duration /*airtime*/) { return Promise::given; }
  /// Set when a promise that was not given may be now. Null: every promise is given.
  virtual sync::Signal* news() { return nullptr; }

 protected:
  ~Law() = default;
  Reservation make_reservation(std::uint64_t id) { return Reservation(*this, id); }

 private:
  friend class Reservation;
  virtual void commit(std::uint64_t id, Time keyed, Duration airtime) = 0;
  virtual void cancel(std::uint64_t id) = 0;
  virtual void keep(std::uint64_t /*id*/, Time /*until*/) {}
};

inline void Reservation::commit(Time keyed, Duration airtime) {
  CHAPPE_CHECK(law_ != nullptr);
  std::exchange(law_, nullptr)->commit(id_, keyed, airtime);
}

inline void Reservation::cancel() {
  CHAPPE_CHECK(law_ != nullptr);
  std::exchange(law_, nullptr)->cancel(id_);
}

inline void Reservation::keep(Time until) {
  CHAPPE_CHECK(law_ != nullptr);
  std::exchange(law_, nullptr)->keep(id_, until);
}

}  // namespace chappe::tx
