// What the driver does when DIO1 rises, and twice a second to be sure.
#include "chappe/async/sleep.h"
#include "chappe/radio/airtime.h"
#include "chappe/radio/sx126x/driver.h"

namespace chappe::radio::sx126x {
namespace {

// Flags that one look may find, one after the other, before others have their turn.
constexpr int kRounds = 8;

// How often to look while DIO1 is high and tells nothing.
constexpr Duration kPollEvery = milliseconds(20);

constexpr std::uint16_t kUnderWay = irq::kPreambleDetected | irq::kHeaderValid;

}  // namespace

async::Task<std::optional<std::uint16_t>> Driver::flags() {
  const std::optional<Command> answer = co_await link_.ask(get_irq());
  if (!answer) co_return std::nullopt;
  co_return static_cast<std::uint16_t>((*answer)[2] << 8 | (*answer)[3]);
}

// Looks at the flags until none is left that is anybody's business.
async::Task<> Driver::service() {
  if (!up_) co_return;
  Time at = own_.now();
  if (by_edge_) at = at_us(edge_at_.load(sync::Order::relaxed));
  bool found = false;
  for (int round = 0; round < kRounds; ++round) {
    std::optional<std::uint16_t> seen = co_await flags();
    if (!seen) seen = co_await flags();  // once more: nothing was lost yet
    if (!seen) co_return lose();
    const bool sound = co_await update_signal(*seen);
    if (!sound) co_return lose();
    std::uint16_t ended = *seen & irq::kTold;
    if (ended == 0) break;
    found = true;
    // What belongs to a frame that ended is over with it.
    if ((*seen & (irq::kRxDone | irq::kHeaderError)) != 0) {
      ended = static_cast<std::uint16_t>(ended | (*seen & (kUnderWay | irq::kCrcError)));
      signal_until_ = kNever;
    }
    // Exactly what was seen. A flag that rises between the read and this must still be there for
    // the next round: clearing everything would lose that interrupt, and its frame with it. The
    // receiver runs on meanwhile, so it is armed before anything is read.
    const bool cleared = co_await link_.send(clear_irq(ended));
    if (!cleared) co_return lose();
    if ((*seen & irq::kRxDone) != 0) co_await fetch(*seen, at);
    if ((*seen & irq::kHeaderError) != 0 && (*seen & irq::kHeaderValid) == 0) {
      ++counters_.header_errors;
    }
    if ((*seen & irq::kTxDone) != 0) count_confirmation();
    // A receiver that listens for ever has no time-out: it has fallen out of its mode.
    if ((*seen & irq::kTimeout) != 0) co_return lose();
    if (!bus_.dio1()) break;
    at = own_.now();
  }
  if (by_edge_ && !found) ++counters_.edges_for_nothing;
  by_edge_ = false;
  // No edge can come while the line is high: look again without one.
  if (bus_.dio1()) {
    if (!found) ++counters_.line_stuck;
    poll_.arm(own_.now() + kPollEvery);
  }
}

// How long a preamble or header is believed: as long as what follows it can last. Then it was
// noise, or its sender fell silent, and the flags must not stand for the next one. False: the bus
// failed.
async::Task<bool> Driver::update_signal(std::uint16_t seen) {
  const Time now = own_.now();
  if ((seen & kUnderWay) == 0 || (seen & irq::kRxDone) != 0) {
    signal_until_ = kNever;
    co_return true;
  }
  const bool has_header = (seen & irq::kHeaderValid) != 0;
  if (signal_until_ == kNever || has_header != signal_has_header_) {
    constexpr int kSyncAndHeaderSymbols = 5 + 8;
    const Duration header = tuned_.symbol() * (tuned_.preamble + kSyncAndHeaderSymbols);
    signal_until_ = now + (has_header ? time_on_air(tuned_, kFrameMax) : header);
    signal_has_header_ = has_header;
  }
  if (now < signal_until_) co_return true;
  signal_until_ = kNever;
  ++counters_.stale_signals;
  const bool cleared = co_await link_.send(clear_irq(seen & kUnderWay));
  co_return cleared;
}

async::Task<> Driver::fetch(std::uint16_t seen, Time at) {
  if ((seen & irq::kCrcError) != 0) {
    ++counters_.crc_errors;
    co_return;
  }
  // No frame without a header: the flag that told us was a flipped bit.
  if ((seen & irq::kHeaderValid) == 0) {
    ++counters_.unreadable;
    co_return;
  }
  Frame frame;
  frame.at = at;
  const std::optional<Command> where = co_await link_.ask(get_rx_buffer());
  std::optional<Command> how;
  if (where) how = co_await link_.ask(get_packet_status());
  bool read = false;
  if (how && (*where)[2] > 0) {
    read = co_await link_.read_buffer((*where)[3], (*where)[2], &frame.bytes);
  }
  if (!read) {
    ++counters_.unreadable;
    co_return;
  }
  frame.rssi = rssi_from((*how)[2]);
  frame.snr = Decibels{static_cast<std::int8_t>((*how)[3])};
  ++counters_.frames;
  last_good_ = own_.now();
  deliver(frame);
}

// One wake, and only for what is new. Nothing is queued a second time on the way.
void Driver::deliver(const Frame& frame) {
  if (!passes(frame)) {
    ++counters_.known;
    return;
  }
  if (!inbox_.push(frame)) {
    ++counters_.overruns;
    return;
  }
  ++counters_.crossed;
  heard_.set();
}

// The end of a transmission, while none is under way. No credit is out, so none comes back.
void Driver::count_confirmation() {
  if (owed_confirmations_ > 0) {
    --owed_confirmations_;
    ++counters_.late_confirmations;
  } else {
    ++counters_.spurious_confirmations;
  }
}

async::Task<> Driver::look_after() {
  if (asleep_) co_return;
  const std::uint64_t ended_before = counters_.frames + counters_.crc_errors +
                                     counters_.header_errors + counters_.late_confirmations +
                                     counters_.spurious_confirmations;
  by_edge_ = false;
  co_await service();
  const std::uint64_t ended_now = counters_.frames + counters_.crc_errors +
                                  counters_.header_errors + counters_.late_confirmations +
                                  counters_.spurious_confirmations;
  if (ended_now != ended_before) ++counters_.edges_missed;
  if (!up_) {
    trouble_.set();
    co_return;
  }

  bool sound = co_await verify();
  if (!sound) sound = co_await verify();  // it may be the answer that was disturbed
  if (!sound) {
    lose();
    ++counters_.stages[static_cast<std::size_t>(Stage::rearm)];
    sound = co_await arm();
    if (sound) sound = co_await verify();
    if (!sound) co_return lose();
    ++counters_.recoveries;
    co_return;
  }
  last_good_ = own_.now();
  if (signal_until_ != kNever) co_return;

  const std::optional<Command> level = co_await link_.ask(get_rssi());
  if (level) {
    rssi_ = rssi_from((*level)[2]);
    noise_.read(rssi_);
  }
  // Nothing tells whether the modulation is still what was written, but a frame that came through.
  // Without one it is written again: a fraction of a millisecond, and a preamble is far longer.
  const bool proven = counters_.frames != frames_at_tick_;
  frames_at_tick_ = counters_.frames;
  if (proven) co_return;
  const Time attentive_since = attentive_since_;
  enter(Activity::rewriting);
  const bool armed = co_await arm();
  if (!armed) co_return lose();
  attentive_since_ = attentive_since;
}

}  // namespace chappe::radio::sx126x
