#include "chappe/sync/anomaly.h"

#include "chappe/base/note.h"
#include "chappe/sync/shared_state.h"

namespace chappe::sync {
namespace {

constexpr SharedState kCountsState{.name = "Anomaly::counts",
                                   .purpose = "how often each kind was reported",
                                   .writers = Who::any,
                                   .readers = Who::any,
                                   .protection = "each is a counter of its own",
                                   .orders = Orders::relaxed};
using Count = SharedWord<std::uint32_t, kCountsState>;
constinit SharedWord<std::uint32_t, kCountsState> counts[kAnomalies] = {
    Count(0), Count(0), Count(0)};

constexpr SharedState kContextState{.name = "Anomaly::listener_context",
                                    .purpose = "what the listener is called with",
                                    .writers = Who::start,
                                    .readers = Who::any,
                                    .protection = "written before the listener, which publishes it",
                                    .orders = Orders::relaxed};
constinit SharedWord<void*, kContextState> listener_context{nullptr};
constexpr SharedState kListenerState{.name = "Anomaly::listener",
                                     .purpose = "whom anomalies are told",
                                     .writers = Who::start,
                                     .readers = Who::any,
                                     .protection = "one word; it publishes its context",
                                     .orders = Orders::acquire | Orders::release | Orders::relaxed};
constinit SharedWord<AnomalyListener, kListenerState> listener{nullptr};

}  // namespace

void report(Anomaly kind, std::string_view words) noexcept {
  const auto index = static_cast<std::size_t>(kind);
  const std::uint32_t before = counts[index].fetch_add(1, Order::relaxed);
  note(Note::anomaly, static_cast<std::uint32_t>(index), before + 1);
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
