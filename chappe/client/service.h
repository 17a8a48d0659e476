#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "chappe/async/executor.h"
#include "chappe/base/list.h"
#include "chappe/base/result.h"
#include "chappe/base/ring.h"
#include "chappe/client/event_log.h"
#include "chappe/client/journal.h"
#include "chappe/client/lane.h"
#include "chappe/client/turns.h"
#include "chappe/flow/notifier.h"
#include "chappe/node/event.h"
#include "chappe/node/repeater.h"

namespace chappe::client {

class Session;

/// Something a client learns of its own submission.
struct SubmissionResult {
  enum class Kind : std::uint8_t {
    accepted,  // only of one with a key: from now on it will be answered for
    ended,     // the outcome tells
    claimed,   // another client presented its key: its answers go there
  };
  Kind kind = Kind::ended;
  std::uint64_t id = 0;  // of its events; 0 if it ended in an earlier run of the process
  Lane lane = Lane::other;
  SubmissionKey key;
  bool durable = false;  // accepted: also if the power goes
  tx::Outcome outcome = Unexpected(tx::Refused{});
};

enum class SubmitError : std::uint8_t {
  not_a_packet,  // see the parse error's name in the answer
  too_many,      // as many under way as one client may have; a wake for room is owed
  restarted,     // the service began a new generation; submit again
  key_reused,    // another frame has this key
  under_way,     // it is this client's already: its answers will come
  journal_full,  // too many keys are still remembered; later
};

/// What made the service begin a new generation.
enum class Cause : std::uint8_t { asked, fault, radio_reset };
inline constexpr std::size_t kCauses = 3;
std::string_view to_string(Cause cause);

/// Owns the node's stream of events and the clients who want some of it.
///
/// Each client has its own place in one log: reading takes nothing from anybody else, and a client
/// that is slow loses its own oldest events only, and is told how many. A client is woken when, and
/// only when, something comes that it asked for in vain; after a restart everybody exactly once.
/// What clients cost, they cost in turns: see Turns.
/// Context: the node's executor. Memory: the log, the journal, and one block per client.
class Service final : private node::EventListener {
 public:
  static constexpr std::size_t kInProcess = 8;
  static constexpr std::size_t kLocal = 216;  // Unix socket
  static constexpr std::size_t kRemote = 32;  // TCP and pty
  static constexpr std::size_t kClients = kInProcess + kLocal + kRemote;
  static constexpr std::size_t kSubmissionsPerClient = kLanes * kSubmissionsPerLane;
  /// Two restarts are at least so far apart, whoever asks for them and how often.
  static constexpr Duration kRestartPause = seconds(1);

  /// Nothing outlives the process. `generation` 0 is the first ever.
  Service(async::Executor& executor, node::Repeater& repeater, std::uint32_t generation = 0);
  /// The generation and the submissions are the journal's.
  Service(async::Executor& executor, node::Repeater& repeater, std::unique_ptr<Journal> journal);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service();

  /// Hands over what an earlier run accepted and did not send. Once, when the node is started.
  void resume();

  /// Forgets all places, debts and results, and tells every client once. What was accepted with a
  /// key goes its way, and is claimed with it.
  void restart();
  /// The same by the supervisor, soon; several reasons at once make one restart.
  void request_restart(Cause cause, std::string_view why = {});

  /// What runs a line of the node's command line and returns its reply; clients may type once there
  /// is one.
  using Commands = std::function<std::string(std::string_view line)>;
  void serve_commands(Commands commands) { commands_ = std::move(commands); }
  const Commands& commands() const { return commands_; }

  std::uint32_t generation() const { return notifier_.generation(); }
  const flow::Notifier& notifier() const { return notifier_; }
  std::size_t client_count() const { return client_count_; }
  std::uint64_t restarts(Cause cause) const { return restarts_[static_cast<std::size_t>(cause)]; }
  const std::string& last_fault() const { return last_fault_; }
  const EventLog& log() const { return log_; }
  Journal& journal() { return *journal_; }
  Turns& turns() { return turns_; }
  node::Repeater& repeater() { return repeater_; }
  async::Executor& executor() { return executor_; }

  template <class Visit>
  void for_each_client(Visit visit) {
    sessions_.for_each(visit);
  }

 private:
  friend class Session;

  // A submission that the node has. If its client goes away or the service restarts, the frame is
  // still sent; only the result is nobody's, unless it has a key.
  struct Underway : ListNode {
    std::uint64_t id = 0;
    Lane lane = Lane::other;
    Session* owner = nullptr;
    Journal::Entry* entry = nullptr;
  };
  // The node keeps each of them in a place of its transmitter, or is just refusing it.
  static constexpr std::size_t kUnderway = tx::Transmitter::kPool + 1;

  void on_event(const node::Event& event) noexcept override;
  void on_keying(std::uint64_t id) noexcept override;
  async::Task<> herald();
  async::Task<> supervise();
  async::Task<> watch_radio(sync::Signal& resets);
  async::Task<> await_disk();

  Underway* find(std::uint64_t id);
  bool place(Session* owner,
             Journal::Entry* entry,
             Bytes frame,
             Duration after,
             std::uint8_t priority,
             std::uint64_t& id);
  void hand_over(Journal::Entry& entry);
  void hand_over_synced();
  void began(Underway& underway);
  void ended(Underway& underway, const tx::Outcome& outcome);
  void answer(Session& owner, const SubmissionResult& result);
  void abandon(Session& session);
  void post(Session& session, std::uint8_t topic, std::uint32_t units);

