#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "chappe/async/completion.h"
#include "chappe/async/executor.h"
#include "chappe/async/line.h"
#include "chappe/async/timer.h"
#include "chappe/async/wait_list.h"
#include "chappe/base/ring.h"
#include "chappe/flow/credits.h"
#include "chappe/radio/kiss/dialect.h"
#include "chappe/radio/kiss/framing.h"
#include "chappe/radio/radio.h"

namespace chappe::radio::kiss {

/// Why there is no modem.
enum class Lost : std::uint8_t {
  cannot_open,  // the line says why
  hung_up,      // the line ended
  silent,       // it is there and does not answer
  refused,      // it does not take our channel or our power
};

class ModemRadio;

/// Somebody who tells people. Called in the radio's executor; must not wait.
class ModemObserver {
 public:
  virtual void on_ready(const ModemRadio& radio) noexcept = 0;
  /// Another attempt follows after `pause`.
  virtual void on_lost(const ModemRadio& radio, Lost why, Duration pause) noexcept = 0;

 protected:
  ~ModemObserver() = default;
};

/// A board with MeshCore's modem firmware as our radio.
///
/// A keeper opens the line, waits until the modem answers, makes it send at once (delay 0,
/// persistence 255: the waiting is ours to do), gives it channel and power, and then looks after
/// it: a modem that says nothing for a while is asked, one that does not answer is given up, and
/// the line is opened again, after pauses that grow. Without a modem nothing is heard, and what is
/// to be sent surely is not.
///
/// The modem holds one frame. Its credit comes back when the modem tells the end, or when it cannot
/// any more; what it had then may have been radiated, so it counts as unsure.
/// Context: one executor's tasks. Memory: in place.
class ModemRadio final : public Radio {
 public:
  static constexpr std::size_t kHeardMax = 8;
  /// Silence before the modem is asked whether it is there, and what it gets to answer anything.
  static constexpr Duration kProbeAfter = seconds(10);
  static constexpr Duration kAnswerMax = seconds(2);
  /// A board that was reset by opening its line has to start first.
  static constexpr int kGreetings = 4;
  static constexpr Duration kPauseMin = seconds(1);
  static constexpr Duration kPauseMax = seconds(60);

  /// Things that happen and should not, and how often.
  struct Counters {
    std::uint32_t ready = 0;       // how often there was a modem
    std::uint32_t lost = 0;        // ... or an attempt failed
    std::uint32_t overrun = 0;     // frames heard that found no room
    std::uint32_t unreported = 0;  // frames heard without RSSI and SNR
    std::uint32_t malformed = 0;   // what no modem of this kind says
    std::uint32_t late_done = 0;   // the end of a transmission nobody waits for
  };

  ModemRadio(async::Executor& executor,
             async::Line& line,
             const Modulation& modulation,
             std::int8_t transmit_dbm,
             ModemObserver* observer = nullptr);
  ModemRadio(const ModemRadio&) = delete;
  ModemRadio& operator=(const ModemRadio&) = delete;
  /// No task may be using it.
  ~ModemRadio() { stop(); }

  void start();
  /// Closes the line. What the modem holds ends as unsure.
  void stop();

  bool is_ready() const { return ready_; }
  const async::Line& line() const { return line_; }
  const Counters& counters() const { return counters_; }

  const Modulation& modulation() const override { return modulation_; }
  flow::Credits& credits() override { return credits_; }
  sync::Signal& heard() override { return heard_; }
  /// Another modem, or the same one after whatever it was: nothing of before is in it.
  sync::Signal* resets() override { return &resets_; }
  [[nodiscard]] bool take(Frame& frame) override;

  /// Asks the modem. Without one the channel is clear: then transmit() says what is wrong, at once.
  async::Task<Channel> listen(const Right& right) override;
  async::Task<Result<Transmitted, TransmitFailure>> transmit(const Right& right,
                                                             Bytes frame,
                                                             flow::Credit credit) override;

