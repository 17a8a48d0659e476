#include "chappe/play/replayed_radio.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "chappe/async/sleep.h"
#include "chappe/radio/airtime.h"

namespace chappe::play {
namespace {

flow::Credits::Limits one_buffer() {
  flow::Credits::Limits limits;
  limits.total = 1;  // the SX126x sends from one buffer
  limits.lane_max = {1, 0, 0, 0};
  return limits;
}

Duration up_to_milliseconds(Duration span) {
  return std::chrono::ceil<milliseconds>(span);
}

// MeshCore's own wait for a header after a preamble: preamble and sync word, in quarters of a
// symbol (protocol section 2).
Duration preamble_time(const radio::Modulation& modulation) {
  const int quarters = (modulation.preamble + 8) * 4 + (modulation.spreading < 7 ? 25 : 17);
  return up_to_milliseconds(modulation.symbol() * quarters / 4);
}

// ... and for the end of a frame after its header: the longest frame at the slowest coding rate.
Duration frame_time(const radio::Modulation& modulation) {
  const Duration longest = reference_airtime(modulation, radio::kFrameMax);
  return up_to_milliseconds((longest - preamble_time(modulation)) * 8 / modulation.coding);
}

}  // namespace

std::optional<radio::Modulation> modulation_of(const RecordedRadio& radio) {
  if (!(radio.bw_khz > 0 && radio.bw_khz <= 500) ||
      !(radio.freq_mhz > 0 && radio.freq_mhz < 4000) || radio.sf < radio::kSpreadingMin ||
      radio.sf > radio::kSpreadingMax || radio.cr < 5 || radio.cr > 8) {
    return std::nullopt;
  }
  const auto bandwidth = radio::Bandwidth::from_nominal(
      Hertz{static_cast<std::uint32_t>(std::lround(radio.bw_khz * 1000))});
  if (!bandwidth) return std::nullopt;
  radio::Modulation modulation;
  modulation.frequency = Hertz{static_cast<std::uint32_t>(std::llround(radio.freq_mhz * 1e6))};
  modulation.bandwidth = *bandwidth;
  modulation.spreading = static_cast<std::uint8_t>(radio.sf);
  modulation.coding = static_cast<std::uint8_t>(radio.cr);
  modulation.preamble = radio::preamble_for(modulation.spreading);
  return modulation;
}

ReplayedRadio::Listening ReplayedRadio::Listening::of(const RecordedNode& node) {
  return of(
      node.prefs.cad_enabled, node.prefs.interference_threshold, node.surroundings.ambient_dbm);
}

ReplayedRadio::Listening ReplayedRadio::Listening::of(bool cad, int threshold_db, int floor_dbm) {
  Listening listening;
  listening.cad = cad;
  listening.floor = Dbm{static_cast<std::int16_t>(floor_dbm * 4)};
  if (threshold_db > 0) {
    listening.threshold = Decibels{static_cast<std::int16_t>(threshold_db * 4)};
  }
  return listening;
}

ReplayedRadio::ReplayedRadio(async::Executor& executor,
                             const radio::Modulation& modulation,
                             std::vector<ChannelWindow> windows,
                             const Listening& listening)
    : executor_(executor),
      modulation_(modulation),
      windows_(std::move(windows)),
      listening_(listening),
      origin_(executor.now()),
      preamble_flag_(preamble_time(modulation)),
      header_flag_(frame_time(modulation)),
      credits_(executor.wakes(), one_buffer()),
      heard_(executor.wakes()),
      keyed_(origin_),
      sent_(origin_) {}

void ReplayedRadio::tune(const radio::Modulation& modulation) {
  modulation_ = modulation;
  preamble_flag_ = preamble_time(modulation);
  header_flag_ = frame_time(modulation);
}

bool ReplayedRadio::hear(Bytes frame, Decibels snr, Dbm rssi) {
  const Time now = executor_.now();
  // A frame that ends in the instant in which a transmission begins, or ends, was heard.
  if (keyed_ < now && now < sent_) return false;
  radio::Frame& heard = inbox_.emplace_back();
  heard.bytes = radio::FrameBytes(frame.first(std::min(frame.size(), radio::kFrameMax)));
  heard.snr = snr;
  heard.rssi = rssi;
  heard.at = now;
  heard_.set();
  return true;
}

bool ReplayedRadio::take(radio::Frame& frame) {
  if (inbox_.empty()) return false;
  frame = inbox_.front();
  inbox_.pop_front();
  return true;
}

bool ReplayedRadio::is_busy(const ChannelWindow& window) const {
  using Kind = ChannelWindow::Kind;
  const Time now{executor_.now() - origin_};
  if (now < window.from || now >= window.to) return false;
  switch (window.kind) {
    case Kind::header:
      return now < window.from + header_flag_;
    case Kind::preamble:
      return now < window.from + preamble_flag_;
    case Kind::rssi:
      return listening_.threshold && window.level - listening_.floor > *listening_.threshold;
    case Kind::cad:
      return listening_.cad;
  }
  return false;
}

async::Task<radio::Channel> ReplayedRadio::listen(const radio::Right&) {
  const bool busy = busy_ || std::ranges::any_of(windows_, [this](const ChannelWindow& window) {
                      return is_busy(window);
                    });
  co_return busy ? radio::Channel::busy : radio::Channel::clear;
}

async::Task<Result<radio::Transmitted, radio::TransmitFailure>> ReplayedRadio::transmit(
    const radio::Right&, Bytes frame, [[maybe_unused]] flow::Credit credit) {
  if (refusals_ > 0) {
    --refusals_;
    co_return Unexpected(radio::TransmitFailure::never_keyed);
  }
  const Duration airtime = radio::time_on_air(modulation_, frame.size());
  keyed_ = executor_.now();
  sent_ = keyed_ + airtime;
  if (observer_ != nullptr) observer_->on_keyed(frame);
  co_await async::sleep_until(executor_, sent_);
  co_return radio::Transmitted{keyed_, airtime};
}

}  // namespace chappe::play
