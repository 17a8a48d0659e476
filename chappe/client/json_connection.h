#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "chappe/async/executor.h"
#include "chappe/async/stream.h"
#include "chappe/async/timer.h"
#include "chappe/async/wait_list.h"
#include "chappe/client/allowance.h"
#include "chappe/client/service.h"

namespace chappe::client {

class JsonLine;
struct JsonRequest;

/// One client that speaks JSON lines over a stream: requests in, replies, events and results out.
/// docs/formats/socket.md is the grammar. Bytes that are no request get an error line, and the
/// connection lives on.
///
/// Two tasks: one reads and answers, one writes. A client that reads nothing blocks its own writer
/// only; what it is owed meanwhile is kept up to the session's bounds, and counted beyond. A client
/// that floods is read at the pace of its allowance. Both work in turns.
/// Context: the service's executor.
class JsonConnection {
 public:
  static constexpr std::size_t kLineMax = 4096;
  /// Above this much unread output no further requests are read.
  static constexpr std::size_t kOutputMax = 64 * 1024;
  /// Who has hung up and does not read what is left has so long.
  static constexpr Duration kLinger = seconds(30);
  static constexpr std::size_t kEventsPerTurn = 16;
  static constexpr Allowance::Limits kRequests{milliseconds(20), 100};

  JsonConnection(Service& service, std::unique_ptr<async::Stream> stream);
  JsonConnection(const JsonConnection&) = delete;
  JsonConnection& operator=(const JsonConnection&) = delete;

  /// Starts both tasks. `ended` is set once when the other side is gone.
  void start(sync::Signal& ended);
  bool has_ended() const { return ended_; }
  const Session& session() const { return session_; }

 private:
  // Beside the session's own bits in its wake word.
  static constexpr std::uint32_t kReplyBit = 1u << 8;
  static constexpr std::uint32_t kAnything = Session::kEventBit | Session::kResultBit |
                                             Session::kRoomBits | kReplyBit |
                                             flow::Subscriber::kRestarted;

  struct Linger : async::Timer {
    explicit Linger(JsonConnection& owner)
        : Timer(owner.service_.executor(), &over), connection(owner) {}
    static void over(Timer& timer, const async::TimerContext&) {
      static_cast<Linger&>(timer).connection.end();
    }
    JsonConnection& connection;
  };

  async::Task<> read();
  async::Task<> write();
  std::size_t next_line(std::string_view unread);
  void answer(std::string_view line);
  void answer_hello(const JsonRequest& request);
  void answer_submit(const JsonRequest& request);
  void answer_claim(const JsonRequest& request);
  std::string words(SubmitError error, const JsonRequest& request);
  void add_status(JsonLine& reply);
  void add_hour(JsonLine& reply);
  void collect(std::uint32_t why);
  void collect_results();
  void add_result(const SubmissionResult& result);
  void list_clients();
  void announce_restart();
  void announce_room(std::uint32_t bits);
  void end();

  Service& service_;
  std::unique_ptr<async::Stream> stream_;
  Session session_;
  Allowance allowance_{kRequests};
  Linger linger_{*this};
  sync::Signal* on_end_ = nullptr;
  std::string output_;
  bool wants_events_ = false;
  std::uint32_t wants_room_ = 0;  // bits of the lanes that were full
  std::uint32_t results_awaited_ = 0;
  std::uint32_t announced_generation_;
  bool skipping_ = false;  // the rest of a line that was too long
  bool hung_up_ = false;   // nothing more to read
  bool ended_ = false;     // nothing more to write

  // What a submission with a key was called in the request, until it is accepted.
  struct Asked {
    SubmissionKey key;
    std::string ref;
  };
  std::array<std::optional<Asked>, Service::kSubmissionsPerClient> asked_;

  struct Listing {
    std::string ref;
    std::uint64_t after = 0;  // the number of the client listed last
    std::size_t count = 0;
  };
  std::optional<Listing> listing_;

  async::WaitList drained_;
  async::TaskSlot<8192> reader_;
  async::TaskSlot<2048> writer_;
};

/// All connections of one endpoint: takes streams in, lets ended ones go.
class JsonServer {
 public:
  explicit JsonServer(Service& service) : service_(service), ended_(service.executor().wakes()) {}
  ~JsonServer() { stop(); }

  void start();
  void stop();
  /// Begins a connection, or says that there are too many and closes the stream.
  void adopt(std::unique_ptr<async::Stream> stream);
  std::size_t connection_count() const;
  std::uint64_t turned_away() const { return turned_away_; }

 private:
  async::Task<> reap();
  async::Task<> turn_away();

  Service& service_;
  sync::Signal ended_;
  std::array<std::unique_ptr<JsonConnection>, Service::kLocal> connections_;
  std::unique_ptr<async::Stream> unwelcome_;  // being told so
  std::uint64_t turned_away_ = 0;
  async::TaskSlot<1024> slot_;
  async::TaskSlot<1024> door_slot_;
};

}  // namespace chappe::client
