#include "chappe/node/repeater.h"

#include <algorithm>

#include "chappe/base/check.h"
#include "chappe/mesh/packet_hash.h"
#include "chappe/radio/airtime.h"

namespace chappe::node {
namespace {

// The alarm of protocol 10.5. While a radio works, nothing but a long transmission gets there.
constexpr Duration kOutOfReceive = seconds(8);

// Who shall have a share of the air because of this packet: who was heard, the last hash of a
// flood's path; where there is none, who wrote it, as far as the packet tells.
tx::Neighbour neighbour_of(const mesh::Packet& packet) {
  constexpr tx::Neighbour kPath = 1u << 24;
  constexpr tx::Neighbour kAuthor = 2u << 24;
  Bytes hash;
  tx::Neighbour kind = kPath;
  if (packet.is_flood() && packet.hop_count > 0) {
    hash = packet.path.last(packet.hash_size);
  } else {
    kind = kAuthor;
    switch (packet.type) {
      case mesh::PayloadType::request:
      case mesh::PayloadType::response:
      case mesh::PayloadType::text:
      case mesh::PayloadType::path_return:
        if (packet.payload.size() >= 2) hash = packet.payload.subspan(1, 1);  // target, source
        break;
      case mesh::PayloadType::advert:
        if (packet.payload.size() >= 3) hash = packet.payload.first(3);
        break;
      default:
        break;
    }
  }
  tx::Neighbour neighbour = kind;
  for (std::size_t i = 0; i < hash.size(); ++i) {
    neighbour |= tx::Neighbour{hash[i]} << 8 * i;
  }
  return neighbour;
}

}  // namespace

std::string_view to_string(EventKind kind) {
  constexpr std::string_view kNames[] = {"heard", "judged", "submitted", "sent", "refused"};
  return kNames[static_cast<std::size_t>(kind)];
}

Repeater::Repeater(async::Executor& executor,
                   radio::Radio& radio,
                   tx::Law& law,
                   Random& random,
                   const Settings& settings,
                   const mesh::Identity& identity)
    : executor_(executor),
      radio_(radio),
      law_(law),
      random_(random),
      settings_(settings),
      identity_(identity),
      started_(executor.now()),
      seen_(settings.seen_capacity),
      known_(identity.pub),
      adverts_({executor, identity_, settings_.preferences, regions_, clock_, *this}),
      discovery_({settings_.rules, settings_.preferences, clock_, random, neighbours_, *this}),
      transmitter_(executor, radio, law, random, settings.policy),
      receiver_(executor, radio, *this) {
  seen_.mirror_to(&known_);
  // Who counts copies has to hear of them.
  const bool counts_copies = settings_.copies_enough > 0;
  if (settings_.known == Known::dropped_at_radio && !counts_copies) radio_.set_filter(&known_);
  settings_.rules.own = identity.pub;
  radio_changed();
  if (settings_.mode != Mode::forward) settings_.rules.forwarding = mesh::Forwarding::off;
  for (std::optional<Held>& place : held_) {
    CHAPPE_CHECK(free_held_.try_push(&place.emplace(*this)));
  }
  for (std::uint16_t i = 0; i < kJourneys; ++i) CHAPPE_CHECK(free_journeys_.try_push(i));
  transmitter_.observe(this);
}

Repeater::~Repeater() {
  stop();
  radio_.set_filter(nullptr);
}

void Repeater::start() {
  transmitter_.start();
  receiver_.start();
  if (settings_.boot_advert == BootAdvert::on) adverts_.send(Reach::zero_hop, kBootAdvertDelay);
  adverts_.start();
}

void Repeater::stop() {
  receiver_.stop();
  adverts_.stop();
  for (std::optional<Held>& held : held_) {
    if (!held->armed()) continue;
    held->cancel();
    CHAPPE_CHECK(free_held_.try_push(&*held));
    --books_.waiting;
    ++books_.dropped_by_transmitter[static_cast<std::size_t>(tx::Why::stopped)];
    Event event;
    event.kind = EventKind::refused;
    event.at = executor_.now();
    event.id = held->id;
    event.frame = held->frame.bytes;
    event.why = to_string(tx::Why::stopped);
    tell(event);
  }
  transmitter_.stop();
  CHAPPE_CHECK(books_.balance());
}

void Repeater::tell(const Event& event) {
  CHAPPE_DCHECK(books_.balance());
  CHAPPE_DCHECK(transmitter_.statistics().balances());
  listeners_.for_each([&](EventListener& listener) { listener.on_event(event); });
}

void Repeater::set_forwarding(mesh::Forwarding forwarding) {
  if (settings_.mode == Mode::no_tx) return;
  settings_.rules.forwarding = forwarding;
}

void Repeater::radio_changed() {
  settings_.rules.spreading = radio_.modulation().spreading;
  settings_.rules.estimates_ms = radio::reference_estimates_ms(radio_.modulation());
  known_.set_estimates(settings_.rules.estimates_ms);
}

// What the radio dropped was heard and is a duplicate: both sides of the book grow by one number,
// so it balances whenever this is called.
void Repeater::absorb_known() {
  const KnownFilter::Dropped dropped = known_.dropped();
  const std::uint64_t frames = dropped.frames - absorbed_.frames;
  books_.heard += frames;
  books_.dropped_by_judge[static_cast<std::size_t>(mesh::Why::duplicate)] += frames;
  const auto count = static_cast<std::uint32_t>(frames);
  counters_.received += count;
  counters_.heard.flood += count;
  counters_.duplicates.flood += count;
  counters_.receive_airtime_ms += dropped.airtime_ms - absorbed_.airtime_ms;
  absorbed_ = dropped;
}

Books Repeater::books() const {
  const std::uint64_t frames = known_.dropped().frames - absorbed_.frames;
  Books books = books_;
  books.heard += frames;
  books.dropped_by_judge[static_cast<std::size_t>(mesh::Why::duplicate)] += frames;
  return books;
}

// A frame is in one place at a time: held, then waiting, then on the air.
bool Repeater::pool_is_full() const {
  if (settings_.packet_pool == kNoPool) return false;
  const std::size_t held = kHeld - free_held_.size();
  return held + transmitter_.waiting_count() >= settings_.packet_pool;
}

// --- Heard ---------------------------------------------------------------------------------------

void Repeater::on_frame(const radio::Frame& frame) noexcept {
  const std::uint64_t id = ++last_id_;
  ++books_.heard;
  ++books_.waiting;
  ++counters_.received;
  counters_.last_rssi = frame.rssi;
  counters_.last_snr = frame.snr;

  const auto packet = mesh::parse(frame.bytes);
  Event event;
  event.kind = EventKind::heard;
  event.at = executor_.now();
  event.id = id;
  event.frame = frame.bytes;
  event.snr = frame.snr;
  event.rssi = frame.rssi;
  if (!listeners_.empty()) {
    event.airtime = radio::time_on_air(radio_.modulation(), frame.bytes.size());
  }
  if (!packet) {
    tell(event);
    drop(id, frame, nullptr, mesh::why_of(packet.error()));
    return;
  }
  const mesh::PacketHash hash = mesh::packet_hash(*packet);
  event.packet = &*packet;
  event.hash = hash;
  if (pool_is_full()) {
    tell(event);
    drop(id, frame, &*packet, mesh::Why::packet_pool_empty);
    return;
  }
  counters_.heard.count(*packet);
  counters_.receive_airtime_ms += settings_.rules.estimates_ms[frame.bytes.size()];
  event.delay = mesh::receive_hold(settings_.rules, *packet, frame.snr, frame.bytes.size());
  tell(event);

  if (event.delay <= Duration::zero()) {
    judge(id, frame, *packet, hash);
    return;
  }
  if (free_held_.empty()) {
    drop(id, frame, &*packet, mesh::Why::packet_pool_empty);
    return;
  }
  Held& held = *free_held_.pop();
  held.id = id;
  held.frame = frame;
  held.arm(executor_.now() + event.delay);
}

void Repeater::Held::released(Timer& timer, const async::TimerContext&) {
  Held& held = static_cast<Held&>(timer);
  Repeater& repeater = held.repeater;
  const auto packet = mesh::parse(held.frame.bytes);
  repeater.judge(held.id, held.frame, *packet, mesh::packet_hash(*packet));
  CHAPPE_CHECK(repeater.free_held_.try_push(&held));
}

// --- Judged --------------------------------------------------------------------------------------

void Repeater::judge(std::uint64_t id,
                     const radio::Frame& frame,
                     const mesh::Packet& packet,
                     mesh::PacketHash hash) {
  const mesh::Heard heard{frame.snr, frame.rssi, frame.bytes.size(), frame.at};
  const mesh::Judgement judgement =
      mesh::judge(packet, hash, heard, {settings_.rules, regions_, seen_, random_, *this});
  if (judgement.why == mesh::Why::duplicate) {
    counters_.duplicates.count(packet);
    count_copy(packet);
  }

  Event event;
  event.kind = EventKind::judged;
  event.at = executor_.now();
  event.id = id;
  event.frame = frame.bytes;
  event.packet = &packet;
  event.hash = hash;
  event.snr = frame.snr;
  event.rssi = frame.rssi;
  event.verdict = judgement.verdict;
  event.why = to_string(judgement.why);
  if (judgement.region != nullptr) event.region = judgement.region->name();
  if (!judgement.outgoing().empty()) {
    event.delay = judgement.outgoing()[0].delay;
    event.priority = judgement.outgoing()[0].priority;
  }

  switch (judgement.verdict) {
    case mesh::Verdict::forward:
      tell(event);
      forward(id, packet, judgement);
      return;
    case mesh::Verdict::deliver:
      ++books_.delivered;
      break;
    case mesh::Verdict::drop:
      ++books_.dropped_by_judge[static_cast<std::size_t>(judgement.why)];
      break;
  }
  --books_.waiting;
  tell(event);
}

void Repeater::drop(std::uint64_t id,
                    const radio::Frame& frame,
                    const mesh::Packet* packet,
                    mesh::Why why) {
  --books_.waiting;
  ++books_.dropped_by_judge[static_cast<std::size_t>(why)];
  Event event;
  event.kind = EventKind::judged;
  event.at = executor_.now();
  event.id = id;
  event.frame = frame.bytes;
  event.packet = packet;
  if (packet != nullptr) event.hash = mesh::packet_hash(*packet);
  event.snr = frame.snr;
  event.rssi = frame.rssi;
  event.verdict = mesh::Verdict::drop;
  event.why = to_string(why);
  tell(event);
}

Repeater::Journey& Repeater::begin(std::uint64_t id) {
  Journey& journey = journeys_[free_journeys_.pop()];
  journey = Journey{};
  journey.id = id;
  return journey;
}

// Others repeat it too: from some number on, our copy would reach nobody new.
void Repeater::count_copy(const mesh::Packet& packet) {
  if (settings_.copies_enough == 0 || !packet.is_flood()) return;
  const mesh::PacketHash key = mesh::seen_key(packet);
  for (Journey& journey : journeys_) {
    if (journey.outstanding == 0 || journey.local || !journey.flood) continue;
    if (journey.key != key || ++journey.copies < settings_.copies_enough) continue;
    transmitter_.withdraw(static_cast<std::uint64_t>(&journey - journeys_.data()));
    return;
  }
}

void Repeater::forward(std::uint64_t id,
                       const mesh::Packet& packet,
                       const mesh::Judgement& judgement) {
  Journey& journey = begin(id);
  journey.hash = judgement.hash;
  journey.key = judgement.key;
  journey.flood = packet.is_flood();
  journey.outstanding = static_cast<std::uint8_t>(judgement.outgoing().size());
  for (const mesh::Outgoing& outgoing : judgement.outgoing()) {
    tx::Submission submission;
    submission.frame = outgoing.frame;
    submission.after = outgoing.delay;
    submission.priority = outgoing.priority;
    submission.origin = tx::Origin::relay;
    submission.neighbour = neighbour_of(packet);
    submission.expiry = expiry(packet, tx::Origin::relay);
    submission.tag = static_cast<std::uint64_t>(&journey - journeys_.data());
    transmitter_.submit(submission);
  }
}

Time Repeater::expiry(const mesh::Packet& packet, tx::Origin origin) const {
  return time_after(executor_.now(), settings_.expiry.of(packet.type, origin));
}

std::optional<mesh::Why> Repeater::try_handle(const mesh::Packet& packet,
                                              const mesh::Heard& heard,
                                              const mesh::Region* region) {
  if (server_ == nullptr) return std::nullopt;
  return server_->try_handle(packet, heard, region);
}

void Repeater::hear_advert(const mesh::Packet& packet,
                           const mesh::Advert& advert,
                           const mesh::Heard& heard) {
  neighbours_.hear(packet, advert, heard.snr, unix_now());
}

void Repeater::hear_control(const mesh::Packet& packet, const mesh::Heard& heard) {
  discovery_.hear(packet, heard, executor_.now());
}

// --- Our own -------------------------------------------------------------------------------------

void Repeater::send_own(const mesh::Packet& packet, Duration delay, std::uint8_t priority) {
  CHAPPE_CHECK(submit(mesh::write(packet), delay, priority, nullptr, {}).has_value());
}

Result<std::uint64_t, mesh::ParseError> Repeater::submit(
    Bytes frame,
    Duration after,
    std::uint8_t priority,
    async::Completion<tx::Outcome>* completion,
    async::Completion<tx::Outcome>::Ticket ticket) {
  const auto packet = mesh::parse(frame);
  if (!packet) return Unexpected(packet.error());
  const std::uint64_t id = ++last_id_;
  const mesh::PacketHash key = mesh::seen_key(*packet);
  seen_.insert(key);

  Event event;
  event.kind = EventKind::submitted;
  event.at = executor_.now();
  event.id = id;
  event.local = true;
  event.frame = frame;
  event.packet = &*packet;
  event.hash = mesh::packet_hash(*packet);
  event.delay = after;
  event.priority = priority;
  tell(event);

  Journey& journey = begin(id);
  journey.hash = event.hash;
  journey.key = key;
  journey.outstanding = 1;
  journey.local = true;
  tx::Submission submission;
  submission.frame = frame;
  submission.after = after;
  submission.priority = priority;
  submission.origin = tx::Origin::local;
  submission.expiry = expiry(*packet, tx::Origin::local);
  submission.tag = static_cast<std::uint64_t>(&journey - journeys_.data());
  if (settings_.mode == Mode::no_tx) {
    const tx::Refused refusal{tx::Why::not_permitted, tx::Stage::early, kNever};
    transmitter_.refuse(submission, refusal, completion, ticket);
  } else if (pool_is_full()) {
    counters_.raise(ErrorFlag::pool_full);
    const tx::Refused refusal{tx::Why::no_room, tx::Stage::early, kNever};
    transmitter_.refuse(submission, refusal, completion, ticket);
  } else {
    transmitter_.submit(submission, completion, ticket);
  }
  return id;
}

// --- Sent, or not --------------------------------------------------------------------------------

void Repeater::on_keying(std::uint64_t tag) noexcept {
  const Journey& journey = journeys_[tag];
  if (!journey.local) return;
  listeners_.for_each([&](EventListener& listener) { listener.on_keying(journey.id); });
}

void Repeater::on_outcome(std::uint64_t tag, Bytes frame, const tx::Outcome& outcome) noexcept {
  Journey& journey = journeys_[tag];
  CHAPPE_CHECK(journey.outstanding > 0);
  --journey.outstanding;
  journey.any_sent |= outcome.has_value();
  journey.any_perhaps_sent |= outcome.has_value() || outcome.error().perhaps_sent;
  count(frame, outcome);

  const Journey told = journey;
  if (journey.outstanding == 0) {
    // Surely nothing of it went out: a copy heard later gets its chance, and is no echo of ours.
    // Unless it was withdrawn because of such copies.
    const bool redundant = !outcome && outcome.error().why == tx::Why::redundant;
    if (!journey.any_perhaps_sent && !redundant) seen_.forget(journey.key);
    if (!journey.local) {
      --books_.waiting;
      if (journey.any_sent) {
        ++books_.forwarded;
      } else {
        ++books_.dropped_by_transmitter[static_cast<std::size_t>(outcome.error().why)];
      }
    }
    CHAPPE_CHECK(free_journeys_.try_push(static_cast<std::uint16_t>(tag)));
  }
  if (!listeners_.empty()) tell_outcome(told, frame, outcome);
}

void Repeater::count(Bytes frame, const tx::Outcome& outcome) {
  if (!outcome) {
    if (outcome.error().why == tx::Why::channel_busy) counters_.raise(ErrorFlag::busy_too_long);
    return;
  }
  ++counters_.sent;
  if (const auto packet = mesh::parse(frame)) counters_.sent_by.count(*packet);
  counters_.transmit_airtime_ms += static_cast<std::uint64_t>(in_ms(outcome->airtime));
  if (outcome->forced) counters_.raise(ErrorFlag::busy_too_long);
  if (outcome->airtime > kOutOfReceive) counters_.raise(ErrorFlag::not_in_receive);
}

void Repeater::tell_outcome(const Journey& journey, Bytes frame, const tx::Outcome& outcome) {
  Event event;
  event.at = executor_.now();
  event.id = journey.id;
  event.local = journey.local;
  event.frame = frame;
  event.spent_ppm = law_.spent_ppm(executor_.now());
  const auto packet = mesh::parse(frame);
  if (packet) event.packet = &*packet;
  event.hash = journey.hash;
  event.outcome = &outcome;
  if (outcome) {
    event.kind = EventKind::sent;
    event.delay = outcome->waited;
    event.airtime = outcome->airtime;
    event.keyed = outcome->at;
    event.attempts = outcome->attempts;
    event.forced = outcome->forced;
  } else {
    event.kind = EventKind::refused;
    event.why = to_string(outcome.error().why);
    if (outcome.error().earliest != kNever) {
      event.delay = std::max(Duration::zero(), outcome.error().earliest - executor_.now());
    }
  }
  tell(event);
}

}  // namespace chappe::node
