#include "chappe/client/kiss_connection.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "chappe/async/sleep.h"
#include "chappe/radio/airtime.h"

namespace chappe::client {
namespace {

using flow::Access;

// As what clients submit as JSON has by default.
constexpr std::uint8_t kPriority = 1;

constexpr EventMask kHeard = 1u << static_cast<unsigned>(node::EventKind::heard);

// A program that computes in megahertz and cuts is one hertz off; receivers do not mind hundreds.
constexpr std::int64_t kFrequencySlack_hz = 500;

}  // namespace

mesh::Identity kiss_identity(const mesh::Identity& node) {
  constexpr std::string_view kPurpose = "chappe kiss modem";
  const Bytes purpose(reinterpret_cast<const std::uint8_t*>(kPurpose.data()), kPurpose.size());
  // A first byte of 0x00 or 0xff is reserved; the next attempt has another.
  for (std::uint8_t attempt = 0;; ++attempt) {
    const mesh::Seed seed = mesh::crypto::sha256(purpose, node.prv, Bytes(&attempt, 1));
    const mesh::Identity identity = mesh::identity_of(seed);
    if (!mesh::is_reserved(identity.pub)) return identity;
  }
}

KissConnection::KissConnection(Service& service,
                               std::unique_ptr<async::Stream> stream,
                               const mesh::Identity& identity,
                               Random& random,
                               std::string_view password,
                               std::string_view name)
    : service_(service),
      stream_(std::move(stream)),
      random_(random),
      session_(service, name),
      modem_(*this, identity),
      gate_(password),
      generation_(service.generation()) {}

void KissConnection::start(sync::Signal& ended) {
  on_end_ = &ended;
  service_.executor().spawn(reader_, "kiss reader", &KissConnection::read, this);
  service_.executor().spawn(writer_, "kiss writer", &KissConnection::write, this);
}

void KissConnection::end() {
  ended_ = true;
  on_end_->set();
}

// --- From the program ----------------------------------------------------------------------------

async::Task<> KissConnection::read() {
  const bool may = co_await pass_gate();
  while (may) {
    // A program that asks and does not read its answers waits here, and nobody else does.
    while (modem_.output().size() > kOutputMax) co_await drained_.wait("a client to read");
    const auto count = co_await stream_->read(input_);
    if (!count) break;
    session_.counters().bytes_in += *count;
    co_await serve(Bytes(input_).first(*count));
  }
  // The frame that the modem holds is still sent, and its end told to whoever still reads.
  hung_up_ = true;
  session_.subscribe(kNoEvents);
  end_timer_.arm(service_.executor().now() + (may ? kLinger : kWrongPause));
  session_.wake().set(kReplyBit);
}

async::Task<bool> KissConnection::pass_gate() {
  if (gate_.state() == PasswordGate::State::waits) {
    end_timer_.arm(service_.executor().now() + kPasswordWait);
  }
  Bytes behind;
  while (gate_.state() == PasswordGate::State::waits) {
    const auto count = co_await stream_->read(input_);
    if (!count) co_return false;
    behind = Bytes(input_).first(*count);
    gate_.take(behind);
  }
  if (gate_.state() == PasswordGate::State::closed) {
    ++session_.counters().malformed;
    co_return false;
  }
  end_timer_.cancel();
  session_.subscribe(kHeard);
  session_.wake().set(kReplyBit);
  co_await serve(behind);
  co_return true;
}

// One frame at a time, each in its turn: signatures take long.
async::Task<> KissConnection::serve(Bytes bytes) {
  while (!bytes.empty()) {
    const auto mark = std::ranges::find(bytes, radio::kiss::kFend);
    const auto rest = mark == bytes.end() ? mark : mark + 1;
    const Bytes piece(bytes.begin(), rest);
    bytes = Bytes(rest, bytes.end());
    if (piece.size() > 1) {
      ++session_.counters().requests;
      const Duration pause = allowance_.take(service_.executor().now());
      if (pause > Duration::zero()) {
        ++session_.counters().throttled;
        co_await async::sleep_for(service_.executor(), pause);
      }
    }
    if (piece.size() > 1 || bytes.empty()) co_await service_.turns().take();
    modem_.receive(piece, service_.executor().now());
    session_.wake().set(kReplyBit);
  }
}

// --- To the program ------------------------------------------------------------------------------

// The new generation knows nothing of what was submitted: it may have been sent, and its end is
// nobody's.
void KissConnection::learn_of_restart() {
  if (std::exchange(generation_, service_.generation()) == service_.generation()) return;
  if (std::exchange(awaited_, 0) != 0) modem_.transmitted(false);
}

void KissConnection::collect_results() {
  SubmissionResult result;
  while (awaited_ != 0) {
    const Access access = session_.next_result(result);
    if (access == Access::refused) return;
    if (access == Access::restarted) {
      learn_of_restart();
    } else if (result.kind == SubmissionResult::Kind::ended && result.id == awaited_) {
      awaited_ = 0;
      modem_.transmitted(result.outcome.has_value());
    }
  }
}

void KissConnection::collect() {
  learn_of_restart();
  modem_.poll(service_.executor().now());
  collect_results();
  const EventLog::Kept* kept = nullptr;
  const bool listens = session_.filter().kinds != kNoEvents;
  for (std::size_t i = 0; i < kEventsPerTurn && listens; ++i) {
    const Access access = session_.next_event(kept);
    if (access == Access::refused) break;
    if (access == Access::restarted) {
      learn_of_restart();
      continue;
    }
    const node::Event& event = kept->event();
    modem_.heard(event.frame, event.snr, event.rssi);
  }
  static_cast<void>(session_.take_lost());  // KISS has no word for it; the counter has
  if (modem_.due() == kNever) {
    poll_timer_.cancel();
  } else {
    poll_timer_.arm(modem_.due());
  }
}

async::Task<> KissConnection::write() {
  std::string writing;
  for (;;) {
    collect();
    if (modem_.output().empty()) {
      if (hung_up_ && awaited_ == 0 && modem_.due() == kNever &&
          gate_.state() == PasswordGate::State::open) {
        break;
      }
      co_await session_.wake().wait(kAnything);
      co_await service_.turns().take();
      continue;
    }
    writing.clear();
    writing.swap(modem_.output());
    drained_.wake_all();
    const Bytes bytes(reinterpret_cast<const std::uint8_t*>(writing.data()), writing.size());
    const auto written = co_await stream_->write(bytes);
    if (!written && modem_.due() == kNever) break;
    session_.counters().bytes_out += bytes.size();
    co_await service_.turns().take();
  }
  end();
}

// --- What the modem asks -------------------------------------------------------------------------

bool KissConnection::transmit(Bytes frame) {
  auto id = session_.submit(frame, Duration::zero(), kPriority);
  if (!id && id.error() == SubmitError::restarted) {
    learn_of_restart();
    id = session_.submit(frame, Duration::zero(), kPriority);
  }
  if (!id) return false;
  awaited_ = *id;
  session_.wake().set(kReplyBit);  // its result is asked for at once, so that a wake is owed
  return true;
}

Duration KissConnection::airtime(std::size_t bytes) const {
  return radio::reference_airtime(service_.repeater().radio().modulation(), bytes);
}

radio::kiss::Tuning KissConnection::channel() const {
  const radio::Modulation& modulation = service_.repeater().radio().modulation();
  return {modulation.frequency.count,
          modulation.bandwidth.nominal().count,
          modulation.spreading,
          modulation.coding};
}

bool KissConnection::set_channel(const radio::kiss::Tuning& wanted) {
  const radio::Modulation& ours = service_.repeater().radio().modulation();
  const auto bandwidth = radio::Bandwidth::from_nominal(Hertz{wanted.bandwidth_hz});
  const std::int64_t off = std::int64_t{wanted.frequency_hz} - ours.frequency.count;
  // A receiver takes every coding rate, so that one may differ.
  return bandwidth && bandwidth->chip() == ours.bandwidth.chip() &&
         wanted.spreading == ours.spreading && wanted.coding >= 5 && wanted.coding <= 8 &&
         std::abs(off) <= kFrequencySlack_hz;
}

std::uint8_t KissConnection::transmit_dbm() const {
  return static_cast<std::uint8_t>(service_.repeater().preferences().transmit_dbm);
}

std::optional<std::int8_t> KissConnection::rssi_dbm() const {
  const int dbm = service_.repeater().counters().last_rssi.quarters / 4;
  return static_cast<std::int8_t>(std::clamp(dbm, -128, 127));
}

std::string_view KissConnection::name() const {
  return service_.repeater().preferences().name.view();
}

KissCounts KissConnection::counts() const {
  const node::Counters& counters = service_.repeater().counters();
  return {counters.received, counters.sent, 0};
}

// --- All of them ---------------------------------------------------------------------------------

KissServer::KissServer(Service& service, Random& random, std::string_view password)
    : service_(service),
      random_(random),
      password_(password),
      identity_(kiss_identity(service.repeater().identity())),
      ended_(service.executor().wakes()) {}

void KissServer::start() {
  service_.executor().spawn(slot_, "kiss reaper", &KissServer::reap, this);
}

void KissServer::stop() {
  slot_.cancel();
  for (auto& connection : connections_) connection.reset();
}

void KissServer::adopt_remote(std::unique_ptr<async::Stream> stream) {
  adopt(std::move(stream), password_, "kiss tcp");
}

void KissServer::adopt_local(std::unique_ptr<async::Stream> stream) {
  adopt(std::move(stream), {}, "kiss pty");
}

void KissServer::adopt(std::unique_ptr<async::Stream> stream,
                       std::string_view password,
                       std::string_view name) {
  for (auto& connection : connections_) {
    if (connection != nullptr) continue;
    if (service_.client_count() == Service::kClients) break;
    connection = std::make_unique<KissConnection>(
        service_, std::move(stream), identity_, random_, password, name);
    connection->start(ended_);
    return;
  }
  ++turned_away_;
}

std::size_t KissServer::connection_count() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      connections_, [](const auto& connection) { return connection != nullptr; }));
}

async::Task<> KissServer::reap() {
  for (;;) {
    co_await ended_.next();
    for (auto& connection : connections_) {
      if (connection != nullptr && connection->has_ended()) connection.reset();
    }
  }
}

}  // namespace chappe::client
