#include "chappe/client/json_connection.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "chappe/async/sleep.h"
#include "chappe/base/random.h"
#include "chappe/client/json_request.h"
#include "chappe/port/linux/linux_port.h"
#include "chappe/port/linux/unix_socket.h"
#include "chappe/sim/scripted_radio.h"
#include "chappe/tx/ledger.h"

namespace chappe::client {
namespace {

/// The other end of a socket, on a thread of its own, with calls that block: a real client.
class BlockingClient {
 public:
  explicit BlockingClient(int fd) : fd_(fd) {}
  ~BlockingClient() { ::close(fd_); }
  void say(const std::string& text) {
    ASSERT_EQ(::write(fd_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void hang_up() { ::shutdown(fd_, SHUT_WR); }
  /// The next line; empty at the end.
  std::string line() {
    for (;;) {
      const std::size_t end = unread_.find('\n');
      if (end != std::string::npos) {
        std::string first = unread_.substr(0, end);
        unread_.erase(0, end + 1);
        return first;
      }
      char buffer[4096];
      const ssize_t count = ::read(fd_, buffer, sizeof buffer);
      if (count <= 0) return {};
      unread_.append(buffer, static_cast<std::size_t>(count));
    }
  }

 private:
  int fd_;
  std::string unread_;
};

class JsonConnectionTest : public testing::Test {
 protected:
  JsonConnectionTest() {
    repeater_.start();
    server_.start();
  }
  ~JsonConnectionTest() override {
    server_.stop();
    repeater_.stop();
  }

  /// Runs the node until the client's function returns, on its own thread.
  void with_client(const std::function<void(BlockingClient&)>& behave) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    server_.adopt(std::make_unique<port::DescriptorStream>(port_, executor_.wakes(), ends[0]));
    sync::Signal done(executor_.wakes());
    async::TaskSlot<1024> slot;
    struct Wait {
      static async::Task<> run(sync::Signal& signal, async::Executor& executor) {
        co_await signal.next();
        executor.stop();
      }
    };
    executor_.spawn(slot, "wait for the client", Wait::run, done, executor_);
    std::thread client([&] {
      BlockingClient blocking(ends[1]);
      behave(blocking);
      done.set();
    });
    executor_.run();
    client.join();
  }

  port::LinuxPort port_;
  async::Executor executor_{port_};
  SeededRandom random_{1};
  sim::ScriptedRadio radio_{executor_};
  std::array<tx::Rule, 1> rules_{tx::Rule{hours(1), seconds(360)}};
  tx::Ledger ledger_{rules_};
  node::Repeater repeater_{executor_,
                           radio_,
                           ledger_,
                           random_,
                           node::Settings{},
                           mesh::Identity{mesh::PublicKey{0x42}, {}}};
  Service service_{executor_, repeater_};
  JsonServer server_{service_};
};

using JsonConnectionThreads = JsonConnectionTest;

bool has(const std::string& line, const std::string& part) {
  return line.find(part) != std::string::npos;
}

TEST_F(JsonConnectionThreads, SubscribesSubmitsAndGetsItsOwnResult) {
  with_client([](BlockingClient& client) {
    client.say("{\"do\":\"subscribe\",\"events\":[\"sent\"],\"ref\":\"s\"}\n");
    EXPECT_EQ(client.line(), "{\"ref\":\"s\",\"reply\":\"subscribe\"}");
    client.say("{\"do\":\"submit\",\"hex\":\"1500010203\",\"ref\":\"x\"}\n");
    EXPECT_EQ(client.line(), "{\"ref\":\"x\",\"reply\":\"submit\",\"id\":1}");
    const std::string first = client.line();
    const std::string second = client.line();
    EXPECT_TRUE(has(first + second, "\"event\":\"sent\",\"id\":1,\"local\":true")) << first;
    EXPECT_TRUE(has(first + second, "\"event\":\"result\",\"id\":1,\"sent\":true")) << second;
  });
}

TEST_F(JsonConnectionThreads, AnswersNonsenseWithWordsAndLivesOn) {
  with_client([](BlockingClient& client) {
    client.say("hello\n");
    EXPECT_TRUE(has(client.line(), "this line is not JSON"));
    client.say("[1,2]\n");
    EXPECT_TRUE(has(client.line(), "a request is a JSON object"));
    client.say("{\"do\":\"dance\",\"ref\":\"r\"}\n");
    const std::string unknown = client.line();
    EXPECT_TRUE(has(unknown, "\"ref\":\"r\",\"code\":\"malformed\",\"error\":")) << unknown;
    client.say("{\"do\":\"submit\",\"hex\":\"0g\"}\n{\"do\":\"submit\",\"hex\":\"00\"}\n");
    EXPECT_TRUE(has(client.line(), "hexadecimal"));
    EXPECT_TRUE(has(client.line(), "not a packet: "));
    client.say("{\"do\":\"submit\",\"hex\":\"1500\",\"delay_ms\":-1}\n");
    EXPECT_TRUE(has(client.line(), "delay_ms"));
    client.say("{\"do\":\"subscribe\",\"events\":[\"seen\"]}\n");
    EXPECT_TRUE(has(client.line(), "knows heard, judged"));
    client.say(std::string("\0\xff\xfe", 3) + "\n{\"do\":\"sta");
    client.say("tus\"}\n");
    EXPECT_TRUE(has(client.line(), "this line is not JSON"));
    EXPECT_TRUE(has(client.line(), "\"reply\":\"status\""));
  });
}

TEST_F(JsonConnectionThreads, ALineThatIsTooLongIsAnsweredAndTheConnectionLivesOn) {
  with_client([](BlockingClient& client) {
    client.say(std::string(50'000, 'x'));
    client.say("{\"do\":\"status\"}\n{\"do\":\"status\",\"ref\":\"next\"}\n");
    EXPECT_TRUE(has(client.line(), "longer than 4095 bytes"));
    EXPECT_TRUE(has(client.line(), "\"ref\":\"next\""));  // the rest of the long line is skipped
  });
}

TEST_F(JsonConnectionThreads, AClientThatStopsTalkingStillGetsItsAnswer) {
  with_client([](BlockingClient& client) {
    client.say("{\"do\":\"status\"}\n");
    client.hang_up();
    EXPECT_TRUE(has(client.line(), "\"reply\":\"status\""));
    EXPECT_EQ(client.line(), "");
  });
}

TEST_F(JsonConnectionThreads, AClientThatStopsTalkingStillGetsItsResult) {
  with_client([](BlockingClient& client) {
    client.say("{\"do\":\"submit\",\"hex\":\"1500010203\"}\n");
    client.hang_up();
    EXPECT_TRUE(has(client.line(), "\"reply\":\"submit\""));
    EXPECT_TRUE(has(client.line(), "\"event\":\"result\""));
    EXPECT_EQ(client.line(), "");
  });
}

TEST_F(JsonConnectionThreads, ARestartIsToldOnce) {
  with_client([](BlockingClient& client) {
    client.say("{\"do\":\"restart-clients\"}\n");
    EXPECT_TRUE(has(client.line(), "\"reply\":\"restart-clients\""));
    EXPECT_EQ(client.line(), "{\"event\":\"restarted\",\"generation\":1}");
    client.say("{\"do\":\"submit\",\"hex\":\"1500010203\"}\n");
    EXPECT_TRUE(has(client.line(), "\"reply\":\"submit\""));
    EXPECT_TRUE(has(client.line(), "\"event\":\"result\""));
  });
}

/// Empty lines without end, as fast as they are read.
class Flood final : public async::Stream {
 public:
  explicit Flood(int& reads) : reads_(reads) {}
  async::Task<Result<std::size_t, async::StreamError>> read(std::span<std::uint8_t> out) override {
    if (++reads_ > 1000) co_return Unexpected(async::StreamError::closed);
    std::ranges::fill(out, std::uint8_t{'\n'});
    co_return out.size();
  }
  async::Task<Result<void, async::StreamError>> write(Bytes) override {
    co_return Result<void, async::StreamError>();
  }

 private:
  int& reads_;
};

TEST_F(JsonConnectionTest, AClientThatFloodsHasOneReadAStepAndNoMore) {
  int reads = 0;
  server_.adopt(std::make_unique<Flood>(reads));
  for (int i = 0; i < 10; ++i) executor_.step();
  EXPECT_GE(reads, 2);
  EXPECT_LE(reads, 10);
}

// Fifty connections that have said their hello and wait: nobody wakes up for them.
TEST_F(JsonConnectionThreads, FiftyIdleClientsMakeNoWakeUps) {
  struct Tasks {
    static async::Task<> stop_after(async::Executor& executor, Duration span) {
      co_await async::sleep_for(executor, span);
      executor.stop();
    }
  };
  const auto waits_in = [&](Duration span) {
    async::TaskSlot<1024> slot;
    executor_.spawn(slot, "stop", Tasks::stop_after, executor_, span);
    const std::uint64_t before = port_.wait_count();
    executor_.run();
    return port_.wait_count() - before;
  };
  waits_in(milliseconds(50));
  const std::uint64_t without = waits_in(milliseconds(300));
  std::vector<int> clients;
  for (int i = 0; i < 50; ++i) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    server_.adopt(std::make_unique<port::DescriptorStream>(port_, executor_.wakes(), ends[0]));
    const std::string words = "{\"do\":\"hello\"}\n{\"do\":\"subscribe\"}\n";
    ASSERT_GT(::write(ends[1], words.data(), words.size()), 0);
    clients.push_back(ends[1]);
  }
  waits_in(milliseconds(100));  // they are answered
  EXPECT_EQ(server_.connection_count(), 50u);
  EXPECT_EQ(waits_in(milliseconds(300)), without);
  for (const int fd : clients) ::close(fd);
}

// The system refuses to watch a plain file: its connection ends, and nothing else does.
TEST_F(JsonConnectionThreads, ADescriptorThatCannotBeWatchedEndsItsOwnConnectionOnly) {
  char path[] = "/tmp/chappe-watch-XXXXXX";
  const int fd = ::mkstemp(path);
  ::unlink(path);
  port::Descriptor descriptor(port_, executor_.wakes(), fd);
  EXPECT_FALSE(descriptor.watched());
  server_.adopt(std::make_unique<port::DescriptorStream>(port_, executor_.wakes(), fd));
  with_client([](BlockingClient& client) {
    client.say("{\"do\":\"status\"}\n");
    EXPECT_TRUE(has(client.line(), "\"clients\":1"));
  });
}

TEST(JsonRequest, TakesDefaultsAndChecksRanges) {
  const auto request = parse_request("{\"do\":\"submit\",\"hex\":\"1500aB\"}");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->frame, (std::vector<std::uint8_t>{0x15, 0x00, 0xab}));
  EXPECT_EQ(request->priority, 1);
  EXPECT_FALSE(parse_request("{\"do\":\"submit\",\"hex\":\"15\",\"priority\":256}"));
  EXPECT_FALSE(parse_request("{\"do\":\"submit\"}"));
  EXPECT_FALSE(parse_request("{\"do\":\"submit\",\"hex\":\"" + std::string(512, '0') + "\"}"));
  EXPECT_FALSE(parse_request("{\"do\":7}"));
  EXPECT_FALSE(parse_request("\xff"));
}

int connect_to(const std::string& path, int flags = 0) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::ranges::copy(path, address.sun_path);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

// Wedged, with a full line at its door: it lives, so its socket is neither waited for nor taken.
TEST(UnixListenerThreads, RespectsALivingSocketThatAcceptsNobody) {
  port::LinuxPort port;
  async::Executor executor(port);
  char directory[] = "/tmp/chappe-socket-XXXXXX";
  ASSERT_NE(::mkdtemp(directory), nullptr);
  const std::string path = std::string(directory) + "/chappe.sock";
  {
    auto wedged = port::UnixListener::listen(port, executor.wakes(), path);
    ASSERT_TRUE(wedged);
    std::vector<int> queue;
    for (int fd = 0; fd >= 0;) {
      fd = connect_to(path, SOCK_NONBLOCK);
      if (fd >= 0) queue.push_back(fd);
    }
    ::alarm(20);  // a test that waits here has failed
    auto second = port::UnixListener::listen(port, executor.wakes(), path);
    ::alarm(0);
    ASSERT_FALSE(second);
    EXPECT_TRUE(has(second.error().words, "another chappe answers here")) << second.error().words;
    for (const int fd : queue) ::close(fd);
  }
  std::filesystem::remove_all(directory);
}

// The descriptors ran out and came back. Nobody else has to connect for the one who waits.
TEST(UnixListenerThreads, AcceptsAgainWhenDescriptorsAreBack) {
  port::LinuxPort port;
  async::Executor executor(port);
  char directory[] = "/tmp/chappe-socket-XXXXXX";
  ASSERT_NE(::mkdtemp(directory), nullptr);
  const std::string path = std::string(directory) + "/chappe.sock";
  {
    auto listener = port::UnixListener::listen(port, executor.wakes(), path);
    ASSERT_TRUE(listener);
    const int client = connect_to(path);
    ASSERT_GE(client, 0);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const rlimit none{static_cast<rlim_t>(client), before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);

    struct Tasks {
      static async::Task<> accept(port::UnixListener& from, int& fd, async::Executor& ex) {
        fd = co_await from.accept();
        ex.stop();
      }
      static async::Task<> relent(async::Executor& ex, const rlimit& limit) {
        co_await async::sleep_for(ex, milliseconds(50));
        ::setrlimit(RLIMIT_NOFILE, &limit);
        co_await async::sleep_for(ex, seconds(5));
        ex.stop();
      }
    };
    int accepted = -1;
    async::TaskSlot<2048> slots[2];
    executor.spawn(slots[0], "accept", Tasks::accept, **listener, accepted, executor);
    executor.spawn(slots[1], "relent", Tasks::relent, executor, before);
    executor.run();
    EXPECT_GE(accepted, 0);
    ::close(accepted);
    ::close(client);
  }
  std::filesystem::remove_all(directory);
}

// The other starter has looked at the dead socket and not yet replaced it.
TEST(UnixListenerThreads, OfTwoStartersAtOnceOneIsRefused) {
  port::LinuxPort port;
  async::Executor executor(port);
  char directory[] = "/tmp/chappe-socket-XXXXXX";
  ASSERT_NE(::mkdtemp(directory), nullptr);
  const std::string path = std::string(directory) + "/chappe.sock";
  const int lock = ::open((path + ".lock").c_str(), O_RDWR | O_CREAT, 0600);
  ASSERT_EQ(::flock(lock, LOCK_EX | LOCK_NB), 0);
  EXPECT_FALSE(port::UnixListener::listen(port, executor.wakes(), path));
  ::close(lock);
  EXPECT_TRUE(port::UnixListener::listen(port, executor.wakes(), path));
  std::filesystem::remove_all(directory);
}

TEST(UnixListenerThreads, ReplacesADeadSocketAndRespectsALivingOne) {
  port::LinuxPort port;
  async::Executor executor(port);
  char directory[] = "/tmp/chappe-socket-XXXXXX";
  ASSERT_NE(::mkdtemp(directory), nullptr);
  const std::string path = std::string(directory) + "/chappe.sock";
  {
    auto first = port::UnixListener::listen(port, executor.wakes(), path);
    ASSERT_TRUE(first);
    auto second = port::UnixListener::listen(port, executor.wakes(), path);
    ASSERT_FALSE(second);
    EXPECT_TRUE(has(second.error().words, "another chappe answers here")) << second.error().words;
  }
  // A process that died left the file: bound, and nobody behind it.
  {
    auto dies = port::UnixListener::listen(port, executor.wakes(), path);
    ASSERT_TRUE(dies);
    ASSERT_EQ(::link(path.c_str(), (path + ".kept").c_str()), 0);
  }
  ASSERT_EQ(::rename((path + ".kept").c_str(), path.c_str()), 0);
  EXPECT_TRUE(port::UnixListener::listen(port, executor.wakes(), path));
  EXPECT_FALSE(port::UnixListener::listen(port, executor.wakes(), "/no/such/place/chappe.sock"));
  EXPECT_FALSE(port::UnixListener::listen(port, executor.wakes(), "/tmp/" + std::string(200, 'x')));
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace chappe::client
