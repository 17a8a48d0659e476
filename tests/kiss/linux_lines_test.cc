// The lines that lead to a modem, and those on which we are one, as Linux has them.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>

#include "chappe/async/sleep.h"
#include "chappe/port/linux/linux_port.h"
#include "chappe/port/linux/pty.h"
#include "chappe/port/linux/serial_line.h"
#include "chappe/port/linux/tcp.h"
#include "chappe/radio/airtime.h"
#include "chappe/radio/kiss/modem_radio.h"
#include "chappe/radio/radio_contract.h"
#include "chappe/sim/air_log.h"
#include "tests/kiss/air_modem.h"

namespace chappe::test {
namespace {

using radio::contract::kOurs;
using radio::contract::kTheirs;
using radio::contract::Sending;

// A second on a machine that is busy with other things.
constexpr Duration kPatience = seconds(20);

class Lines : public testing::Test {
 protected:
  Lines() {
    char path[] = "/tmp/chappe-lines-XXXXXX";
    home_ = ::mkdtemp(path);
  }
  ~Lines() override { std::filesystem::remove_all(home_); }

  // Runs until `done`; false if that takes too long.
  bool run_until(const std::function<bool()>& done) {
    done_ = done;
    const Time deadline = executor_.now() + kPatience;
    executor_.spawn(watcher_, "watcher", &Lines::watch, this, deadline);
    executor_.run();
    return executor_.now() < deadline;
  }

  async::Task<> watch(Time deadline) {
    while (!done_() && executor_.now() < deadline) {
      co_await async::sleep_for(executor_, milliseconds(2));
    }
    executor_.stop();
  }

  std::function<bool()> done_;
  std::string home_;
  port::LinuxPort port_;
  async::Executor executor_{port_};
  async::TaskSlot<1024> watcher_;
};

/// A board at the other end of a stream.
class Board {
 public:
  Board(async::Executor& executor, sim::Air& air) : executor_(executor), modem(executor, air, {}) {
    modem.power_up();
    modem.line = [this](std::string& output) {
      output_ += output;
      output.clear();
      wake_.set(1);
    };
  }

  void plug_into(std::unique_ptr<async::Stream> stream) {
    unplug();
    stream_ = std::move(stream);
    executor_.spawn(reader_, "board reader", &Board::read, this);
    executor_.spawn(writer_, "board writer", &Board::write, this);
  }
  void unplug() {
    reader_.cancel();
    writer_.cancel();
    stream_.reset();
  }

 private:
  async::Task<> read() {
    std::array<std::uint8_t, 256> bytes;
    for (;;) {
      const auto count = co_await stream_->read(bytes);
      if (!count) co_return;
      modem.receive(Bytes(bytes).first(*count));
    }
  }
  async::Task<> write() {
    for (;;) {
      co_await wake_.wait(1);
      const std::string out = std::exchange(output_, {});
      const Bytes bytes(reinterpret_cast<const std::uint8_t*>(out.data()), out.size());
      const auto written = co_await stream_->write(bytes);
      if (!written) co_return;
    }
  }

  async::Executor& executor_;
  std::string output_;
  std::unique_ptr<async::Stream> stream_;
  sync::Flags wake_{executor_.wakes()};
  async::TaskSlot<4096> reader_;
  async::TaskSlot<4096> writer_;

 public:
  AirModem modem;
};

struct Stranger final : sim::Antenna {
  bool on_frame(const radio::Frame&) noexcept override { return true; }
  void on_radiated(Time, Duration) noexcept override {}
};

class ModemOnALine : public Lines {
 protected:
  ModemOnALine() {
    air_.connect(board_.modem.station(), stranger_at_, sim::link_of_snr(5));
    air_.listen(log_);
  }

  // One frame each way.
  void expect_to_work(radio::kiss::ModemRadio& radio) {
    ASSERT_TRUE(run_until([&] { return radio.is_ready(); }));
    Sending sending(executor_, radio, kOurs);
    sending.start();
    ASSERT_TRUE(run_until([&] { return sending.ended(); }));
    EXPECT_TRUE(sending.outcome());
    EXPECT_EQ(log_.entries().size(), 1u);

    air_.radiate(stranger_at_, kTheirs);
    radio::Frame frame;
    ASSERT_TRUE(run_until([&] { return radio.take(frame); }));
    EXPECT_TRUE(std::ranges::equal(frame.bytes.view(), kTheirs));
    EXPECT_EQ(frame.snr, Decibels{20});
  }

