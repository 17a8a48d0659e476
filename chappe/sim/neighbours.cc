#include "chappe/sim/neighbours.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "chappe/async/sleep.h"
#include "chappe/base/check.h"
#include "chappe/base/text.h"
#include "chappe/mesh/advert.h"
#include "chappe/mesh/channel.h"
#include "chappe/mesh/delays.h"
#include "chappe/mesh/envelope.h"
#include "chappe/mesh/identity.h"
#include "chappe/mesh/packet.h"
#include "chappe/node/repeater.h"
#include "chappe/radio/airtime.h"
#include "chappe/sim/captured.h"
#include "chappe/tx/ledger.h"

namespace chappe::sim {
namespace {

struct Character {
  std::string_view name;
  mesh::NodeType type;
  double snr_at_newcomer_db;
  mesh::Position position;
};

// Stations of the optical telegraph from Paris to Lille, and two brothers who built it.
enum Who : std::size_t { kMontmartre, kEcouen, kIgnace, kAbraham, kErcuis };
constexpr std::array<Character, Neighbourhood::kNeighbours> kCharacters = {{
    {"Montmartre", mesh::NodeType::repeater, 9.5, {48'886'700, 2'343'100}},
    {"Ecouen", mesh::NodeType::repeater, 5.25, {49'018'600, 2'380'300}},
    {"Ignace", mesh::NodeType::chat, 11, {48'880'100, 2'355'000}},
    {"Abraham", mesh::NodeType::chat, 3.5, {49'009'800, 2'362'400}},
    {"Ercuis", mesh::NodeType::repeater, -8.25, {49'235'000, 2'306'000}},
}};
constexpr std::size_t kNear = kErcuis;  // those before the far one

struct Reach {
  Who a;
  Who b;
  double snr_db;
};
// Ignace and Abraham do not hear each other: a newcomer between them is of use.
constexpr Reach kReaches[] = {{kMontmartre, kEcouen, 4},
                              {kMontmartre, kIgnace, 10},
                              {kMontmartre, kAbraham, -6},
                              {kEcouen, kAbraham, 8},
                              {kEcouen, kErcuis, -4}};

constexpr std::string_view kTexts[] = {
    "good morning from the hill",
    "anyone on 869.618 tonight?",
    "heard you with one hop, thanks",
    "fog in the valley, signal is fine",
    "new antenna is up, 3 dB better",
    "testing, please ignore",
    "ping",
    "battery at 82 %, sun is out",
    "who runs the repeater on the tower?",
    "going down for five minutes",
    "back again",
    "path over Ecouen works today",
    "can you hear me in Saint-Denis?",
    "73 and good night",
};

// The key that every client knows (protocol 4.4).
constexpr std::array<std::uint8_t, 16> kPublicChannel = {
    0x8b, 0x33, 0x87, 0xe9, 0xc5, 0xcd, 0xea, 0x6a, 0xc9, 0xe5, 0xed, 0xba, 0xa1, 0x15, 0xcd, 0x72};

constexpr Duration kSilenceBefore = milliseconds(300);
constexpr std::uint32_t kPauseMinMs = 5'000;
constexpr std::uint32_t kPauseMaxMs = 20'000;
// A flood is over when the slowest repeater is: its delay of 2.5 times the airtime, and its frame.
constexpr int kFloodAirtimes = 4;
constexpr int kDirectAirtimes = 2;

// A tenth of each hour: the law of the default channel.
constexpr tx::Rule kTenPercent{hours(1), minutes(6)};

node::Settings settings_for(mesh::NodeType type) {
  node::Settings settings;
  if (type != mesh::NodeType::repeater) settings.mode = node::Mode::monitor;
  return settings;
}

/// Timestamp, flags and text: what is sealed in a message.
ByteBuffer<mesh::kPlainMax> message(std::uint32_t unix_time, std::string_view text) {
  ByteBuffer<mesh::kPlainMax> plain;
  plain.append_le32(unix_time);
  plain.append(std::uint8_t{0});  // plain text, first attempt
  plain.append(Bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  return plain;
}

}  // namespace

// --- A neighbour ---------------------------------------------------------------------------------

class Neighbourhood::Neighbour final : private node::EventListener {
 public:
  Neighbour(async::Executor& executor,
            Air& air,
            const radio::Modulation& modulation,
            const Character& who,
            const mesh::Identity& own,
            std::uint64_t seed)
      : character(who),
        identity(own),
        random_(seed),
        ledger(std::span(&kTenPercent, 1)),
        radio(executor, air, modulation),
        node(executor, radio, ledger, random_, settings_for(who.type), own) {
    node.listen(*this);
  }

