#pragma once

#include <cstdint>
#include <optional>

#include "chappe/async/completion.h"
#include "chappe/async/executor.h"
#include "chappe/async/timer.h"
#include "chappe/flow/credits.h"
#include "chappe/flow/inflight.h"
#include "chappe/radio/radio.h"
#include "chappe/radio/sx126x/board.h"
#include "chappe/radio/sx126x/bus.h"
#include "chappe/radio/sx126x/chip_link.h"
#include "chappe/radio/sx126x/noise_floor.h"
#include "chappe/radio/sx126x/report.h"
#include "chappe/sync/published.h"
#include "chappe/sync/signal.h"
#include "chappe/sync/spsc.h"

namespace chappe::radio::sx126x {

/// An SX1261, SX1262 or SX1268 as a radio of the house.
///
/// Two sides, which may run on two threads or in one loop: the code is the same.
///   the house   asks: it takes the Right, posts one operation, and awaits its result
///   the server  one task on the radio's own executor, and nobody else, talks to the chip
/// What crosses is one operation at a time (the Right sees to it), its Completion, the frames that
/// the filter found new, and a report.
///
/// Deaf as briefly as possible: the receiver runs on while frames are read, and after a
/// transmission it is armed again before anything else is done. DIO1 only says when to look:
/// whatever it lost is found by the tick, twice a second, which also makes sure that the chip still
/// is what it was made.
///
/// What goes wrong is put right in stages, each counted; if none helps, the chip is held in reset,
/// so that it cannot be left sending, and everything is tried again with the next tick. A reset is
/// a new generation: an operation asked for before it ends as restarted, or as unsure if it was
/// keyed.
///
/// Memory: in place. Context: see each function.
class Driver final : public Radio, private Dio1Listener {
 public:
  /// Frames handed over and not yet taken: two seconds of the shortest packets at SF 7, 62.5 kHz.
  static constexpr std::size_t kHeardMax = 16;

  /// `house` and `own` may be the same executor. `bus` must outlive this.
  Driver(async::Executor& house,
         async::Executor& own,
         Bus& bus,
         const Board& board,
         const Modulation& modulation);
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  /// Both executors stand still, or are the caller's.
  ~Driver();

  /// Brings the chip up and listens. Before the executors run, or in the only one's thread.
  void start();

  // The house's side. Context: tasks of the house.
  const Modulation& modulation() const override { return modulation_; }
  flow::Credits& credits() override { return credits_; }
  sync::Signal& heard() override { return heard_; }
  sync::Signal* resets() override { return &resets_; }
  bool take(Frame& frame) override;
  async::Task<Channel> listen(const Right& right) override;
  async::Task<std::optional<Dbm>> sense(const Right& right, Duration span) override;
  std::optional<Dbm> noise_floor() const override;
  std::optional<Duration> radiated() const override { return report().radiated; }
  /// In reset, with the antenna off.
  void make_safe() noexcept override;
  async::Task<Result<Transmitted, TransmitFailure>> transmit(const Right& right,
                                                             Bytes frame,
                                                             flow::Credit credit) override;

  /// Sends and listens like this from now on. False: the chip did not take it, and recovers.
  async::Task<bool> tune(const Right& right, const Modulation& modulation);
  /// Calibrates everything: what a strong signal can leave behind makes a receiver deaf.
  async::Task<bool> calibrate(const Right& right);
  /// Everything anew from the reset line on: a new generation.
  async::Task<bool> reset(const Right& right);

  /// Puts the chip to sleep. It is a claim: nothing may be under way, and nobody takes a credit
  /// from then on. False if that has not come true by `deadline`; nothing has changed then.
  async::Task<bool> power_down(const Right& right, Time deadline);
  async::Task<bool> power_up(const Right& right);

  /// Context: any.
  DriverReport report() const { return published_.read(); }

 private:
  using Outcome = Result<Transmitted, TransmitFailure>;

  enum class Kind : std::uint8_t { send, look, measure, tune, calibrate, recover, reset, sleep };
  struct Operation {
    Kind kind = Kind::recover;
    FrameBytes frame;
    Modulation modulation;
    Duration span{};
    std::uint8_t lane = 0;
    std::uint32_t generation = 0;
  };
  struct Reply {
    bool done = false;
    Channel channel = Channel::busy;
    Dbm level{};
    Transmitted sent{};
    TransmitFailure failure = TransmitFailure::unsure;
  };

  // What the server waits for.
  static constexpr std::uint32_t kEdge = 1;   // DIO1 rose
  static constexpr std::uint32_t kAsked = 2;  // an operation was posted
  static constexpr std::uint32_t kTick = 4;
  static constexpr std::uint32_t kAlarm = 8;  // what an operation waits for should have come
  static constexpr std::uint32_t kWedge = 16;
  static constexpr std::uint32_t kPoll = 32;  // DIO1 cannot tell