  async::Executor& executor_;
  node::Repeater& repeater_;
  const std::unique_ptr<Journal> journal_;
  flow::Notifier notifier_;
  Commands commands_;
  Turns turns_;
  EventLog log_;
  List<Session> sessions_;
  std::size_t client_count_ = 0;
  std::uint64_t clients_ever_ = 0;
  EventMask wanted_ = kNoEvents;  // by anybody

  // Clients that looked for events in vain, and are owed.
  struct Reader : ListNode {
    explicit Reader(Session& owner) : session(owner) {}
    Session& session;
  };
  List<Reader> readers_;
  bool news_pending_ = false;
  sync::Signal news_;

  std::array<Underway, kUnderway> underway_places_;
  List<Underway> free_;
  List<Underway> underway_;
  Underway* placing_ = nullptr;  // the node is being told of it

  sync::Signal restart_asked_;
  std::array<bool, kCauses> asked_by_{};
  std::array<std::uint64_t, kCauses> restarts_{};
  std::string last_fault_;

  async::TaskSlot<1024> herald_slot_;
  async::TaskSlot<1024> supervisor_slot_;
  async::TaskSlot<1024> radio_slot_;
  async::TaskSlot<1024> disk_slot_;
};

/// What a client did and what was done to it, for `chappe ctl clients`.
struct ClientCounters {
  std::uint64_t in_vain = 0;    // wakes that found nothing
  std::uint64_t lost = 0;       // events overtaken
  std::uint64_t requests = 0;   // pieces of work it asked for
  std::uint64_t throttled = 0;  // times it was made to wait for being too quick
  std::uint64_t malformed = 0;
  std::uint64_t submitted = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
};

/// One client of the service: what it subscribed to, what waits for it, what it has submitted.
/// Detaching is the destructor.
class Session : public ListNode {
 public:
  /// What a client may leave unread before it loses the oldest.
  static constexpr std::size_t kEvents = EventLog::kKept;
  // Topics of the subscriber's word; kRestarted comes with flow::Subscriber.
  static constexpr std::uint8_t kEventTopic = 0;
  static constexpr std::uint8_t kResultTopic = 1;
  static constexpr std::uint8_t kRoomTopic = 2;  // of the first lane; the others follow
  static constexpr std::uint32_t kEventBit = 1u << kEventTopic;
  static constexpr std::uint32_t kResultBit = 1u << kResultTopic;
  static constexpr std::uint8_t room_topic(Lane lane) {
    return static_cast<std::uint8_t>(kRoomTopic + static_cast<std::uint8_t>(lane));
  }
  static constexpr std::uint32_t room_bit(Lane lane) { return 1u << room_topic(lane); }
  static constexpr std::uint32_t kRoomBits = ((1u << kLanes) - 1) << kRoomTopic;
  static_assert(kRoomTopic + kLanes <= flow::Subscriber::kTopics);

  /// Panics beyond Service::kClients: ask service.client_count() first. `name` is for people.
  explicit Session(Service& service, std::string_view name = "task");
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  /// The generation this client knew when it was here last: if that is over it is told so, once.
  void was_here(std::uint32_t generation);

  void subscribe(const Filter& filter);
  const Filter& filter() const { return filter_; }

  /// The next event, valid until the next await. Refused: there is none, and one wake is owed.
  [[nodiscard]] flow::Access next_event(const EventLog::Kept*& event);
  /// The same as a line of JSON.
  [[nodiscard]] flow::Access next_event(std::string& line);
  /// What became of a submission of this client. Refused: nothing new, and one wake is owed.
  [[nodiscard]] flow::Access next_result(SubmissionResult& result);

  /// Sends a packet of the client's own making; returns its id. `too_many`: a wake for room in
  /// its lane is owed, whatever the other lane holds.
  Result<std::uint64_t, SubmitError> submit(Bytes frame, Duration after, std::uint8_t priority);

  /// The same under a key, which makes asking again harmless: it is accepted once, sent at most
  /// once, and both answers come as results, to whoever presented the key last.
  Result<void, SubmitError> submit(std::string_view key,
                                   Bytes frame,
                                   Duration after,
                                   std::uint8_t priority);
  /// Only the answers of a submission made earlier. False: this key is not known here.
  Result<bool, SubmitError> claim(std::string_view key);

  /// Which lane was full when something was refused as `too_many` last.
  Lane refused_lane() const { return refused_lane_; }

  /// `co_await session.wake().wait(kEventBit | …)` tells why.
  sync::Flags& wake() { return subscriber_.wake(); }

  /// Events lost because this client did not read them in time, since it asked last.
  std::uint64_t take_lost();
  const flow::Subscriber& subscriber() const { return subscriber_; }
  ClientCounters& counters() { return counters_; }
  std::string_view name() const { return name_; }
  void rename(std::string_view name) { name_ = name; }
  std::uint64_t number() const { return number_; }

 private:
  friend class Service;
  // Each submission under way has at most these answers unread.
  static constexpr std::size_t kAnswersEach = 2;

  std::optional<SubmitError> take_room(Lane lane);
  void give_all_room();
  void adopt(Journal::Entry& entry);
  void note_lost(std::uint64_t lost);

  Service& service_;
  std::string name_;
  const std::uint64_t number_;
  flow::Subscriber subscriber_;
  Filter filter_;
  EventLog::Cursor cursor_;
  Service::Reader reader_{*this};
  Ring<SubmissionResult, Service::kSubmissionsPerClient * kAnswersEach> results_;
  List<Journal::Entry> adopted_;
  std::uint32_t told_ = 0;  // topics posted and not yet looked at
  std::uint64_t lost_ = 0;
  Lane refused_lane_ = Lane::other;
  ClientCounters counters_;
};

}  // namespace chappe::client
