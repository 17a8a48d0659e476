#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace chappe::sync {

/// What should not happen and does not stop us: counted always, told to whoever listens. What must
/// not happen is a panic instead.
enum class Anomaly : std::uint8_t {
  lock_over_budget,  // a lock was held for longer than its class says
  slow_step,         // a task or a timer kept its executor to itself for too long
  abandoned_task,    // a task did not end within the bound of a stop
};
inline constexpr std::size_t kAnomalies = 3;

/// Context: any that may read a clock; the listener's words live as long as the call.
using AnomalyListener = void (*)(void* context, Anomaly kind, std::string_view words) noexcept;
void report(Anomaly kind, std::string_view words) noexcept;

/// One listener for the whole program, set at start-up. Null: nobody. It must not lock or wait.
void set_anomaly_listener(AnomalyListener listener, void* context) noexcept;
std::uint32_t anomaly_count(Anomaly kind) noexcept;

}  // namespace chappe::sync