  void send(Bytes frame, std::uint8_t priority) {
    last_sent = radio::FrameBytes(frame);
    CHAPPE_CHECK(node.submit(frame, Duration::zero(), priority, nullptr, {}));
  }

  const Character& character;
  const mesh::Identity identity;

 private:
  void on_event(const node::Event& event) noexcept override {
    if (event.kind != node::EventKind::heard || event.packet == nullptr) return;
    const mesh::Packet& packet = *event.packet;
    if (packet.type != mesh::PayloadType::text || packet.payload.empty()) return;
    if (packet.hop_count == 0 && packet.payload[0] == identity.pub[0]) ++letters;
  }

  SeededRandom random_;

 public:
  tx::Ledger ledger;
  SimRadio radio;
  node::Repeater node;
  radio::FrameBytes last_sent;
  std::uint64_t letters = 0;  // heard on their last hop, for this neighbour
};

// --- The neighbourhood ---------------------------------------------------------------------------

Neighbourhood::Neighbourhood(async::Executor& executor, Air& air, const Settings& settings)
    : executor_(executor), air_(air), settings_(settings), random_(settings.seed) {
  for (const Character& character : kCharacters) {
    // One-byte hashes in paths and addresses: among so few, each shall be somebody's alone.
    std::optional<mesh::Identity> identity;
    do {
      mesh::Seed seed{};
      random_.fill(seed);
      identity = mesh::identity_of(seed);
    } while (mesh::is_reserved(identity->pub) ||
             std::ranges::any_of(neighbours_, [&](const std::unique_ptr<Neighbour>& other) {
               return other->identity.pub[0] == identity->pub[0];
             }));
    const std::uint64_t seed = std::uint64_t{random_.next()} << 32 | random_.next();
    neighbours_.push_back(std::make_unique<Neighbour>(
        executor, air, settings.modulation, character, *identity, seed));
  }
  for (const Reach& reach : kReaches) {
    air.connect(neighbours_[reach.a]->radio.station(),
                neighbours_[reach.b]->radio.station(),
                link_of_snr(reach.snr_db));
  }
  const auto put = [&](Act act, std::size_t times) { deck_.insert(deck_.end(), times, act); };
  put(Act::text, 6);
  put(Act::far_text, 1);
  put(Act::advert, 3);
  put(Act::duplicate, 1);
  put(Act::letter, 2);
  put(Act::garbage, 1);
  drawn_ = deck_.size();
}

Neighbourhood::~Neighbourhood() {
  stop();
}

void Neighbourhood::welcome(StationId newcomer, const mesh::PublicKey& own) {
  for (const std::unique_ptr<Neighbour>& neighbour : neighbours_) {
    air_.connect(
        newcomer, neighbour->radio.station(), link_of_snr(neighbour->character.snr_at_newcomer_db));
  }
  newcomer_ = own;
  has_newcomer_ = true;
}

void Neighbourhood::start() {
  started_ = executor_.now();
  for (const std::unique_ptr<Neighbour>& neighbour : neighbours_) neighbour->node.start();
  executor_.spawn(slot_, "neighbourhood", &Neighbourhood::live, this);
}

void Neighbourhood::stop() {
  slot_.cancel();
  for (const std::unique_ptr<Neighbour>& neighbour : neighbours_) neighbour->node.stop();
}

std::uint32_t Neighbourhood::unix_now() const {
  return settings_.unix_start +
         static_cast<std::uint32_t>(in_ms(executor_.now() - started_) / 1000);
}

Neighbourhood::Neighbour& Neighbourhood::somebody_near() {
  return *neighbours_[random_.up_to(kNear - 1)];
}

// A deck, so that everything happens now and then, in an order that is new each time.
Neighbourhood::Act Neighbourhood::draw() {
  if (drawn_ == deck_.size()) {
    for (std::size_t i = deck_.size() - 1; i > 0; --i) {
      std::swap(deck_[i], deck_[random_.up_to(static_cast<std::uint32_t>(i))]);
    }
    drawn_ = 0;
  }
  return deck_[drawn_++];
}

async::Task<> Neighbourhood::live() {
  co_await open();
  for (;;) {
    const std::uint32_t pause_ms = kPauseMinMs + random_.up_to(kPauseMaxMs - kPauseMinMs);
    co_await async::sleep_for(executor_, milliseconds(pause_ms));
    switch (draw()) {
      case Act::text:
        say(somebody_near());
        break;
      case Act::far_text:
        say(*neighbours_[kErcuis]);
        break;
      case Act::advert:
        advertise(somebody_near());
        break;
      case Act::duplicate: {
        Neighbour& who = somebody_near();
        if (!who.last_sent.empty()) who.send(who.last_sent, mesh::kPriorityOwnFlood);
        break;
      }
      case Act::letter:
        co_await write_a_letter();
        break;
      case Act::garbage:
        co_await utter_garbage();
        break;
    }
  }
}

// Real packets, from one neighbour after the other, so far apart that they rarely collide.
async::Task<> Neighbourhood::open() {
  co_await async::sleep_for(executor_, kSilenceBefore);
  std::size_t turn = kIgnace;
  for (const Captured& captured : sim::captured()) {
    neighbours_[turn]->send(captured.frame, mesh::kPriorityOwnFlood);
    turn = (turn + 1) % kNear;
    const auto packet = mesh::parse(captured.frame);
    const bool flood = packet && packet->is_flood();
    const Duration airtime = radio::time_on_air(settings_.modulation, captured.frame.size());
    co_await async::sleep_for(executor_, airtime * (flood ? kFloodAirtimes : kDirectAirtimes));
  }
}

void Neighbourhood::say(Neighbour& who) {
  static const mesh::Channel channel = *mesh::channel_of(kPublicChannel);
  const std::string_view words = kTexts[said_++ % std::size(kTexts)];
  Text<64> text;
  text.add(who.character.name).add(": ").add(words);
  ByteBuffer<mesh::kPayloadMax> payload;
  payload.append(channel.hash);
  payload.append(mesh::seal(channel.secret, message(unix_now(), text.view())));
  mesh::Packet packet;
  packet.route = mesh::Route::flood;
  packet.type = mesh::PayloadType::group_text;
  packet.payload = payload;
  who.send(mesh::write(packet), mesh::kPriorityOwnFlood);
}

void Neighbourhood::advertise(Neighbour& who) {
  mesh::Appdata about;
  about.type = who.character.type;
  about.position = who.character.position;
  about.name = who.character.name;
  const auto appdata = mesh::build_appdata(about);
  const auto payload = mesh::build_advert(who.identity.prv, who.identity.pub, unix_now(), appdata);
  mesh::Packet packet;
  packet.route = mesh::Route::flood;
  packet.type = mesh::PayloadType::advert;
  packet.payload = payload;
  who.send(mesh::write(packet), mesh::kPriorityOwnFloodAdvert);
}

// Between two who do not hear each other: it arrives only if the newcomer carries it, and only then
// is it acknowledged.
async::Task<> Neighbourhood::write_a_letter() {
  if (!has_newcomer_) co_return;
  std::size_t first = kIgnace;
  std::size_t second = kAbraham;
  if (random_.up_to(1) == 1) std::swap(first, second);
  Neighbour& writer = *neighbours_[first];
  Neighbour& reader = *neighbours_[second];
  const auto secret = mesh::crypto::shared_secret(writer.identity.prv, reader.identity.pub);
  CHAPPE_CHECK(secret.has_value());
  const auto plain = message(unix_now(), kTexts[said_++ % std::size(kTexts)]);

  ByteBuffer<mesh::kPayloadMax> payload;
  payload.append(reader.identity.pub[0]);
  payload.append(writer.identity.pub[0]);
  payload.append(mesh::seal(*secret, plain));
  mesh::Packet letter;
  letter.route = mesh::Route::direct;
  letter.type = mesh::PayloadType::text;
  letter.hop_count = 1;
  letter.path = Bytes(newcomer_).first(1);
  letter.payload = payload;
  const std::uint64_t before = reader.letters;
  const auto frame = mesh::write(letter);
  writer.send(frame, mesh::kPriorityDirect);

  co_await async::sleep_for(
      executor_, radio::time_on_air(settings_.modulation, frame.size()) * 2 * kFloodAirtimes);
  if (reader.letters == before) co_return;
  const auto checksum = mesh::ack_checksum(plain, writer.identity.pub);
  letter.type = mesh::PayloadType::ack;
  letter.payload = checksum;
  reader.send(mesh::write(letter), mesh::kPriorityDirect);
}

// What a node of tomorrow, or a broken one, may send: version bits that nobody knows.
async::Task<> Neighbourhood::utter_garbage() {
  Neighbour& who = somebody_near();
  radio::FrameBytes bytes;
  bytes.resize(12 + random_.up_to(28));
  random_.fill({bytes.data(), bytes.size()});
  bytes[0] |= 0xc0;
  const Duration airtime = radio::time_on_air(settings_.modulation, bytes.size());

  flow::Credit credit = co_await who.radio.credits().take(0);
  const radio::Right right = co_await who.radio.right().take();
  std::optional<tx::Reservation> reservation = who.ledger.reserve(airtime, executor_.now());
  if (!reservation) co_return;
  const auto done = co_await who.radio.transmit(right, bytes, std::move(credit));
  if (done) reservation->commit(done->keyed, done->airtime);
}

}  // namespace chappe::sim
