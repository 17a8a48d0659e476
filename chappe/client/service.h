#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "chappe/async/completion.h"
#include "chappe/async/executor.h"
#include "chappe/base/list.h"
#include "chappe/base/result.h"
#include "chappe/base/ring.h"
#include "chappe/flow/notifier.h"
#include "chappe/node/event.h"
#include "chappe/node/repeater.h"

namespace chappe::client {

class Session;

/// What a client may be told of, one bit each; the order is node::EventKind's.
using EventMask = std::uint32_t;
inline constexpr EventMask kNoEvents = 0;
inline constexpr EventMask kAllEvents = 0x1f;

/// What became of a client's own submission.
struct SubmissionResult {
  std::uint64_t id = 0;
  tx::Outcome outcome = Unexpected(tx::Refused{});
};

enum class SubmitError : std::uint8_t {
  not_a_packet,  // see the parse error's name in the answer
  too_many,      // as many under way as one client may have; a wake for room is owed
  restarted,     // the service began a new generation; submit again
};

/// Owns the node's stream of events and the clients who want some of it.
///
/// Each client has its own queue: reading takes nothing from anybody else, and a client that is
/// slow loses its own oldest events only, and is told how many. A client is woken when, and only
/// when, something comes that it asked for in vain; after a restart everybody exactly once.
/// Context: the node's executor. Memory: one block per client, made when it attaches.
class Service final : private node::EventListener {
 public:
  static constexpr std::size_t kClients = 32;
  static constexpr std::size_t kSubmissionsPerClient = 4;
  static constexpr std::size_t kSubmissions = kClients * kSubmissionsPerClient;

  /// `generation` is kept with the node's state; the first ever is 0 and wakes nobody.
  Service(async::Executor& executor, node::Repeater& repeater, std::uint32_t generation = 0);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service();

  /// Forgets all queues, debts and results, as after an internal fault, and tells every client
  /// once.
  void restart();

  /// What runs a line of the node's command line and returns its reply; clients may type once there
  /// is one.
  using Commands = std::function<std::string(std::string_view line)>;
  void serve_commands(Commands commands) { commands_ = std::move(commands); }
  const Commands& commands() const { return commands_; }

  std::uint32_t generation() const { return notifier_.generation(); }
  const flow::Notifier& notifier() const { return notifier_; }
  std::size_t client_count() const { return client_count_; }
  node::Repeater& repeater() { return repeater_; }
  async::Executor& executor() { return executor_; }

 private:
  friend class Session;

  // A submission under way, and the task that waits for its result. If its client goes away or the
  // service restarts, the frame is still sent; only the result is nobody's.
  struct Underway : ListNode {
    explicit Underway(sync::WakeList& wakes) : completion(wakes) {}
    async::Completion<tx::Outcome> completion;
    async::TaskSlot<1024> slot;
    Session* owner = nullptr;
    std::uint64_t id = 0;
  };

  void on_event(const node::Event& event) noexcept override;
  async::Task<> await_result(Underway& underway);
  void abandon(const Session& session);

  async::Executor& executor_;
  node::Repeater& repeater_;
  flow::Notifier notifier_;
  Commands commands_;
  List<Session> sessions_;
  std::size_t client_count_ = 0;
  std::array<std::optional<Underway>, kSubmissions> underway_;
  List<Underway> free_;
};

/// One client of the service: what it subscribed to, what waits for it, what it has submitted.
/// Detaching is the destructor.
class Session : public ListNode {
 public:
  static constexpr std::size_t kEvents = 128;
  // Topics of the subscriber's word; kRestarted comes with flow::Subscriber.
  static constexpr std::uint8_t kEventTopic = 0;
  static constexpr std::uint8_t kResultTopic = 1;
  static constexpr std::uint8_t kRoomTopic = 2;
  static constexpr std::uint32_t kEventBit = 1u << kEventTopic;
  static constexpr std::uint32_t kResultBit = 1u << kResultTopic;
  static constexpr std::uint32_t kRoomBit = 1u << kRoomTopic;

  /// Panics beyond Service::kClients: ask service.client_count() first.
  explicit Session(Service& service);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  void subscribe(EventMask mask) { mask_ = mask; }

  /// The next event as a line of JSON, in `line`. Refused: there is none, and one wake is owed.
  [[nodiscard]] flow::Access next_event(std::string& line);
  /// The result of a submission of this client. Refused: none has ended, and one wake is owed.
  [[nodiscard]] flow::Access next_result(SubmissionResult& result);
  /// Sends a packet of the client's own making. `too_many`: a wake for room is owed.
  Result<std::uint64_t, SubmitError> submit(Bytes frame, Duration after, std::uint8_t priority);

  /// `co_await session.wake().wait(kEventBit | …)` tells why.
  sync::Flags& wake() { return subscriber_.wake(); }

  /// Events lost because this client did not read them in time, since it asked last.
  std::uint64_t take_lost() { return std::exchange(lost_, 0); }
  const flow::Subscriber& subscriber() const { return subscriber_; }

 private:
  friend class Service;

  Service& service_;
  flow::Subscriber subscriber_;
  EventMask mask_ = kNoEvents;
  Ring<std::string, kEvents> events_;
  Ring<SubmissionResult, Service::kSubmissionsPerClient> results_;
  std::uint64_t lost_ = 0;
};

}  // namespace chappe::client
