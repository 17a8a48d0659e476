#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "chappe/base/check.h"
#include "chappe/base/units.h"

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

  /// It was radiated, for so long.
  void commit(Duration airtime);
  /// It surely was not radiated: the debit is taken back.
  void cancel();
  /// It may have been radiated: it stays as it was debited.
  void keep() { law_ = nullptr; }

 private:
  friend class Law;
  Reservation(Law& law, std::uint64_t id) : law_(&law), id_(id) {}
  Law* law_;
  std::uint64_t id_;
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

 protected:
  ~Law() = default;
  Reservation make_reservation(std::uint64_t id) { return Reservation(*this, id); }

 private:
  friend class Reservation;
  virtual void commit(std::uint64_t id, Duration airtime) = 0;
  virtual void cancel(std::uint64_t id) = 0;
};

inline void Reservation::commit(Duration airtime) {
  CHAPPE_CHECK(law_ != nullptr);
  std::exchange(law_, nullptr)->commit(id_, airtime);
}

inline void Reservation::cancel() {
  CHAPPE_CHECK(law_ != nullptr);
  std::exchange(law_, nullptr)->cancel(id_);
}

}  // namespace chappe::tx
