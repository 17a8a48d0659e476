#pragma once

#include <cstdint>

#include "chappe/base/list.h"
#include "chappe/base/units.h"
#include "chappe/sync/port.h"
#include "chappe/sync/shared_state.h"
#include "chappe/sync/waiter.h"
#include "chappe/sync/wake_list.h"

namespace chappe::sync {

/// One line that makes interrupts. An edge is something that happened, a level is how things are:
/// edges are counted and stamped by the interrupt, a level is asked of the pin.
///
/// Edges that nobody waits for are kept for whoever asks next. Every waiter of a delivery learns
/// the same counts. Context: rose() and fell() in the one interrupt of this line; waiting in tasks.
class IrqEdge : public WakeSource {
 public:
  /// Reads the pin. Context: the executor.
  using Level = bool (*)(void* pin);

  enum class Edge : std::uint8_t { rising = 1, falling = 2, both = 3 };

  struct Edges {
    std::uint32_t rising = 0;
    std::uint32_t falling = 0;
    Time last{};  // of the newest edge of either kind
  };

  IrqEdge(WakeList& list, Port& clock, Level level, void* pin)
      : WakeSource(list, &deliver), clock_(clock), level_(level), pin_(pin) {}
  ~IrqEdge();

  void rose() noexcept { count(rising_); }
  void fell() noexcept { count(falling_); }

  bool is_high() const { return level_(pin_); }

  class Next;
  /// `Edges edges = co_await line.next(Edge::rising);` yields at least one of that kind. Edges of
  /// the other kind stay for whoever asks for them.
  [[nodiscard]] Next next(Edge edge, Site site = Site::here()) noexcept;

  class Until;
  /// `co_await line.until(true);` returns when the pin was seen high; at once if it is. A pulse
  /// that is over before anybody looks is no level.
  [[nodiscard]] Until until(bool high, Site site = Site::here()) noexcept;

 private:
  template <class Count>
  void count(Count& edges) noexcept {
    // One writer: no read-modify-write. The set below publishes them.
    edges.store(edges.load(Order::relaxed) + 1, Order::relaxed);
    stamp_.store(static_cast<std::uint32_t>(in_us(clock_.now())), Order::relaxed);
    add_bits(1);
  }
  static void deliver(WakeSource& self, std::uint32_t) noexcept;
  Edges take(Edge edge) noexcept;
  void give_back(const Edges& edges) noexcept;

  Port& clock_;
  const Level level_;
  void* const pin_;
  // The counts wrap; the executor counts differences.
  static constexpr SharedState kRisingState{
      .name = "IrqEdge::rising",
      .purpose = "rising edges so far",
      .writers = Who::interrupt,
      .readers = Who::interrupt | Who::executor,
      .protection = "one writer, the line's interrupt; the source's word publishes it",
      .orders = Orders::relaxed};
  SharedWord<std::uint32_t, kRisingState> rising_{0};
  static constexpr SharedState kFallingState{
      .name = "IrqEdge::falling",
      .purpose = "falling edges so far",
      .writers = Who::interrupt,
      .readers = Who::interrupt | Who::executor,
      .protection = "one writer, the line's interrupt; the source's word publishes it",
      .orders = Orders::relaxed};
  SharedWord<std::uint32_t, kFallingState> falling_{0};
  static constexpr SharedState kStampState{
      .name = "IrqEdge::stamp",
      .purpose = "when the newest edge came: the low half, in microseconds",
      .writers = Who::interrupt,
      .readers = Who::interrupt | Who::executor,
      .protection = "one writer, the line's interrupt; the source's word publishes it",
      .orders = Orders::relaxed};
  SharedWord<std::uint32_t, kStampState> stamp_{0};
  // Executor's thread only.
  std::uint32_t rising_seen_ = 0;
  std::uint32_t falling_seen_ = 0;
  Edges pending_;
  List<Next> waiters_;
  List<Next> woken_;  // and not yet resumed
  List<Until> level_waiters_;
};

class [[nodiscard]] IrqEdge::Next : public Waiter {
 public:
  Next(IrqEdge& line, Edge edge, Site site) : line_(line), edge_(edge), site_(site) {}
  // As for Signal::Next: cancelled with edges that nobody else was told of, they go back.
  ~Next() {
    if (linked() && alone_) line_.give_back(edges_);
  }
  bool await_ready() noexcept {
    edges_ = line_.take(edge_);
    return edges_.rising + edges_.falling != 0;
  }
  template <TaskPromise Promise>
  void await_suspend(std::coroutine_handle<Promise> place) noexcept {
    place.promise().suspend(*this, place, "an edge", site_, line_.list());
    line_.waiters_.push_back(*this);
  }
  Edges await_resume() noexcept {
    unlink();
    return edges_;
  }

 private:
  friend class IrqEdge;
  IrqEdge& line_;
  const Edge edge_;
  const Site site_;
  Edges edges_;
  bool alone_ = false;
};

class [[nodiscard]] IrqEdge::Until : public Waiter {
 public:
  Until(IrqEdge& line, bool high, Site site) : line_(line), high_(high), site_(site) {}
  bool await_ready() const noexcept { return line_.is_high() == high_; }
  template <TaskPromise Promise>
  void await_suspend(std::coroutine_handle<Promise> place) noexcept {
    place.promise().suspend(*this, place, "a level", site_, line_.list());
    line_.level_waiters_.push_back(*this);
  }
  void await_resume() const noexcept {}

 private:
  friend class IrqEdge;
  IrqEdge& line_;
  const bool high_;
  const Site site_;
};

inline IrqEdge::Next IrqEdge::next(Edge edge, Site site) noexcept {
  return Next(*this, edge, site);
}
inline IrqEdge::Until IrqEdge::until(bool high, Site site) noexcept {
  return Until(*this, high, site);
}

}  // namespace chappe::sync
