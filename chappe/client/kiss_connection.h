#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "chappe/async/executor.h"
#include "chappe/async/stream.h"
#include "chappe/async/timer.h"
#include "chappe/async/wait_list.h"
#include "chappe/base/random.h"
#include "chappe/client/allowance.h"
#include "chappe/client/kiss_modem.h"
#include "chappe/client/password_gate.h"
#include "chappe/client/service.h"

namespace chappe::client {

/// Who a KISS modem is to its programs. They sign and decrypt with its key, so it is not the
/// node's, from which it is made: one way, and always the same.
mesh::Identity kiss_identity(const mesh::Identity& node);

/// One program to which the node is a KISS modem, over a stream. docs/formats/kiss.md says what it
/// hears and what it can do. Bytes that are no frame are nothing, and the connection lives on.
///
/// The node's channel is not the program's to change, and what it sends takes its turn like
/// anything else. Two tasks, as for JSON: a program that reads nothing blocks its own writer only,
/// and loses its own oldest frames. Context: the service's executor.
class KissConnection final : private KissHost {
 public:
  /// Above this much unread output nothing more is read or collected.
  static constexpr std::size_t kOutputMax = 16 * 1024;
  /// Who has hung up has so long to read what is left.
  static constexpr Duration kLinger = seconds(30);
  /// ... and who has a password, to say it.
  static constexpr Duration kPasswordWait = seconds(10);
  /// A wrong one is answered by the end, after so long: guessing takes time.
  static constexpr Duration kWrongPause = seconds(1);
  static constexpr std::size_t kEventsPerTurn = 16;
  static constexpr Allowance::Limits kRequests{milliseconds(20), 100};

  KissConnection(Service& service,
                 std::unique_ptr<async::Stream> stream,
                 const mesh::Identity& identity,
                 Random& random,
                 std::string_view password,
                 std::string_view name);
  KissConnection(const KissConnection&) = delete;
  KissConnection& operator=(const KissConnection&) = delete;

  /// Starts both tasks. `ended` is set once when the program is gone.
  void start(sync::Signal& ended);
  bool has_ended() const { return ended_; }
  const Session& session() const { return session_; }

 private:
  // Beside the session's own bits in its wake word.
  static constexpr std::uint32_t kReplyBit = 1u << 8;
  static constexpr std::uint32_t kPollBit = 1u << 9;
  static constexpr std::uint32_t kAnything = Session::kEventBit | Session::kResultBit |
                                             Session::kRoomBits | kReplyBit | kPollBit |
                                             flow::Subscriber::kRestarted;

  // The modem's own waiting, as a bit; and the end of a connection's patience.
  struct BitTimer : async::Timer {
    BitTimer(KissConnection& owner) : Timer(owner.service_.executor(), &fired), connection(owner) {}
    static void fired(Timer& timer, const async::TimerContext&) {
      static_cast<BitTimer&>(timer).connection.session_.wake().set(kPollBit);
    }
    KissConnection& connection;
  };
  struct EndTimer : async::Timer {
    EndTimer(KissConnection& owner) : Timer(owner.service_.executor(), &fired), connection(owner) {}
    static void fired(Timer& timer, const async::TimerContext&) {
      static_cast<EndTimer&>(timer).connection.end();
    }
    KissConnection& connection;
  };

  async::Task<> read();
  async::Task<> write();
  async::Task<bool> pass_gate();
  async::Task<> serve(Bytes bytes);
  void collect();
  void learn_of_restart();
  void collect_results();
  void end();

  // What the modem asks.
  bool transmit(Bytes frame) override;
  bool is_channel_busy() override { return false; }  // the node listens itself, before each frame
  Duration airtime(std::size_t bytes) const override;
  radio::kiss::Tuning channel() const override;
  bool set_channel(const radio::kiss::Tuning& channel) override;
  std::uint8_t transmit_dbm() const override;
  std::optional<std::int8_t> rssi_dbm() const override;
  std::string_view name() const override;
  KissCounts counts() const override;
  void fill_random(std::span<std::uint8_t> bytes) override { random_.fill(bytes); }

  Service& service_;
  std::unique_ptr<async::Stream> stream_;
  Random& random_;
  Session session_;
  KissModem modem_;
  PasswordGate gate_;
  Allowance allowance_{kRequests};
  BitTimer poll_timer_{*this};
  EndTimer end_timer_{*this};
  sync::Signal* on_end_ = nullptr;
  std::uint64_t awaited_ = 0;  // the submission whose result the modem waits for; 0: none
  std::uint32_t generation_;
  bool hung_up_ = false;  // nothing more to read
  bool ended_ = false;    // nothing more to write
  async::WaitList drained_;
  std::array<std::uint8_t, 256> input_;
  async::TaskSlot<4096> reader_;
  async::TaskSlot<2048> writer_;
};

/// All programs to which this node is a KISS modem: takes streams in, lets ended ones go.
class KissServer {
 public:
  /// `password` guards those who come by network; empty: there is none.
  KissServer(Service& service, Random& random, std::string_view password);
  KissServer(const KissServer&) = delete;
  KissServer& operator=(const KissServer&) = delete;
  ~KissServer() { stop(); }

  void start();
  void stop();
  /// Begins a connection; closes the stream if there are too many.
  void adopt_remote(std::unique_ptr<async::Stream> stream);
  void adopt_local(std::unique_ptr<async::Stream> stream);
  std::size_t connection_count() const;
  std::uint64_t turned_away() const { return turned_away_; }

 private:
  void adopt(std::unique_ptr<async::Stream> stream,
             std::string_view password,
             std::string_view name);
  async::Task<> reap();

  Service& service_;
  Random& random_;
  const std::string password_;
  const mesh::Identity identity_;
  sync::Signal ended_;
  std::array<std::unique_ptr<KissConnection>, Service::kRemote> connections_;
  std::uint64_t turned_away_ = 0;
  async::TaskSlot<1024> slot_;
};

}  // namespace chappe::client
