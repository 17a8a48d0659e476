#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "chappe/async/executor.h"
#include "chappe/play/scenario.h"
#include "chappe/radio/radio.h"

namespace chappe::play {

/// The modulation a recording names; nothing if no LoRa modem has it.
std::optional<radio::Modulation> modulation_of(const RecordedRadio& radio);

/// A radio on a recorded channel. What is heard is put in as it ends and takes no channel time;
/// what the node sends takes its time on air and is heard by nobody. The channel is busy when the
/// recording's windows say that the reference's modem would have found it so.
///
/// Context: the executor. Any executor: virtual time plays a recording at once, real time as it
/// was.
class ReplayedRadio final : public radio::Radio {
 public:
  /// How the node listens before it talks.
  struct Listening {
    bool cad = false;
    std::optional<Decibels> threshold;  // over the noise floor
    Dbm floor;

    static Listening of(const RecordedNode& node);
    /// A threshold of 0 decibels means none.
    static Listening of(bool cad, int threshold_db, int floor_dbm);
  };

  class Observer {
   public:
    virtual void on_keyed(Bytes frame) noexcept = 0;

   protected:
    ~Observer() = default;
  };

  /// Windows count from now.
  ReplayedRadio(async::Executor& executor,
                const radio::Modulation& modulation,
                std::vector<ChannelWindow> windows,
                const Listening& listening);

  void observe(Observer* observer) { observer_ = observer; }

  /// A frame whose last symbol ends now. False: it is lost, the node was sending.
  [[nodiscard]] bool hear(Bytes frame, Decibels snr, Dbm rssi);
  /// The next transmission will not start.
  void refuse_next() { ++refusals_; }
  /// Busy, whatever the windows say.
  void set_busy(bool busy) { busy_ = busy; }
  /// From the next look at the channel on.
  void listen_like(const Listening& listening) { listening_ = listening; }
  /// From the next frame on.
  void tune(const radio::Modulation& modulation);

  const radio::Modulation& modulation() const override { return modulation_; }
  flow::Credits& credits() override { return credits_; }
  sync::Signal& heard() override { return heard_; }
  async::Task<radio::Channel> listen(const radio::Right& right) override;
  async::Task<Result<radio::Transmitted, radio::TransmitFailure>> transmit(
      const radio::Right& right, Bytes frame, flow::Credit credit) override;
  bool take(radio::Frame& frame) override;

 private:
  bool is_busy(const ChannelWindow& window) const;

  async::Executor& executor_;
  radio::Modulation modulation_;
  const std::vector<ChannelWindow> windows_;
  Listening listening_;
  const Time origin_;
  // The driver believes a flag of its modem for so long and then clears it.
  Duration preamble_flag_;
  Duration header_flag_;
  flow::Credits credits_;
  sync::Signal heard_;
  std::deque<radio::Frame> inbox_;
  Observer* observer_ = nullptr;
  Time keyed_{};
  Time sent_{};
  int refusals_ = 0;
  bool busy_ = false;
};

}  // namespace chappe::play
