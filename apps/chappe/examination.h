#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "chappe/async/executor.h"
#include "chappe/radio/modulation.h"
#include "chappe/radio/sx126x/bus.h"
#include "chappe/radio/sx126x/chip_link.h"
#include "chappe/radio/sx126x/driver.h"

namespace chappe::app {

/// What an examination found out about one thing.
struct Finding {
  enum class Verdict : std::uint8_t { good, doubtful, bad };
  Verdict verdict = Verdict::good;
  std::string what;    // "BUSY", "noise"
  std::string words;   // what is so
  std::string advice;  // what to do about it; empty if there is nothing
};

constexpr std::string_view to_string(Finding::Verdict verdict) {
  constexpr std::string_view kNames[] = {"good", "doubtful", "bad"};
  return kNames[static_cast<std::size_t>(verdict)];
}

/// Looks wire by wire whether an SX1262 is there, answers, is told of and hears. Transmits nothing.
/// Context: one executor, which may be run by the caller until done().
class Examination {
 public:
  /// How long it listens for others at the end.
  Examination(async::Executor& executor,
              radio::sx126x::Bus& bus,
              const radio::sx126x::Board& board,
              const radio::Modulation& modulation,
              Duration listens);

  void start();
  bool done() const { return done_; }
  const std::vector<Finding>& findings() const { return findings_; }
  /// Nothing is bad.
  bool is_well() const;
  /// The driver that was used, listening; for what comes after. Requires is_well().
  radio::sx126x::Driver& driver() { return driver_; }

 private:
  using Verdict = Finding::Verdict;

  async::Task<> examine();
  async::Task<bool> look_at_reset();
  async::Task<bool> look_at_answers();
  async::Task<bool> look_at_oscillator();
  async::Task<bool> look_at_receiver();
  async::Task<> look_at_edges();
  async::Task<> look_at_noise();
  void find(Verdict verdict, const char* what, std::string words, std::string advice = {});

  async::Executor& executor_;
  radio::sx126x::Bus& bus_;
  const radio::sx126x::Board board_;
  const Duration listens_;
  radio::sx126x::DriverCounters counters_;
  radio::sx126x::ChipLink link_;
  radio::sx126x::Driver driver_;
  std::vector<Finding> findings_;
  bool done_ = false;
  async::TaskSlot<8192> slot_;
};

}  // namespace chappe::app
