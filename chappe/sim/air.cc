#include "chappe/sim/air.h"

#include <cmath>
#include <cstdlib>

#include "chappe/base/check.h"
#include "chappe/radio/airtime.h"

namespace chappe::sim {
namespace {

// The curve of packet errors over signal strength that Semtech's measurements follow: its slope,
// and how far below the datasheet's limit half of the frames are lost.
constexpr double kSlopePerDb = 1.6;
constexpr double kHalfLostBelowMinDb = 1.5;

double survival(Decibels snr, std::uint8_t spreading) {
  const double margin_db = (snr.quarters - snr_min(spreading).quarters) / 4.0;
  return 1 / (1 + std::exp(-kSlopePerDb * (margin_db + kHalfLostBelowMinDb)));
}

}  // namespace

Air::OnAir::OnAir(Air& of, StationId sender, std::size_t stations)
    : Timer(of.executor_, &ended), air(of), station(sender), receptions(stations) {}

void Air::OnAir::ended(Timer& timer, const async::TimerContext&) {
  OnAir& on_air = static_cast<OnAir&>(timer);
  on_air.air.end(on_air, End::whole);
}

Air::Air(async::Executor& executor,
         std::size_t stations_max,
         const Physics& physics,
         Random* random)
    : executor_(executor),
      physics_(physics),
      random_(random),
      places_(stations_max),
      links_(stations_max * stations_max) {
  CHAPPE_CHECK(physics.threshold == Threshold::hard || random != nullptr);
  for (std::size_t i = 0; i < stations_max; ++i) {
    places_[i].on_air =
        std::make_unique<OnAir>(*this, StationId{static_cast<std::uint16_t>(i)}, stations_max);
  }
}

StationId Air::join(Antenna& antenna, const radio::Modulation& modulation) {
  CHAPPE_CHECK(joined_ < places_.size());
  Place& place = places_[joined_];
  place.antenna = &antenna;
  place.modulation = modulation;
  return StationId{static_cast<std::uint16_t>(joined_++)};
}

void Air::leave(StationId station) {
  places_[index(station)].antenna = nullptr;
}

void Air::set_link(StationId from, StationId to, std::optional<Link> link) {
  CHAPPE_CHECK(index(from) < joined_);
  CHAPPE_CHECK(index(to) < joined_);
  CHAPPE_CHECK(from != to);
  links_[index(from) * places_.size() + index(to)] = link;
}

// The coding rate is told in each frame's header, and a preamble may be of any length.
bool Air::same_channel(std::size_t a, std::size_t b) const {
  const radio::Modulation& one = places_[a].modulation;
  const radio::Modulation& other = places_[b].modulation;
  // A receiver follows a frequency that is off by a quarter of the bandwidth.
  const std::int64_t off = std::int64_t{one.frequency.count} - other.frequency.count;
  return std::abs(off) <= one.bandwidth.nominal().count / 4 &&
         one.bandwidth.chip() == other.bandwidth.chip() && one.spreading == other.spreading &&
         places_[a].kind == places_[b].kind;
}

void Air::tune(StationId station, const radio::Modulation& modulation, std::uint16_t kind) {
  CHAPPE_CHECK(index(station) < joined_);
  CHAPPE_CHECK(!is_radiating(station));
  Place& place = places_[index(station)];
  place.modulation = modulation;
  place.kind = kind;
  for (std::size_t i = 0; i < joined_; ++i) {
    if (i == index(station) || same_channel(i, index(station))) continue;
    on_air(StationId{static_cast<std::uint16_t>(i)}).receptions[index(station)] = {};
  }
}

void Air::cut(StationId station) {
  OnAir& cut = on_air(station);
  CHAPPE_CHECK(cut.armed());
  cut.cancel();
  places_[index(station)].airtime -= cut.to - executor_.now();
  cut.to = executor_.now();
  for (std::size_t at = 0; at < joined_; ++at) cut.worsen(at, Fate::cut);
  end(cut, End::cut);
}

// How a frame arrives if nothing disturbs it.
Air::Reception Air::undisturbed(std::size_t from, std::size_t to) {
  if (from == to || !same_channel(from, to)) return {};
  const std::optional<Link>& link = this->link(from, to);
  if (!link) return {};
  const std::uint8_t spreading = places_[to].modulation.spreading;
  bool strong = false;
  if (physics_.threshold == Threshold::hard) {
    strong = link->snr >= snr_min(spreading);
  } else {
    strong = random_->next() / 4294967296.0 < survival(link->snr, spreading);
  }
  return {strong ? Fate::heard : Fate::weak, link};
}

void Air::radiate(StationId from, Bytes frame) {
  CHAPPE_CHECK(index(from) < joined_);
  CHAPPE_CHECK(!frame.empty());
  Place& sender = places_[index(from)];
  OnAir& newer = *sender.on_air;
  CHAPPE_CHECK(!newer.armed());

  const radio::Modulation& modulation = sender.modulation;
  const Duration airtime = radio::time_on_air(modulation, frame.size());
  newer.frame = radio::FrameBytes(frame);
  newer.from = executor_.now();
  newer.decides = newer.from + physics_.expendable_symbols * modulation.symbol();
  newer.to = newer.from + airtime;
  ++radiated_;
  sender.airtime += airtime;

  for (std::size_t at = 0; at < joined_; ++at) {
    newer.receptions[at] = undisturbed(index(from), at);
  }
  for (std::size_t i = 0; i < joined_; ++i) {
    OnAir& older = *places_[i].on_air;
    if (older.armed() && older.disturbs(newer)) meet(older, newer);
  }
  newer.arm(newer.to);

  const Radiation radiation{from, newer.from, newer.to, newer.frame};
  listeners_.for_each([&](AirListener& listener) { listener.on_keyed(radiation); });
  for (std::size_t at = 0; at < joined_; ++at) {
    Antenna* const antenna = places_[at].antenna;
    if (antenna == nullptr || newer.receptions[at].fate != Fate::heard) continue;
    antenna->on_arriving(*newer.receptions[at].link, newer.from, newer.to);
  }
}

// Two frames overlap: neither sender hears the other's, and everybody else at most one of them.
void Air::meet(OnAir& older, OnAir& newer) {
  const std::size_t first = index(older.station);
  const std::size_t second = index(newer.station);
  older.worsen(second, Fate::half_duplex);
  newer.worsen(first, Fate::half_duplex);
  // Who is on another channel than a receiver has no link to it here.
  for (std::size_t at = 0; at < joined_; ++at) {
    const std::optional<Link>& one = older.receptions[at].link;
    const std::optional<Link>& other = newer.receptions[at].link;
    if (!one || !other) continue;
    const int lead = one->snr.quarters - other->snr.quarters;
    if (lead < physics_.capture.quarters) older.worsen(at, Fate::collided);
    if (-lead < physics_.capture.quarters) newer.worsen(at, Fate::collided);
  }
}

void Air::end(OnAir& ended, End how) {
  const std::size_t from = index(ended.station);
  const Radiation radiation{ended.station, ended.from, ended.to, ended.frame};
  for (std::size_t at = 0; at < joined_; ++at) {
    Place& place = places_[at];
    if (at == from || place.antenna == nullptr) continue;
    Fate fate = ended.receptions[at].fate;
    if (fate == Fate::heard) {
      const Link& as = *ended.receptions[at].link;
      const radio::Frame frame{ended.frame, as.snr, as.rssi, ended.to};
      if (!place.antenna->on_frame(frame)) fate = Fate::overrun;
    }
    ++place.fates[fate];
    const StationId station{static_cast<std::uint16_t>(at)};
    listeners_.for_each([&](AirListener& each) { each.on_fate(radiation, station, fate); });
  }
  // What comes next on this air comes after everybody has this frame.
  Antenna* const sender = places_[from].antenna;
  if (sender != nullptr && how == End::whole)
    sender->on_radiated(ended.from, ended.to - ended.from);
}

bool Air::is_occupied(StationId at, Time from, Time to) const {
  for (std::size_t i = 0; i < joined_; ++i) {
    const std::optional<Link>& link = this->link(i, index(at));
    if (!link || !same_channel(i, index(at))) continue;
    if (link->snr < snr_min(place(at).modulation.spreading)) continue;
    const OnAir& other = *places_[i].on_air;
    if (!other.frame.empty() && other.from <= from && to <= other.to) return true;
  }
  return false;
}

std::optional<Dbm> Air::strongest(StationId at, Time from, Time to) const {
  std::optional<Dbm> most;
  for (std::size_t i = 0; i < joined_; ++i) {
    const std::optional<Link>& link = this->link(i, index(at));
    if (!link ||
        place(static_cast<StationId>(i)).modulation.frequency != place(at).modulation.frequency) {
      continue;
    }
    const OnAir& other = *places_[i].on_air;
    if (other.frame.empty() || other.to <= from || to <= other.from) continue;
    if (!most || link->rssi > *most) most = link->rssi;
  }
  return most;
}

}  // namespace chappe::sim
