#include "chappe/port/linux/record_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "chappe/async/executor.h"
#include "chappe/port/linux/linux_port.h"

namespace chappe::port {
namespace {

class RecordFileThreads : public testing::Test {
 protected:
  RecordFileThreads() {
    char path[] = "/tmp/chappe-records-XXXXXX";
    directory_ = ::mkdtemp(path);
  }
  ~RecordFileThreads() override { std::filesystem::remove_all(directory_); }
  auto open() { return RecordFile::open(executor_.wakes(), directory_ + "/file", 64, 10); }

  std::string directory_;
  LinuxPort port_;
  async::Executor executor_{port_};
};

TEST_F(RecordFileThreads, KeepsRecordsAndReservesItsRoom) {
  std::array<std::uint8_t, 64> record{};
  {
    const auto file = open();
    ASSERT_TRUE(file) << file.error();
    EXPECT_TRUE((*file)->read(9, record));
    EXPECT_EQ(record, (std::array<std::uint8_t, 64>{}));
    record.fill(7);
    EXPECT_TRUE((*file)->write(3, record));
  }
  EXPECT_EQ(std::filesystem::file_size(directory_ + "/file"), 640u);
  struct stat status{};
  ASSERT_EQ(::stat((directory_ + "/file").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  const auto again = open();
  ASSERT_TRUE(again);
  std::array<std::uint8_t, 64> found{};
  EXPECT_TRUE((*again)->read(3, found));
  EXPECT_EQ(found, record);
}

TEST_F(RecordFileThreads, SyncsWhatWasAskedForAndSaysSo) {
  const auto file = open();
  ASSERT_TRUE(file);
  const std::array<std::uint8_t, 64> record{1};
  std::uint32_t asked = 0;
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_TRUE((*file)->write(i, record));
    asked = (*file)->ask_sync();
  }
  EXPECT_EQ(asked, 10u);
  while ((*file)->synced() != asked) executor_.sleep();
  EXPECT_TRUE((*file)->healthy());
  while (executor_.step()) {
  }
}

TEST_F(RecordFileThreads, RefusesASecondUserAndWhatIsNotForItsOwnerAlone) {
  {
    const auto file = open();
    ASSERT_TRUE(file);
    const auto second = open();
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().find("another process is using it"), std::string::npos);
  }
  ::chmod((directory_ + "/file").c_str(), 0644);
  const auto open_to_all = open();
  ASSERT_FALSE(open_to_all);
  EXPECT_NE(open_to_all.error().find("its owner alone"), std::string::npos);
}

}  // namespace
}  // namespace chappe::port
