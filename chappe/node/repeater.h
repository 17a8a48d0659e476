#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "chappe/async/completion.h"
#include "chappe/async/executor.h"
#include "chappe/async/timer.h"
#include "chappe/base/list.h"
#include "chappe/base/random.h"
#include "chappe/base/ring.h"
#include "chappe/mesh/identity.h"
#include "chappe/mesh/judge.h"
#include "chappe/mesh/neighbours.h"
#include "chappe/mesh/region.h"
#include "chappe/mesh/seen_table.h"
#include "chappe/node/adverts.h"
#include "chappe/node/books.h"
#include "chappe/node/counters.h"
#include "chappe/node/discovery.h"
#include "chappe/node/event.h"
#include "chappe/node/known_filter.h"
#include "chappe/node/own_packets.h"
#include "chappe/node/settings.h"
#include "chappe/node/wall_clock.h"
#include "chappe/radio/radio.h"
#include "chappe/rx/receiver.h"
#include "chappe/tx/law.h"
#include "chappe/tx/transmitter.h"

namespace chappe::node {

/// A MeshCore repeater: what is heard is judged, what is to be forwarded is submitted, and every
/// frame ends in the books.
///
/// Context: one executor; all functions are called there. Memory: in place. The clock, the radio,
/// the law and the randomness are the caller's: two nodes with the same ones do the same.
class Repeater final : private rx::FrameSink,
                       private tx::Observer,
                       private mesh::LocalDelivery,
                       private OwnPackets {
 public:
  /// Frames held before judging. A hold lasts at most 32 s; a frame of 20 bytes every second is
  /// more than any narrow channel carries.
  static constexpr std::size_t kHeld = 32;

  Repeater(async::Executor& executor,
           radio::Radio& radio,
           tx::Law& law,
           Random& random,
           const Settings& settings,
           const mesh::Identity& identity);
  Repeater(const Repeater&) = delete;
  Repeater& operator=(const Repeater&) = delete;
  ~Repeater();

  void start();
  /// Ends reception, then refuses what still waits. The books balance afterwards, nothing waits.
  void stop();

  /// Somebody who answers what is addressed to this node; nobody, and it is forwarded like any
  /// other.
  void serve(mesh::LocalDelivery& server) { server_ = &server; }

  void listen(EventListener& listener) { listeners_.push_back(listener); }

  /// Sends a frame of our own: a whole packet, as others will hear it. It is remembered as seen, so
  /// its echoes are ignored. The completion tells what became of it. Returns its id.
  Result<std::uint64_t, mesh::ParseError> submit(Bytes frame,
                                                 Duration after,
                                                 std::uint8_t priority,
                                                 async::Completion<tx::Outcome>* completion,
                                                 async::Completion<tx::Outcome>::Ticket ticket);

  /// The owner of `completion` no longer wants to know; the frame goes its way.
  void disown(const async::Completion<tx::Outcome>& completion) { transmitter_.disown(completion); }

  Books books() const;
  const tx::Statistics& statistics() const { return transmitter_.statistics(); }
  const tx::Transmitter& transmitter() const { return transmitter_; }
  const tx::Law& law() const { return law_; }
  const Settings& settings() const { return settings_; }
  const radio::Radio& radio() const { return radio_; }
  radio::Radio& radio() { return radio_; }
  const mesh::Identity& identity() const { return identity_; }
  Time now() const { return executor_.now(); }
  Duration uptime() const { return executor_.now() - started_; }

  // What administrators look at and change while the node runs.
  WallClock& clock() { return clock_; }
  std::uint32_t unix_now() const { return clock_.now(executor_.now()); }
  Preferences& preferences() { return settings_.preferences; }
  mesh::Rules& rules() { return settings_.rules; }
  mesh::RegionTable& regions() { return regions_; }
  mesh::Neighbours& neighbours() { return neighbours_; }
  Counters& counters() {
    absorb_known();
    return counters_;
  }
  Adverts& adverts() { return adverts_; }
  Discovery& discovery() { return discovery_; }
  /// A node that was told to send nothing stays silent, whatever is asked.
  void set_forwarding(mesh::Forwarding forwarding);
  /// The radio has another modulation now: what is derived from it is computed anew.
  void radio_changed();

 private:
  // A frame between hearing and judging.
  struct Held : async::Timer {
    explicit Held(Repeater& owner) : Timer(owner.executor_, &released), repeater(owner) {}
    static void released(Timer& timer, const async::TimerContext& context);
    Repeater& repeater;
    radio::Frame frame;
    std::uint64_t id = 0;
  };

  // What a waiting transmission belongs to: a frame heard, or one of our own.
  struct Journey {
    std::uint64_t id = 0;
    mesh::PacketHash hash;         // of the frame as heard, for events
    mesh::PacketHash key;          // in the seen table
    std::uint8_t outstanding = 0;  // frames not yet decided; 0: this place is free
    bool local = false;
    bool flood = false;
    std::uint8_t copies = 0;  // heard since it was first heard
    bool any_sent = false;
    bool any_perhaps_sent = false;
  };

  void on_frame(const radio::Frame& frame) noexcept override;
  void on_keying(std::uint64_t tag) noexcept override;
  void on_outcome(std::uint64_t tag, Bytes frame, const tx::Outcome& outcome) noexcept override;

  std::optional<mesh::Why> try_handle(const mesh::Packet& packet,
                                      const mesh::Heard& heard,
                                      const mesh::Region* region) override;
  void hear_advert(const mesh::Packet& packet,
                   const mesh::Advert& advert,
                   const mesh::Heard& heard) override;
  void hear_control(const mesh::Packet& packet, const mesh::Heard& heard) override;
  void send_own(const mesh::Packet& packet, Duration delay, std::uint8_t priority) override;

  void absorb_known();
  bool pool_is_full() const;
  void judge(std::uint64_t id,
             const radio::Frame& frame,
             const mesh::Packet& packet,
             mesh::PacketHash hash);
  void forward(std::uint64_t id, const mesh::Packet& packet, const mesh::Judgement& judgement);
  void count_copy(const mesh::Packet& packet);
  void drop(std::uint64_t id, const radio::Frame& frame, const mesh::Packet* packet, mesh::Why why);
  void tell(const Event& event);
  void count(Bytes frame, const tx::Outcome& outcome);
  void tell_outcome(const Journey& journey, Bytes frame, const tx::Outcome& outcome);
  Time expiry(const mesh::Packet& packet, tx::Origin origin) const;
  Journey& begin(std::uint64_t id);

  async::Executor& executor_;
  radio::Radio& radio_;
  tx::Law& law_;
  Random& random_;
  Settings settings_;
  const mesh::Identity identity_;
  const Time started_;
  WallClock clock_;
  mesh::SeenTable seen_;
  KnownFilter known_;
  KnownFilter::Dropped absorbed_;  // of what known_ dropped, what is in the books already
  mesh::RegionTable regions_;
  mesh::Neighbours neighbours_;
  Counters counters_;
  Adverts adverts_;
  Discovery discovery_;
  mesh::LocalDelivery* server_ = nullptr;
  List<EventListener> listeners_;
  Books books_;
  std::uint64_t last_id_ = 0;

  std::array<std::optional<Held>, kHeld> held_;
  Ring<Held*, kHeld> free_held_;
  // Each journey has at least one frame in the transmitter's pool, or is just being submitted.
  static constexpr std::size_t kJourneys = tx::Transmitter::kPool + 1;
  std::array<Journey, kJourneys> journeys_;
  Ring<std::uint16_t, kJourneys> free_journeys_;

  tx::Transmitter transmitter_;
  rx::Receiver receiver_;
};

}  // namespace chappe::node
