#include "chappe/sync/anomaly.h"

#include "chappe/sync/word.h"

namespace chappe::sync {
namespace {

constinit Word<std::uint32_t> counts[kAnomalies] = {
    Word<std::uint32_t>(0), Word<std::uint32_t>(0), Word<std::uint32_t>(0)};  // writers: any

// Written at start-up, the listener after its context.
constinit Word<void*> listener_context{nullptr};
constinit Word<AnomalyListener> listener{nullptr};

}  // namespace

void report(Anomaly kind, std::string_view words) noexcept {
  counts[static_cast<std::size_t>(kind)].fetch_add(1, Order::relaxed);
  if (const AnomalyListener tell = listener.load(Order::acquire); tell != nullptr) {
    tell(listener_context.load(Order::relaxed), kind, words);
  }
}

void set_anomaly_listener(AnomalyListener tell, void* context) noexcept {
  listener.store(nullptr, Order::relaxed);
  listener_context.store(context, Order::relaxed);
  listener.store(tell, Order::release);
}

std::uint32_t anomaly_count(Anomaly kind) noexcept {
  return counts[static_cast<std::size_t>(kind)].load(Order::relaxed);
}

}  // namespace chappe::sync