  struct SetsEvent : async::Timer {
    SetsEvent(Driver& of, std::uint32_t event) : Timer(of.own_, &fired), driver(of), bits(event) {}
    static void fired(Timer& timer, const async::TimerContext&) {
      SetsEvent& self = static_cast<SetsEvent&>(timer);
      self.driver.events_.set(self.bits);
    }
    Driver& driver;
    const std::uint32_t bits;
  };

  // The house.
  async::Task<> keep();
  async::Task<> previous_ended();
  async::Task<Reply> ask(Kind kind);

  // Any context.
  void on_dio1(Time at) noexcept override;

  // The server: driver.cc.
  async::Task<> serve();
  async::Task<> carry_out();
  async::Task<Reply> send_frame();
  async::Task<bool> load_frame();
  async::Task<bool> wait_for_end(Time keyed, Duration airtime, Transmitted* sent);
  async::Task<Reply> look_for_others();
  async::Task<Reply> measure();
  async::Task<bool> detect_activity(bool* busy);
  async::Task<bool> go_to_sleep();

  // Hearing: hearing.cc.
  async::Task<> service();
  async::Task<> fetch(std::uint16_t seen, Time at);
  async::Task<> look_after();
  async::Task<bool> update_signal(std::uint16_t seen);
  async::Task<std::optional<std::uint16_t>> flags();
  void deliver(const Frame& frame);
  void count_confirmation();

  // Getting and keeping it there: recovery.cc.
  async::Task<bool> configure();
  async::Task<bool> adjust(std::uint16_t address, std::uint8_t clear, std::uint8_t set);
  async::Task<bool> calibrate_chip();
  async::Task<bool> arm();
  async::Task<bool> verify();
  async::Task<bool> recover(Stage first);
  async::Task<bool> try_stage(Stage stage);
  void lose();
  void supervise();

  void enter(Activity activity) { book_.enter(activity, own_.now()); }
  void publish();

  async::Executor& house_;
  async::Executor& own_;
  Bus& bus_;
  const Board board_;

  // Both sides, by words.
  flow::Credits credits_;
  flow::Inflight inflight_;
  sync::Flags events_;
  sync::Signal heard_;
  sync::Signal trouble_;
  sync::Spsc<Frame, kHeardMax> inbox_;
  sync::Signal resets_;
  sync::Published<DriverReport> published_;
  async::Completion<Reply> reply_;
  static constexpr sync::SharedState kEdgeAtState{
      .name = "Driver::edge_at",
      .purpose = "when DIO1 rose last, in microseconds",
      .writers = sync::Who::any,
      .readers = sync::Who::task,
      .protection = "one word; the event set after it orders it",
      .orders = sync::Orders::relaxed};
  sync::SharedWord<std::int64_t, kEdgeAtState> edge_at_{0};
  static constexpr sync::SharedState kGenerationState{
      .name = "Driver::generation",
      .purpose = "resets of the chip",
      .writers = sync::Who::task,
      .readers = sync::Who::task,
      .protection = "the server alone writes; an operation carries what its asker read",
      .orders = sync::Orders::relaxed};
  sync::SharedWord<std::uint32_t, kGenerationState> generation_{0};
  // The house writes it while no reply is armed, the server reads it while one is.
  Operation op_;
  async::Completion<Reply>::Ticket ticket_;

  // The house alone.
  Modulation modulation_;
  async::TaskSlot<2048> keeper_;

  // The server alone.
  ChipLink link_;
  DriverCounters counters_;
  TimeBook book_;
  NoiseFloor noise_;
  Dbm rssi_{};
  Modulation tuned_;
  bool up_ = false;
  bool asleep_ = false;
  bool held_in_reset_ = false;
  bool alarm_ = false;
  Duration radiated_{};
  std::uint32_t owed_confirmations_ = 0;  // transmissions given up whose TX_DONE may still come
  Time last_good_{};                      // the last sign that the receiver is one
  Time attentive_since_ = kNever;         // no preamble can have been missed since
  Time signal_until_ = kNever;            // a preamble or header stands: believed until then
  bool signal_has_header_ = false;
  bool by_edge_ = false;
  std::uint64_t frames_at_tick_ = 0;
  Time next_tick_{};
  SetsEvent tick_{*this, kTick};
  SetsEvent alarm_timer_{*this, kAlarm};
  SetsEvent poll_{*this, kPoll};
  async::TaskSlot<8192> server_;
  async::TaskSlot<1024> supervisor_;
};

}  // namespace chappe::radio::sx126x
