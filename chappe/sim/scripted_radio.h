#pragma once

#include <deque>
#include <vector>

#include "chappe/async/executor.h"
#include "chappe/async/sleep.h"
#include "chappe/radio/airtime.h"
#include "chappe/radio/radio.h"

namespace chappe::sim {

/// A radio that does what a test tells it to, and keeps a log of what it radiated and of who held
/// the Right. Frames that are heard are put in by hand.
class ScriptedRadio final : public radio::Radio {
 public:
  struct Keyed {
    Time from{};
    Time to{};
    std::vector<std::uint8_t> frame;
    const sync::Agent* holder = nullptr;  // of the Right, at the first symbol
    const sync::Agent* sender = nullptr;  // who was running
  };
  enum class Next { send, fail_unkeyed, fail_unsure };

  explicit ScriptedRadio(async::Executor& executor, const radio::Modulation& modulation = {})
      : executor_(executor),
        modulation_(modulation),
        credits_(executor.wakes(), one_buffer()),
        heard_(executor.wakes()),
        resets_(executor.wakes()) {}

  const radio::Modulation& modulation() const override { return modulation_; }
  flow::Credits& credits() override { return credits_; }
  sync::Signal& heard() override { return heard_; }
  sync::Signal* resets() override { return &resets_; }
  void reset() { resets_.set(); }

  async::Task<radio::Channel> listen(const radio::Right&) override {
    ++listens_;
    co_return executor_.now() < busy_until ? radio::Channel::busy : radio::Channel::clear;
  }

  async::Task<Result<radio::Transmitted, radio::TransmitFailure>> transmit(
      const radio::Right&, Bytes frame, [[maybe_unused]] flow::Credit credit) override {
    const Next next = script.empty() ? Next::send : script.front();
    if (!script.empty()) script.pop_front();
    if (next == Next::fail_unkeyed) co_return Unexpected(radio::TransmitFailure::never_keyed);

    const Duration airtime = radio::time_on_air(modulation_, frame.size());
    const Time from = executor_.now();
    log.push_back({from,
                   from + airtime,
                   {frame.begin(), frame.end()},
                   right().owner(),
                   sync::Agent::running()});
    radiated_ += airtime;
    co_await async::sleep_until(executor_, from + airtime);
    if (next == Next::fail_unsure) co_return Unexpected(radio::TransmitFailure::unsure);
    co_return radio::Transmitted{from, airtime};
  }

  async::Task<std::optional<Dbm>> sense(const radio::Right&, Duration span) override {
    sensed += span;
    co_await async::sleep_for(executor_, span);
    co_return level;
  }
  std::optional<Dbm> noise_floor() const override { return floor; }
  std::optional<Duration> radiated() const override { return radiated_; }

  bool take(radio::Frame& frame) override {
    if (inbox_.empty()) return false;
    frame = inbox_.front();
    inbox_.pop_front();
    return true;
  }
  /// What it sends from now on is sent like this.
  void tune(const radio::Modulation& modulation) { modulation_ = modulation; }
  void hear(const radio::Frame& frame) {
    inbox_.push_back(frame);
    heard_.set();
  }

  std::uint64_t listens() const { return listens_; }

  std::vector<Keyed> log;
  std::deque<Next> script;  // one per transmission; afterwards everything is sent
  Time busy_until{};
  std::optional<Dbm> level;  // what it senses
  std::optional<Dbm> floor;
  Duration sensed{};

 private:
  static flow::Credits::Limits one_buffer() {
    flow::Credits::Limits limits;
    limits.total = 1;  // the SX126x sends from one buffer
    limits.lane_max = {1, 0, 0, 0};
    return limits;
  }

  async::Executor& executor_;
  radio::Modulation modulation_;
  flow::Credits credits_;
  sync::Signal heard_;
  sync::Signal resets_;
  std::deque<radio::Frame> inbox_;
  std::uint64_t listens_ = 0;
  Duration radiated_{};
};

}  // namespace chappe::sim
