#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "chappe/async/executor.h"
#include "chappe/base/check.h"
#include "chappe/base/random.h"
#include "chappe/mesh/identity.h"
#include "chappe/node/repeater.h"
#include "chappe/port/virtual/virtual_port.h"
#include "chappe/sim/scripted_radio.h"
#include "chappe/tx/ledger.h"

namespace chappe {
namespace {

/// After every event: both books balance, every event belongs to a frame that was heard or sent.
class Auditor final : public node::EventListener {
 public:
  explicit Auditor(const node::Repeater& repeater) : repeater_(repeater) {}
  void on_event(const node::Event& event) noexcept override {
    CHAPPE_CHECK(repeater_.books().balance());
    CHAPPE_CHECK(repeater_.statistics().balances());
    CHAPPE_CHECK(event.frame.size() <= radio::kFrameMax);
    CHAPPE_CHECK(event.at >= last_);
    last_ = event.at;
    heard_ += event.kind == node::EventKind::heard ? 1 : 0;
    CHAPPE_CHECK(repeater_.books().heard == heard_);
  }

 private:
  const node::Repeater& repeater_;
  Time last_{};
  std::uint64_t heard_ = 0;
};

/// The input as a sequence of small numbers and frames; zeros after its end.
class Tape {
 public:
  explicit Tape(Bytes bytes) : rest_(bytes) {}
  bool at_end() const { return rest_.empty(); }
  std::uint8_t next() {
    if (rest_.empty()) return 0;
    const std::uint8_t byte = rest_[0];
    rest_ = rest_.subspan(1);
    return byte;
  }
  Bytes take(std::size_t count) {
    const Bytes taken = rest_.first(std::min(count, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

 private:
  Bytes rest_;
};

}  // namespace
}  // namespace chappe

// Whole frames into a whole node: any bytes, any order, any time between them, radios that fail.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace chappe;
  Tape tape{Bytes(bytes, size)};

  static const mesh::Identity identity = mesh::identity_of(mesh::Seed{0x11});
  port::VirtualPort port;
  async::Executor executor(port);
  sim::ScriptedRadio radio(executor);
  SeededRandom random(tape.next());
  const std::uint8_t options = tape.next();
  const std::array<tx::Rule, 1> rules = {
      tx::Rule{minutes(1), (options & 1) != 0 ? seconds(1) : seconds(60)}};
  tx::Ledger ledger(rules);
  node::Settings settings;
  settings.rules.receive_delay_base = (options & 2) != 0 ? 10.0F : 0.0F;
  settings.rules.loop_detection = static_cast<mesh::LoopDetection>(options >> 2 & 3);
  settings.rules.multi_acks = options >> 4 & 1;
  settings.policy.over_budget = (options & 32) != 0 ? tx::OverBudget::drop : tx::OverBudget::defer;
  settings.packet_pool = (options & 64) != 0 ? 4 : node::kNoPool;

  node::Repeater repeater(executor, radio, ledger, random, settings, identity);
  Auditor auditor(repeater);
  repeater.listen(auditor);
  repeater.start();
  while (!tape.at_end()) {
    const std::uint8_t what = tape.next();
    if ((what & 0xf0) == 0xf0) {
      radio.script.push_back(static_cast<sim::ScriptedRadio::Next>(what % 3));
    } else if ((what & 0xf0) == 0xe0) {
      radio.busy_until = executor.now() + milliseconds(what * 10);
    } else {
      radio::Frame frame;
      frame.bytes.append(tape.take(std::min<std::size_t>(tape.next(), radio::kFrameMax)));
      frame.snr = Decibels{static_cast<std::int8_t>(tape.next())};
      frame.at = executor.now();
      radio.hear(frame);
    }
    if ((what & 1) != 0) port.run(executor, executor.now() + milliseconds(what * 20));
  }
  port.run(executor, executor.now() + minutes(20));
  for (std::size_t i = 1; i < radio.log.size(); ++i) {
    CHAPPE_CHECK(radio.log[i - 1].to <= radio.log[i].from);
  }
  repeater.stop();
  CHAPPE_CHECK(repeater.books().waiting == 0);
  return 0;
}