 private:
  using Outcome = Result<Transmitted, TransmitFailure>;

  // What the modem said to a request.
  struct Answer {
    enum class Kind : std::uint8_t { given, refused, silence };
    Kind kind = Kind::silence;
    std::uint8_t first = 0;  // byte, if there is one
  };

  // A timer that calls a member.
  struct OwnTimer : async::Timer {
    OwnTimer(ModemRadio& radio, void (ModemRadio::*callback)())
        : Timer(radio.executor_, &fired), owner(radio), member(callback) {}
    static void fired(Timer& timer, const async::TimerContext&) {
      auto& self = static_cast<OwnTimer&>(timer);
      (self.owner.*self.member)();
    }
    ModemRadio& owner;
    void (ModemRadio::* const member)();
  };

  // Bits of wake_.
  static constexpr std::uint32_t kBroken = 1;
  static constexpr std::uint32_t kLook = 2;
  static constexpr std::uint32_t kOutput = 4;

  // One data frame, and requests: one is under way at a time, and probes are seconds apart.
  static constexpr std::size_t kOutputMax = 2 * (kFrameMax + 1) + 2 + 64;

  async::Task<> keep();
  async::Task<> read();
  async::Task<> write();
  async::Task<bool> greet();
  async::Task<bool> configure();
  async::Task<> watch();
  async::Task<Answer> ask(Bytes frame, std::uint8_t expected);

  void hang_up();
  void give_up(Lost why);
  bool send(Bytes frame);
  bool send_data(Bytes frame);
  void answered(const Answer& answer);
  void receive(Bytes frame);
  void receive_data(Bytes bytes);
  void receive_hardware(Bytes frame);
  void deliver();
  void settle(const Outcome& outcome);

  // What the timers call.
  void look() { wake_.set(kLook); }
  void no_answer() { answered({}); }
  void no_report();
  void no_end() { settle(Unexpected(TransmitFailure::unsure)); }

  async::Executor& executor_;
  async::Line& line_;
  const Modulation modulation_;
  const std::int8_t transmit_dbm_;
  ModemObserver* const observer_;
  flow::Credits credits_;
  sync::Signal heard_;
  sync::Signal resets_;
  sync::Flags wake_;
  Counters counters_;
  bool ready_ = false;
  Lost why_lost_ = Lost::cannot_open;

  // The line.
  Decoder decoder_;
  ByteBuffer<kOutputMax> output_;
  ByteBuffer<kOutputMax> writing_;
  Time heard_from_{};  // anything at all
  OwnTimer look_timer_{*this, &ModemRadio::look};

  // One request at a time: whoever asks holds the Right.
  async::Completion<Answer> answer_;
  async::Completion<Answer>::Ticket answer_ticket_;
  std::uint8_t expected_ = 0;  // 0: nothing
  std::uint32_t strays_ = 0;   // answers on their way to somebody who was cancelled
  OwnTimer answer_timer_{*this, &ModemRadio::no_answer};

  // What was heard, and is not yet reported on.
  Frame arriving_;
  bool is_arriving_ = false;
  OwnTimer report_timer_{*this, &ModemRadio::no_report};
  Ring<Frame, kHeardMax> inbox_;

  // The frame the modem holds.
  async::Completion<Outcome> sent_;
  async::Completion<Outcome>::Ticket sent_ticket_;
  std::uint8_t lane_ = 0;
  bool is_sending_ = false;
  bool is_in_output_ = false;  // and surely not yet with the modem
  Time handed_over_{};
  Duration airtime_{};
  OwnTimer end_timer_{*this, &ModemRadio::no_end};
  async::WaitList quiet_;

  async::TaskSlot<4096> keeper_;
  async::TaskSlot<2048> reader_;
  async::TaskSlot<2048> writer_;
};

}  // namespace chappe::radio::kiss
