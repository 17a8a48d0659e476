// Sends as much as the law allows until it is killed. Usage: kill_sender JOURNAL, with the radio's
// log on descriptor 1.
#include <unistd.h>

#include <array>
#include <iostream>

#include "chappe/async/executor.h"
#include "chappe/async/sleep.h"
#include "chappe/base/random.h"
#include "chappe/port/linux/journal/journal_file.h"
#include "chappe/port/linux/linux_port.h"
#include "chappe/radio/airtime.h"
#include "chappe/tx/lease.h"
#include "chappe/tx/transmitter.h"
#include "tests/kill/fast_law.h"

namespace chappe::test {
namespace {

radio::Modulation fastest() {
  radio::Modulation modulation;
  modulation.spreading = 5;
  modulation.coding = 5;
  modulation.bandwidth = *radio::Bandwidth::from_nominal(Hertz{500'000});
  modulation.preamble = 12;
  return modulation;
}

/// Its log is a pipe: what is written there stays, whatever happens to this process, as what is
/// keyed stays on the air.
class LoggedRadio final : public radio::Radio {
 public:
  explicit LoggedRadio(async::Executor& executor)
      : executor_(executor), credits_(executor.wakes(), limits()), heard_(executor.wakes()) {}

  const radio::Modulation& modulation() const override { return modulation_; }
  flow::Credits& credits() override { return credits_; }
  sync::Signal& heard() override { return heard_; }
  bool take(radio::Frame&) override { return false; }
  async::Task<radio::Channel> listen(const radio::Right&) override {
    co_return radio::Channel::clear;
  }
  async::Task<Result<radio::Transmitted, radio::TransmitFailure>> transmit(
      const radio::Right&, Bytes frame, [[maybe_unused]] flow::Credit credit) override {
    const Duration airtime = radio::time_on_air(modulation_, frame.size());
    const Time keyed = executor_.now();
    const Keyed line{in_us(keyed), in_us(keyed + airtime)};
    CHAPPE_CHECK(::write(STDOUT_FILENO, &line, sizeof line) == sizeof line);
    co_await async::sleep_until(executor_, keyed + airtime);
    co_return radio::Transmitted{keyed, airtime};
  }

 private:
  static flow::Credits::Limits limits() {
    flow::Credits::Limits limits;
    limits.total = 1;
    limits.lane_max = {1, 0, 0, 0};
    return limits;
  }
  async::Executor& executor_;
  const radio::Modulation modulation_ = fastest();
  flow::Credits credits_;
  sync::Signal heard_;
};

class Always final : public tx::Observer {
 public:
  explicit Always(tx::Transmitter& transmitter) : transmitter_(transmitter) {}
  void on_outcome(std::uint64_t, Bytes, const tx::Outcome&) noexcept override { submit(); }
  void submit() {
    tx::Submission submission;
    submission.frame = kFrame;
    transmitter_.submit(submission);
  }

 private:
  static constexpr std::array<std::uint8_t, 60> kFrame{};
  tx::Transmitter& transmitter_;
};

int send(const char* path) {
  port::LinuxPort port;
  async::Executor executor(port);
  auto journal = port::JournalFile::open(path, executor.wakes());
  if (!journal) {
    std::cerr << journal.error() << '\n';
    return 1;
  }
  tx::Found found = (*journal)->found();
  if (found.place == tx::Found::Place::no_file) found.place = tx::Found::Place::new_directory;
  static tx::Ledger ledger(std::span<const tx::Rule>(&kFastRule, 1));
  tx::Lease lease(executor, ledger, **journal, {}, kFastTerms);
  const tx::Restart from =
      tx::restart(found, {}, ledger.rules(), (*journal)->clocks(), tx::UnknownPast::exhausted);
  LoggedRadio radio(executor);
  SeededRandom random(1);
  tx::Transmitter transmitter(executor, radio, lease, random, {});
  Always always(transmitter);
  transmitter.observe(&always);
  lease.start(from);
  transmitter.start();
  for (int i = 0; i < 4; ++i) always.submit();
  executor.run();
  return 0;
}

}  // namespace
}  // namespace chappe::test

int main(int, char** arguments) {
  return chappe::test::send(arguments[1]);
}