  sim::Air air_{executor_, 2};
  sim::AirLog log_;
  Stranger stranger_;
  sim::StationId stranger_at_ = air_.join(stranger_, radio::Modulation{});
  Board board_{executor_, air_};
};

TEST_F(ModemOnALine, WorksThroughASerialLine) {
  const int board_end = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(board_end, 0);
  ::grantpt(board_end);
  ::unlockpt(board_end);
  const std::string path = ::ptsname(board_end);
  // Held open, or the board's end would be hung up before we come.
  const port::OwnedFd held(::open(path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  board_.plug_into(std::make_unique<port::DescriptorStream>(port_, executor_.wakes(), board_end));
  port::SerialLine line(port_, executor_.wakes(), path, 115'200);
  radio::kiss::ModemRadio radio(executor_, line, {}, 14);
  radio.start();
  expect_to_work(radio);

  termios settings{};
  ASSERT_EQ(::tcgetattr(held.get(), &settings), 0);
  EXPECT_EQ(::cfgetispeed(&settings), static_cast<speed_t>(B115200));
  EXPECT_EQ(settings.c_lflag & (ECHO | ICANON | ISIG), 0u);
  radio.stop();
  board_.unplug();
}

TEST_F(ModemOnALine, WorksThroughAConnectionAndComesBackAfterItBroke) {
  const auto addresses = port::resolve("127.0.0.1", 0);
  ASSERT_TRUE(addresses);
  auto listener = port::TcpListener::listen(port_, executor_.wakes(), addresses->front());
  ASSERT_TRUE(listener) << listener.error();
  struct Door {
    async::Task<> open() {
      for (;;) {
        const int fd = co_await listener.accept();
        ++count;
        board.plug_into(std::make_unique<port::DescriptorStream>(port, executor.wakes(), fd));
      }
    }
    port::TcpListener& listener;
    Board& board;
    port::LinuxPort& port;
    async::Executor& executor;
    int count = 0;
  } door{**listener, board_, port_, executor_};
  async::TaskSlot<2048> slot;
  executor_.spawn(slot, "door", &Door::open, &door);

  port::TcpLine line(port_, executor_.wakes(), "board", {(*listener)->address()});
  radio::kiss::ModemRadio radio(executor_, line, {}, 14);
  radio.start();
  expect_to_work(radio);

  board_.unplug();
  ASSERT_TRUE(run_until([&] { return !radio.is_ready(); }));
  ASSERT_TRUE(run_until([&] { return radio.is_ready(); }));
  EXPECT_EQ(door.count, 2);
  radio.stop();
  board_.unplug();
  slot.cancel();
}

class OneOpening {
 public:
  explicit OneOpening(async::Line& line) : line_(line) {}
  async::Task<> run() {
    const auto opened = co_await line_.open();
    ok = opened.has_value();
  }
  std::optional<bool> ok;

 private:
  async::Line& line_;
};

TEST_F(Lines, SayWhyTheyCannotBeOpened) {
  const std::string file = home_ + "/file";
  ::close(::open(file.c_str(), O_CREAT | O_WRONLY, 0600));
  port::SerialLine nowhere(port_, executor_.wakes(), home_ + "/nowhere", 9600);
  port::SerialLine no_line(port_, executor_.wakes(), file, 9600);
  const auto closed = port::resolve("127.0.0.1", 1);
  ASSERT_TRUE(closed);
  port::TcpLine nobody(port_, executor_.wakes(), "nobody", *closed);
  for (async::Line* line : std::initializer_list<async::Line*>{&nowhere, &no_line, &nobody}) {
    OneOpening opening(*line);
    async::TaskSlot<2048> slot;
    executor_.spawn(slot, "opening", &OneOpening::run, &opening);
    ASSERT_TRUE(run_until([&] { return opening.ok.has_value(); }));
    EXPECT_FALSE(*opening.ok);
  }
  EXPECT_EQ(nowhere.trouble(), "cannot be opened: No such file or directory");
  EXPECT_EQ(no_line.trouble(), "is no serial line: Inappropriate ioctl for device");
  EXPECT_EQ(nobody.trouble(), "cannot be reached: Connection refused");
}

TEST_F(Lines, KnowTheirOwnMachine) {
  EXPECT_TRUE(port::resolve("127.8.0.1", 1)->front().is_loopback());
  EXPECT_TRUE(port::resolve("::1", 1)->front().is_loopback());
  EXPECT_FALSE(port::resolve("0.0.0.0", 1)->front().is_loopback());
  EXPECT_FALSE(port::resolve("::", 1)->front().is_loopback());
  EXPECT_EQ(port::resolve("::1", 8001)->front().print(), "[::1]:8001");
}

class Ptys : public Lines {
 protected:
  Ptys() {
    auto listener = port::PtyListener::listen(port_, executor_.wakes(), home_ + "/kiss");
    if (listener) listener_ = std::move(*listener);
    executor_.spawn(slot_, "door", &Ptys::open, this);
  }
  ~Ptys() override {
    slot_.cancel();
    for (const int fd : ends_) ::close(fd);
  }

  async::Task<> open() {
    for (;;) {
      const int fd = co_await listener_->accept();
      ends_.push_back(fd);
    }
  }

  std::unique_ptr<port::PtyListener> listener_;
  std::vector<int> ends_;
  async::TaskSlot<2048> slot_;
};

TEST_F(Ptys, GiveEachProgramThatOpensTheLinkALineOfItsOwn) {
  ASSERT_NE(listener_, nullptr);
  const Time until = executor_.now() + milliseconds(100);
  ASSERT_TRUE(run_until([&] { return executor_.now() > until; }));
  EXPECT_TRUE(ends_.empty()) << "nobody has opened it";
  const port::OwnedFd one(::open(listener_->path().c_str(), O_RDWR | O_NOCTTY));
  ASSERT_GE(one.get(), 0);
  ASSERT_TRUE(run_until([&] { return ends_.size() == 1; }));
  const port::OwnedFd two(::open(listener_->path().c_str(), O_RDWR | O_NOCTTY));
  ASSERT_TRUE(run_until([&] { return ends_.size() == 2; }));

  // Raw both ways, and each for itself.
  const std::string sent("\xc0\x03\x0d\n\x11", 5);
  ASSERT_EQ(::write(one.get(), sent.data(), sent.size()), 5);
  char got[16] = {};
  ASSERT_EQ(::read(ends_[0], got, sizeof got), 5);
  EXPECT_EQ(std::string(got, 5), sent);
  EXPECT_LT(::read(ends_[1], got, sizeof got), 0);
  ASSERT_EQ(::write(ends_[1], sent.data(), sent.size()), 5);
  ASSERT_EQ(::read(two.get(), got, sizeof got), 5);
  EXPECT_EQ(std::string(got, 5), sent);
}

TEST_F(Ptys, RemoveTheirLinkAndReplaceWhatADeadProcessLeft) {
  ASSERT_NE(listener_, nullptr);
  slot_.cancel();
  const std::string path = listener_->path();
  listener_.reset();
  EXPECT_FALSE(std::filesystem::exists(std::filesystem::symlink_status(path)));
  std::filesystem::create_symlink("/dev/pts/nowhere", path);
  auto again = port::PtyListener::listen(port_, executor_.wakes(), path);
  ASSERT_TRUE(again) << again.error();
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST_F(Lines, DoNotReplaceAFileByALink) {
  const std::string file = home_ + "/file";
  ::close(::open(file.c_str(), O_CREAT | O_WRONLY, 0600));
  const auto listener = port::PtyListener::listen(port_, executor_.wakes(), file);
  ASSERT_FALSE(listener);
  EXPECT_NE(listener.error().find("move it away"), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_regular_file(file));
}

}  // namespace
}  // namespace chappe::test
