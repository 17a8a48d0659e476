#include "chappe/port/linux/journal/journal_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "chappe/async/executor.h"
#include "chappe/port/linux/linux_port.h"

namespace chappe::port {
namespace {

class JournalFileTest : public testing::Test {
 protected:
  JournalFileTest() {
    char path[] = "/tmp/chappe-journal-XXXXXX";
    folder_ = ::mkdtemp(path);
    path_ = folder_ + "/airtime";
  }
  ~JournalFileTest() override {
    journal_.reset();
    std::filesystem::remove_all(folder_);
  }

  void open() {
    journal_.reset();
    auto opened = JournalFile::open(path_, executor_.wakes());
    ASSERT_TRUE(opened) << opened.error();
    journal_ = std::move(*opened);
  }
  async::Task<> write(std::size_t copy, Bytes record) {
    const bool written = co_await journal_->write(copy, record);
    written_ = written;
    executor_.stop();
  }
  bool run_write(std::size_t copy, Bytes record) {
    executor_.spawn(slot_, "writer", &JournalFileTest::write, this, copy, record);
    executor_.run();
    return written_;
  }

  void cancel_write(std::size_t copy, Bytes record) {
    executor_.spawn(slot_, "writer", &JournalFileTest::write, this, copy, record);
    executor_.step();
    slot_.cancel();
  }

  LinuxPort port_;
  async::Executor executor_{port_};
  std::string folder_;
  std::string path_;
  std::unique_ptr<JournalFile> journal_;
  bool written_ = false;
  async::TaskSlot<2048> slot_;
};

constexpr std::array<std::uint8_t, 3> kOne = {1, 2, 3};
constexpr std::array<std::uint8_t, 4> kOther = {9, 8, 7, 6};

TEST_F(JournalFileTest, KeepsTwoCopiesThatDoNotTouchEachOther) {
  open();
  EXPECT_EQ(journal_->found().place, tx::Found::Place::no_file);
  EXPECT_TRUE(run_write(0, kOne));
  EXPECT_TRUE(run_write(1, kOther));
  EXPECT_TRUE(journal_->write_now(1, kOne));
  open();
  EXPECT_EQ(journal_->found().place, tx::Found::Place::file);
  const auto& copies = journal_->found().copies;
  EXPECT_TRUE(std::ranges::equal(copies[0].view().first(3), kOne));
  EXPECT_TRUE(std::ranges::equal(copies[1].view().first(3), kOne));
  EXPECT_EQ(copies[1][3], 6);  // in place
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(status.st_size, 8192);
}

TEST_F(JournalFileTest, IsForOneProcessAlone) {
  open();
  const auto second = JournalFile::open(path_, executor_.wakes());
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().find("another process"), std::string::npos) << second.error();
}

TEST_F(JournalFileTest, IsRefusedIfOthersMayWriteIt) {
  std::ofstream(path_) << "x";
  ::chmod(path_.c_str(), 0666);
  const auto opened = JournalFile::open(path_, executor_.wakes());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().find(path_), 0u);
}

TEST_F(JournalFileTest, TellsThatTheDiskDoesNotTakeIt) {
  open();
  // Beyond this size the kernel refuses to write, as a full disk does.
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{4096, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  const bool first = run_write(0, kOne);
  const bool second = run_write(1, kOne);
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_TRUE(first);
  EXPECT_FALSE(second);
}

TEST_F(JournalFileTest, AWriteThatWasCancelledDoesNotKeepTheLastOneFromTheDisk) {
  open();
  cancel_write(0, kOther);
  EXPECT_TRUE(journal_->write_now(0, kOne));
  open();
  EXPECT_TRUE(std::ranges::equal(journal_->found().copies[0].view().first(3), kOne));
}

TEST_F(JournalFileTest, ReadsTheClocksOfThisBoot) {
  open();
  const tx::ClockReading first = journal_->clocks();
  const tx::ClockReading second = journal_->clocks();
  EXPECT_EQ(first.boot, second.boot);
  EXPECT_NE(first.boot, tx::BootId{});
  EXPECT_LE(first.now, second.now);
  EXPECT_GT(first.wall_us, 1'600'000'000'000'000);
}

}  // namespace
}  // namespace chappe::port
