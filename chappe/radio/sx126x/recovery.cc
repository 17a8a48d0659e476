// Getting the chip to listen, noticing when it does not, and getting it back.
#include "chappe/async/sleep.h"
#include "chappe/base/note.h"
#include "chappe/radio/airtime.h"
#include "chappe/radio/sx126x/driver.h"

namespace chappe::radio::sx126x {
namespace {

// Datasheet 1.2, 8.1: 100 us suffice.
constexpr Duration kResetPulse = milliseconds(1);
// 3.5 ms, and more behind some oscillators.
constexpr Duration kBootMax = milliseconds(50);
constexpr Duration kPowerOff = milliseconds(50);
// Register writes soon after an image calibration were seen to fail, up to 10 ms (meshtastic
// firmware, pull request 11774).
constexpr Duration kImageSettles = milliseconds(20);

constexpr std::uint8_t kClamp = 0x1e;  // erratum 15.2; also tells that the chip was reset since

}  // namespace

void Driver::supervise() {
  const Duration period = time_on_air(tuned_, kFrameMax) + seconds(2);
  const auto on_wedge = [](void* context, const flow::Inflight::Snapshot&) {
    static_cast<Driver*>(context)->events_.set(kWedge);
  };
  supervisor_.cancel();
  inflight_.supervise(own_, supervisor_, period, on_wedge, this);
}

// Something is wrong, and has been since the last sign that all was well.
void Driver::lose() {
  if (!up_) return;
  up_ = false;
  attentive_since_ = signal_until_ = kNever;
  book_.has_been(Activity::lost, last_good_);
  trouble_.set();
}

async::Task<bool> Driver::adjust(std::uint16_t address, std::uint8_t clear, std::uint8_t set) {
  const std::optional<Command> now = co_await link_.ask(read_register(address, 1));
  if (!now) co_return false;
  const auto wanted = static_cast<std::uint8_t>(((*now)[4] & ~clear) | set);
  const bool written = co_await link_.send(write_register(address, wanted));
  co_return written;
}

// All that stays until a reset. From standby.
async::Task<bool> Driver::configure() {
  bool ok = co_await link_.send(set_standby(Standby::rc));
  if (ok && board_.tcxo) ok = co_await link_.send(set_tcxo(*board_.tcxo, board_.tcxo_start));
  if (ok) ok = co_await link_.send(set_packet_type_lora());
  if (ok) ok = co_await link_.send(set_fallback_xosc());
  if (ok) {
    const Command regulator = set_regulator(board_.regulator);
    ok = co_await link_.send(regulator);
  }
  if (ok) ok = co_await link_.send(set_dio2_switch(board_.dio2));
  if (ok) ok = co_await calibrate_chip();
  if (ok) ok = co_await link_.send(set_pa_config(board_.chip, board_.power_dbm));
  if (ok) ok = co_await link_.send(set_tx_params(board_.chip, board_.power_dbm));
  if (ok) ok = co_await link_.send(set_overcurrent(board_.chip));
  if (ok) ok = co_await adjust(reg::kTxClamp, 0, kClamp);
  co_return ok;
}

async::Task<bool> Driver::calibrate_chip() {
  bool ok = co_await link_.send(set_standby(Standby::rc));
  // A TCXO that was not yet told of has failed to start: that is over.
  if (ok) ok = co_await link_.send(clear_device_errors());
  if (ok) ok = co_await link_.send(calibrate_all());
  if (ok) ok = co_await link_.send(calibrate_image(tuned_.frequency));
  if (!ok) co_return false;
  co_await async::sleep_for(own_, kImageSettles);
  const std::optional<Command> errors = co_await link_.ask(get_device_errors());
  if (!errors) co_return false;
  if ((*errors)[2] != 0 || (*errors)[3] != 0) co_return false;
  // A calibration clears this bit.
  if (board_.patch == RxPatch::on) ok = co_await adjust(reg::kRxPatch, 0, 0x01);
  // Erratum 15.1: 500 kHz, and all others.
  const bool wide = tuned_.bandwidth.chip() == microseconds(2);
  if (ok) ok = co_await adjust(reg::kTxModulation, wide ? 0x04 : 0x00, wide ? 0x00 : 0x04);
  co_return ok;
}

// Writes all that a transmission or a disturbance may have changed, and listens.
async::Task<bool> Driver::arm() {
  bool ok = co_await link_.send(set_standby(Standby::xosc));
  if (ok) ok = co_await link_.send(set_modulation(tuned_));
  if (ok) ok = co_await link_.send(set_frequency(tuned_.frequency));
  if (ok) ok = co_await link_.send(write_sync_word());
  if (ok) {
    const std::uint8_t gain = board_.gain == RxGain::boosted ? 0x96 : 0x94;
    ok = co_await link_.send(write_register(reg::kRxGain, gain));
  }
  if (ok) ok = co_await link_.send(set_packet(tuned_, kFrameMax));
  if (ok) ok = co_await link_.send(set_dio_irq(irq::kLatched, irq::kTold));
  if (ok) ok = co_await link_.send(set_buffer_bases());
  // Whatever was arriving is given up. A frame that has ended meanwhile keeps its flag.
  if (ok) ok = co_await link_.send(clear_irq(irq::kPreambleDetected | irq::kHeaderValid));
  bus_.set_antenna(AntennaSwitch::receive);
  if (ok) ok = co_await link_.send(set_rx_continuous());
  if (ok) ok = co_await link_.ready(milliseconds(20));
  if (!ok) co_return false;
  const std::optional<ChipStatus> status = co_await link_.status();
  if (!status) co_return false;
  if (status->is(ChipMode::tx)) {
    // One flipped bit makes SetTx of SetRx.
    ++counters_.stray_keyings;
    co_await link_.send(set_standby(Standby::rc));
    co_return false;
  }
  if (!status->is(ChipMode::rx)) co_return false;
  up_ = true;
  alarm_ = false;
  last_good_ = attentive_since_ = own_.now();
  signal_until_ = kNever;
  enter(Activity::listening);
  // What rose before is no edge any more.
  if (bus_.dio1()) events_.set(kPoll);
  co_return true;
}

// Whether it listens, and is still the chip that was set up: a supply that failed for a moment
// leaves one that answers, and has forgotten everything.
async::Task<bool> Driver::verify() {
  const std::optional<ChipStatus> status = co_await link_.status();
  if (!status || !status->is(ChipMode::rx)) co_return false;
  const std::optional<Command> clamp = co_await link_.ask(read_register(reg::kTxClamp, 1));
  if (!clamp || ((*clamp)[4] & kClamp) != kClamp) co_return false;
  const std::optional<Command> type = co_await link_.ask(get_packet_type());
  co_return type && (*type)[2] == 1;
}

async::Task<bool> Driver::try_stage(Stage stage) {
  bool ok = true;
  switch (stage) {
    case Stage::rearm:
      break;
    case Stage::standby:
      ok = co_await link_.send(set_standby(Standby::rc));
      break;
    case Stage::recalibrate:
      ok = co_await calibrate_chip();
      break;
    case Stage::power:
      if (!bus_.set_power(false)) co_return false;
      co_await async::sleep_for(own_, kPowerOff);
      bus_.set_power(true);
      [[fallthrough]];
    case Stage::reset:
      bus_.set_antenna(AntennaSwitch::off);
      bus_.set_reset(true);
      co_await async::sleep_for(own_, kResetPulse);
      bus_.set_reset(false);
      held_in_reset_ = false;
      // A chip that was forgotten owes nothing.
      owed_confirmations_ = 0;
      generation_.store(generation_.load(sync::Order::relaxed) + 1, sync::Order::relaxed);
      ok = co_await link_.ready(kBootMax);
      if (ok) ok = co_await configure();
      break;
  }
  if (ok) ok = co_await arm();
  if (ok) ok = co_await verify();
  if (!ok) up_ = false;
  co_return ok;
}

// With the Right. Every way out of here listens, or holds the chip in reset.
async::Task<bool> Driver::recover(Stage first) {
  const bool starting = book_.activity() == Activity::starting;
  if (!starting) enter(Activity::recovering);
  up_ = false;
  attentive_since_ = signal_until_ = kNever;
  if (held_in_reset_ && first < Stage::reset) first = Stage::reset;
  for (std::size_t i = static_cast<std::size_t>(first); i < kStageCount; ++i) {
    if (!starting) {
      ++counters_.stages[i];
      note(Note::radio_recovery,
           static_cast<std::uint32_t>(i),
           static_cast<std::uint32_t>(counters_.stages[i]));
    }
    const bool back = co_await try_stage(static_cast<Stage>(i));
    if (back) {
      if (!starting) ++counters_.recoveries;
      if (!starting && static_cast<Stage>(i) >= Stage::reset) resets_.set();
      co_return true;
    }
    if (!starting) enter(Activity::recovering);
  }
  // Nothing helped. In reset it cannot send.
  bus_.set_antenna(AntennaSwitch::off);
  bus_.set_reset(true);
  held_in_reset_ = true;
  if (!alarm_) ++counters_.alarms;
  alarm_ = true;
  enter(Activity::lost);
  co_return false;
}

}  // namespace chappe::radio::sx126x
