#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "chappe/sync/shared_state.h"

namespace chappe::sync {

/// Items from one context to one other, oldest first, at most `Capacity` under way. Nobody waits
/// and nobody is woken: a Signal beside it says when to look.
///
/// Two counters that only grow: the producer writes one, the consumer the other. A place is the
/// producer's while it is outside [taken, put), else the consumer's; the counter's release and the
/// other side's acquire hand it over.
///
/// Context: one for try_put(), one for try_take(). Memory: in place.
template <class T, std::size_t Capacity>
class Channel {
 public:
  /// False if there is no room; nothing changes then. Context: the producer.
  [[nodiscard]] bool try_put(const T& item) noexcept {
    const std::uint32_t put = put_.load(Order::relaxed);
    if (put - taken_.load(Order::acquire) == Capacity) return false;
    items_[put % Capacity] = item;
    put_.store(put + 1, Order::release);
    return true;
  }

  /// False if there is nothing. Context: the consumer.
  [[nodiscard]] bool try_take(T& item) noexcept {
    const std::uint32_t taken = taken_.load(Order::relaxed);
    if (put_.load(Order::acquire) == taken) return false;
    item = items_[taken % Capacity];
    taken_.store(taken + 1, Order::release);
    return true;
  }

 private:
  static_assert((Capacity & (Capacity - 1)) == 0, "the counters wrap");

  static constexpr SharedState kPutState{
      .name = "Channel::put",
      .purpose = "how many items were ever put",
      .writers = Who::any,
      .readers = Who::any,
      .protection = "the producer alone writes it",
      .orders = Orders::release | Orders::acquire | Orders::relaxed};
  static constexpr SharedState kTakenState{
      .name = "Channel::taken",
      .purpose = "how many items were ever taken",
      .writers = Who::any,
      .readers = Who::any,
      .protection = "the consumer alone writes it",
      .orders = Orders::release | Orders::acquire | Orders::relaxed};

  SharedWord<std::uint32_t, kPutState> put_{0};
  SharedWord<std::uint32_t, kTakenState> taken_{0};
  std::array<T, Capacity> items_{};
};

}  // namespace chappe::sync
