#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "chappe/async/executor.h"
#include "chappe/async/stream.h"
#include "chappe/async/wait_list.h"
#include "chappe/client/service.h"

namespace chappe::client {

class JsonLine;
struct JsonRequest;

/// One client that speaks JSON lines over a stream: requests in, replies, events and results out.
/// docs/formats/socket.md is the grammar. Bytes that are no request get an error line, and the
/// connection lives on; a line longer than kLineMax ends it after an error.
///
/// Two tasks: one reads and answers, one writes. A client that reads nothing blocks its own writer
/// only; what it is owed meanwhile is kept up to the session's bounds, and counted beyond.
/// Context: the service's executor.
class JsonConnection {
 public:
  static constexpr std::size_t kLineMax = 4096;
  /// Above this much unread output no further requests are read.
  static constexpr std::size_t kOutputMax = 64 * 1024;

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
                                             Session::kRoomBit | kReplyBit |
                                             flow::Subscriber::kRestarted;

  async::Task<> read();
  async::Task<> write();
  void answer(std::string_view line);
  void answer_submit(const JsonRequest& request);
  void add_status(JsonLine& reply);
  void collect();
  void announce_restart();

  Service& service_;
  std::unique_ptr<async::Stream> stream_;
  Session session_;
  sync::Signal* on_end_ = nullptr;
  std::string output_;
  bool wants_events_ = false;
  bool wants_room_ = false;
  std::uint32_t results_awaited_ = 0;
  std::uint32_t announced_generation_;
  bool hung_up_ = false;  // nothing more to read
  bool ended_ = false;    // nothing more to write
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
  /// Begins a connection, or closes the stream at once if there are too many clients.
  void adopt(std::unique_ptr<async::Stream> stream);
  std::size_t connection_count() const;

 private:
  async::Task<> reap();

  Service& service_;
  sync::Signal ended_;
  std::array<std::unique_ptr<JsonConnection>, Service::kClients> connections_;
  async::TaskSlot<1024> slot_;
};

}  // namespace chappe::client
