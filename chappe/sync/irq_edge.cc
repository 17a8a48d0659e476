#include "chappe/sync/irq_edge.h"

#include <utility>

#include "chappe/base/check.h"

namespace chappe::sync {
namespace {

bool wants(IrqEdge::Edge edge, IrqEdge::Edge kind) {
  return (static_cast<unsigned>(edge) & static_cast<unsigned>(kind)) != 0;
}

}  // namespace

IrqEdge::~IrqEdge() {
  drain();
  CHAPPE_CHECK(waiters_.empty());
  CHAPPE_CHECK(level_waiters_.empty());
}

IrqEdge::Edges IrqEdge::take(Edge edge) noexcept {
  Edges edges;
  edges.last = pending_.last;
  if (wants(edge, Edge::rising)) edges.rising = std::exchange(pending_.rising, 0);
  if (wants(edge, Edge::falling)) edges.falling = std::exchange(pending_.falling, 0);
  return edges;
}

void IrqEdge::give_back(const Edges& edges) noexcept {
  pending_.rising += edges.rising;
  pending_.falling += edges.falling;
}

void IrqEdge::deliver(WakeSource& self, std::uint32_t) noexcept {
  auto& line = static_cast<IrqEdge&>(self);
  const std::uint32_t rising = line.rising_.load(Order::relaxed);
  const std::uint32_t falling = line.falling_.load(Order::relaxed);
  line.pending_.rising += rising - std::exchange(line.rising_seen_, rising);
  line.pending_.falling += falling - std::exchange(line.falling_seen_, falling);
  // The stamp is younger than the wrap of its half: 71 minutes.
  const Time now = line.clock_.now();
  const std::uint32_t age =
      static_cast<std::uint32_t>(in_us(now)) - line.stamp_.load(Order::relaxed);
  line.pending_.last = now - microseconds(age);

  Edges told;  // the kinds that somebody was woken for
  line.waiters_.for_each([&](Next& waiter) {
    Edges edges{0, 0, line.pending_.last};
    if (wants(waiter.edge_, Edge::rising)) edges.rising = line.pending_.rising;
    if (wants(waiter.edge_, Edge::falling)) edges.falling = line.pending_.falling;
    if (edges.rising + edges.falling == 0) return;
    waiter.edges_ = edges;
    waiter.alone_ =
        (edges.rising == 0 || told.rising == 0) && (edges.falling == 0 || told.falling == 0);
    told.rising |= edges.rising;
    told.falling |= edges.falling;
    waiter.wake();
    line.woken_.push_back(waiter);
  });
  if (told.rising != 0) line.pending_.rising = 0;
  if (told.falling != 0) line.pending_.falling = 0;

  const bool high = line.is_high();
  line.level_waiters_.for_each([&](Until& waiter) {
    if (waiter.high_ == high) waiter.wake();
  });
}

}  // namespace chappe::sync
