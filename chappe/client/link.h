#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "chappe/async/executor.h"
#include "chappe/async/stream.h"
#include "chappe/async/timer.h"
#include "chappe/async/wait_list.h"
#include "chappe/base/random.h"
#include "chappe/client/journal.h"
#include "chappe/client/lane.h"

namespace chappe::client {

class JsonObject;

/// How a Link reaches the node: one attempt a call. Null: not now.
class Connector {
 public:
  virtual std::unique_ptr<async::Stream> connect() = 0;

 protected:
  ~Connector() = default;
};

/// What became of a submission, as its client is told.
struct LinkResult {
  std::string key;
  bool sent = false;
  std::string why;            // not sent: the reason's name
  bool perhaps_sent = false;  // nobody knows; it will not be sent again
};

/// Told by a Link, in its executor. Must not destroy the Link.
class LinkListener {
 public:
  virtual void on_connected(std::uint32_t /*generation*/) {}
  virtual void on_disconnected() {}
  /// Once for each generation that ended: of the service, the transmitter or the process.
  virtual void on_restarted(std::uint32_t /*generation*/) {}
  virtual void on_event(std::string_view /*line*/) {}
  virtual void on_lost(std::uint64_t /*count*/) {}
  /// From here on the node answers for it; `durable`: also if its power goes.
  virtual void on_accepted(std::string_view /*key*/, bool /*durable*/) {}
  virtual void on_result(const LinkResult& /*result*/) {}

 protected:
  ~LinkListener() = default;
};

/// A client's end of the node's socket, for programs: docs/formats/socket.md, with everything that
/// is tedious done once. It connects, and again with a growing pause when the node is away; it
/// learns of restarts, each once; it presents what was not accepted again, under the same key, and
/// asks for the result of what was. So a submission is sent at most once whatever dies when, and
/// each ends in exactly one on_result.
/// Context: tasks of one executor.
class Link {
 public:
  static constexpr std::size_t kPending = kLanes * kSubmissionsPerLane;  // the service's own limit
  static constexpr Duration kPauseMin = milliseconds(50);
  static constexpr Duration kPauseMax = seconds(5);
  static constexpr Duration kAskAgain = seconds(1);

  Link(async::Executor& executor,
       Connector& connector,
       Random& random,
       LinkListener& listener,
       std::string name);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link() { stop(); }

  /// `known`: the generation this client knew when it stopped, if it kept that.
  void start(std::optional<std::uint32_t> known = std::nullopt);
  void stop();

  /// Which events from now on, for each connection: the names of docs/formats/events.md as JSON,
  /// such as `"heard","sent"`. Empty: none.
  void subscribe(std::string events);

  /// A key that nobody has had.
  std::string new_key();

  /// Sends a packet once. False: as many as its lane has room for are under way; their results make
  /// room. A program that may die itself keeps key and frame first, and submits them again when it
  /// lives again.
  bool submit(std::string_view key, Bytes frame, Duration after = {}, std::uint8_t priority = 1);

  bool connected() const { return greeted_; }
  std::optional<std::uint32_t> generation() const { return generation_; }
  std::uint64_t connections() const { return connections_; }

 private:
  enum class State : std::uint8_t { asking, accepted };
  struct Pending {
    SubmissionKey key;
    mesh::FrameBytes frame;
    Time due{};
    std::uint8_t priority = 1;
    State state = State::asking;
  };
  struct AskAgain : async::Timer {
    explicit AskAgain(Link& owner) : Timer(owner.executor_, &over), link(owner) {}
    static void over(Timer& timer, const async::TimerContext&);
    Link& link;
  };

  async::Task<> run();
  async::Task<> write();
  void greet();
  void present(const Pending& pending);
  void present_all();
  void hear(std::string_view line);
  void hear_reply(JsonObject& object, const std::string& reply);
  void hear_event(JsonObject& object, const std::string& event, std::string_view line);
  void hear_error(JsonObject& object);
  void restarted(std::uint32_t generation);
  void end(std::string_view key, const LinkResult& result);
  std::optional<Pending>* find(std::string_view key);

  async::Executor& executor_;
  Connector& connector_;
  Random& random_;
  LinkListener& listener_;
  const std::string name_;
  std::string events_;
  std::array<std::optional<Pending>, kPending> pending_;
  std::optional<std::uint32_t> generation_;
  bool greeted_ = false;
  std::uint64_t connections_ = 0;
  std::unique_ptr<async::Stream> stream_;
  std::string output_;
  async::WaitList more_;
  AskAgain ask_again_{*this};
  async::TaskSlot<8192> slot_;
  async::TaskSlot<2048> writer_;
};

}  // namespace chappe::client
