#include "chappe/sync/recorder.h"

#include <algorithm>

#include "chappe/sync/agent.h"

namespace chappe::sync {
RunsIn runs_in(const Agent* agent) noexcept {
  if (agent == nullptr) return RunsIn::outside;
  switch (agent->kind()) {
    case Agent::Kind::task:
      return RunsIn::task;
    case Agent::Kind::timer:
      return RunsIn::timer;
    case Agent::Kind::worker:
      return RunsIn::worker;
  }
  return RunsIn::outside;
}

void Recorder::write(Note what, std::uint32_t a, std::uint32_t b) noexcept {
  if (live_.state.load(Order::relaxed) != RecorderLive::running) return;
  const std::uint64_t now = clock_();
  const auto upper = static_cast<std::uint32_t>(now >> 32);
  const auto lower = static_cast<std::uint32_t>(now);
  // Every 71 minutes the lower half begins anew. One writer says so.
  if (std::uint32_t before = live_.epoch.load(Order::relaxed); before != upper) [[unlikely]] {
    const bool later_epoch = static_cast<std::int32_t>(upper - before) > 0;
    if (later_epoch &&
        live_.epoch.compare_exchange(before, upper, Order::relaxed, Order::relaxed)) {
      put(Note::clock, std::min<std::uint32_t>(upper - before, 0xffff), upper, lower);
    }
  }
  put(what, a, b, lower);
}

void Recorder::put(Note what, std::uint32_t a, std::uint32_t b, std::uint32_t time) noexcept {
  const std::uint32_t ticket = live_.next.fetch_add(1, Order::relaxed) & kTicketMask;
  RecorderSlot& slot = slots_[ticket & (slots_.size() - 1)];
  std::uint32_t seen = slot.seq.load(Order::relaxed);
  const bool free = (seen & kBusy) == 0 && (seen == 0 || later(ticket, seen));
  // Acquire: our stores come after those of the line that was here.
  if (!free || !slot.seq.compare_exchange(seen, kBusy | ticket, Order::acquire, Order::relaxed)) {
    live_.dropped.fetch_add(1, Order::relaxed);
    return;
  }
  slot.time.store(time, Order::release);
  slot.what.store(static_cast<std::uint32_t>(what) |
                      static_cast<std::uint32_t>(runs_in(Agent::running())) << 12 |
                      std::min<std::uint32_t>(a, 0xffff) << 16,
                  Order::release);
  slot.b.store(b, Order::release);
  slot.seq.store(ticket, Order::release);
}

void Recorder::freeze(RecorderLive::State why) noexcept {
  std::uint32_t expected = RecorderLive::running;
  live_.state.compare_exchange(expected, why, Order::relaxed, Order::relaxed);
}

std::optional<Recorder::Line> Recorder::read(std::size_t index) const noexcept {
  const RecorderSlot& slot = slots_[index];
  const std::uint32_t before = slot.seq.load(Order::acquire);
  if (before == 0 || (before & kBusy) != 0) return std::nullopt;
  const std::uint32_t time = slot.time.load(Order::acquire);
  const std::uint32_t what = slot.what.load(Order::acquire);
  const std::uint32_t b = slot.b.load(Order::acquire);
  if (slot.seq.load(Order::relaxed) != before) return std::nullopt;
  return line_of(before, time, what, b);
}

}  // namespace chappe::sync
