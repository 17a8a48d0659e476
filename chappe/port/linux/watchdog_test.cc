#include "chappe/port/linux/watchdog.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "chappe/async/executor.h"
#include "chappe/async/sleep.h"
#include "chappe/base/note.h"
#include "chappe/port/linux/recorder_file.h"
#include "chappe/sync/recorder_image.h"

namespace chappe::port {
namespace {

void busy_for(Duration span) {
  const auto end = std::chrono::steady_clock::now() + span;
  while (std::chrono::steady_clock::now() < end) {
  }
}

async::Task<> rest_for(async::Executor& executor, Duration span) {
  co_await async::sleep_for(executor, span);
  executor.stop();
}

async::Task<> keep(async::Executor& executor, Duration span) {
  busy_for(span);
  executor.stop();
  co_return;
}

async::Task<> come_round_for(async::Executor& executor, Duration span) {
  const Time end = executor.now() + span;
  while (executor.now() < end) {
    busy_for(milliseconds(2));
    co_await async::sleep_for(executor, milliseconds(1));
  }
  executor.stop();
}

async::Task<> keep_for_ever() {
  for (;;) busy_for(seconds(1));
  co_return;
}

/// A process of its own, with an executor, a watchdog and a recorder.
class WatchdogTest : public testing::Test {
 protected:
  WatchdogTest() {
    char path[] = "/tmp/chappe-watchdog-XXXXXX";
    directory_ = ::mkdtemp(path);
  }
  ~WatchdogTest() override { std::filesystem::remove_all(directory_); }

  template <class Body>
  pid_t start(Body body) const {
    const pid_t child = ::fork();
    if (child != 0) return child;
    std::signal(SIGABRT, SIG_DFL);
    ::close(STDERR_FILENO);
    const auto recorder = RecorderFile::create(directory_ + "/recorder", "test 1");
    body();
    ::_exit(0);
  }
  static int status_of(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }
  std::vector<std::uint8_t> evidence() const {
    std::ifstream in(directory_ + "/recorder", std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::string directory_;
};

TEST_F(WatchdogTest, AHangingTaskPanicsWhereItHangsAndTheRecordNamesIt) {
  const pid_t child = start([] {
    LinuxPort port;
    async::Executor executor(port);
    Watchdog watchdog(port, milliseconds(200), Watchdog::Action::panic);
    async::TaskSlot<1024> slot;
    executor.spawn(slot, "spinner", keep_for_ever);
    executor.run();
  });
  EXPECT_EQ(status_of(child), -SIGABRT);
  const auto copy = evidence();
  const auto image = sync::RecorderImage::open(copy);
  ASSERT_TRUE(image);
  const auto panic = image->panic();
  ASSERT_TRUE(panic);
  EXPECT_EQ(panic->words(panic->record.what),
            "watchdog: the executor does not come round: task 'spinner' keeps it");
  EXPECT_EQ(panic->words(panic->record.agent), "spinner");
  EXPECT_EQ(panic->record.code, static_cast<std::uint16_t>(PanicCode::watchdog));
}

TEST_F(WatchdogTest, AThreadThatTakesNoSignalIsToldAboutByTheWatchdog) {
  const pid_t child = start([] {
    LinuxPort port;
    async::Executor executor(port);
    Watchdog watchdog(port, milliseconds(100), Watchdog::Action::panic);
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    for (;;) busy_for(seconds(1));
  });
  EXPECT_EQ(status_of(child), -SIGABRT);
  const auto copy = evidence();
  const auto panic = sync::RecorderImage::open(copy)->panic();
  ASSERT_TRUE(panic);
  EXPECT_EQ(panic->words(panic->record.what),
            "watchdog: the executor has not come round for 100 ms, and takes no signal");
}

TEST_F(WatchdogTest, AStoppedProcessIsNoHang) {
  const pid_t child = start([] {
    LinuxPort port;
    async::Executor executor(port);
    Watchdog watchdog(port, milliseconds(400), Watchdog::Action::panic);
    async::TaskSlot<1024> slot;
    executor.spawn(slot, "worker", come_round_for, executor, milliseconds(1500));
    executor.run();
    if (watchdog.hang_count() != 0) ::_exit(3);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  ::kill(child, SIGSTOP);
  std::this_thread::sleep_for(std::chrono::milliseconds(1200));
  ::kill(child, SIGCONT);
  EXPECT_EQ(status_of(child), 0);
}

TEST(Watchdog, SleepsAsLongAsTheExecutorSleeps) {
  LinuxPort port;
  async::Executor executor(port);
  Watchdog watchdog(port, milliseconds(40), Watchdog::Action::report);
  async::TaskSlot<1024> slot;
  executor.spawn(slot, "sleeper", rest_for, executor, milliseconds(600));
  executor.run();
  // One look at the start, one that finds it asleep and parks, and one for its wake.
  EXPECT_LE(watchdog.look_count(), 4u) << "60 looks would fit";
  EXPECT_EQ(watchdog.hang_count(), 0u);
}

TEST(Watchdog, WakesUpWithTheExecutorAndReportsAHangAfterASleepOnce) {
  LinuxPort port;
  async::Executor executor(port);
  Watchdog watchdog(port, milliseconds(100), Watchdog::Action::report);
  async::TaskSlot<1024> slot;
  executor.spawn(slot, "sleeper", rest_for, executor, milliseconds(200));
  executor.run();
  EXPECT_EQ(watchdog.hang_count(), 0u);
  executor.spawn(slot, "keeper", keep, executor, milliseconds(500));
  executor.run();
  EXPECT_EQ(watchdog.hang_count(), 1u);
}

TEST(Watchdog, ABusyExecutorThatComesRoundIsNoHang) {
  LinuxPort port;
  async::Executor executor(port);
  Watchdog watchdog(port, milliseconds(400), Watchdog::Action::report);
  async::TaskSlot<1024> slot;
  executor.spawn(slot, "worker", come_round_for, executor, milliseconds(900));
  executor.run();
  EXPECT_EQ(watchdog.hang_count(), 0u);
}

}  // namespace
}  // namespace chappe::port
