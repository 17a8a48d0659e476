#include "chappe/port/linux/recorder_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "chappe/sync/recorder_image.h"

namespace chappe::port {
namespace {

class RecorderFileTest : public testing::Test {
 protected:
  RecorderFileTest() {
    char path[] = "/tmp/chappe-recorder-XXXXXX";
    directory_ = ::mkdtemp(path);
    path_ = directory_ + "/recorder";
  }
  ~RecorderFileTest() override { std::filesystem::remove_all(directory_); }

  static std::vector<std::uint8_t> bytes(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  // What the runs that left these files noted: the second number of each kick.
  static std::uint32_t kick_in(const std::string& path) {
    const auto copy = bytes(path);
    const auto image = sync::RecorderImage::open(copy);
    std::uint32_t number = 0;
    if (!image) return number;
    image->for_each([&](const auto& entry) {
      if (entry.note == static_cast<std::uint32_t>(Note::kick)) number = entry.b;
    });
    return number;
  }
  void run(std::uint32_t number) const {
    const auto file = RecorderFile::create(path_, "test 1");
    ASSERT_TRUE(file) << file.error();
    note(Note::kick, 0, number);
  }

  std::string directory_;
  std::string path_;
};

TEST_F(RecorderFileTest, IsThereForItsOwnerWhileTheProcessRuns) {
  const auto file = RecorderFile::create(path_, "test 1");
  ASSERT_TRUE(file) << file.error();
  EXPECT_EQ((*file)->before(), "");
  note(Note::kick, 0, 7);
  EXPECT_EQ(kick_in(path_), 7u);
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(RecorderFileTest, ARestartMovesTheFileAsideAndKeepsFive) {
  for (std::uint32_t i = 1; i <= 7; ++i) run(i);
  EXPECT_EQ(kick_in(path_), 7u);
  for (int age = 1; age < RecorderFile::kKept; ++age) {
    EXPECT_EQ(kick_in(path_ + "." + std::to_string(age)), 7u - static_cast<unsigned>(age));
  }
  EXPECT_FALSE(std::filesystem::exists(path_ + "." + std::to_string(RecorderFile::kKept)));
}

TEST_F(RecorderFileTest, ASecondProcessLeavesTheFileOfALivingOneAlone) {
  const auto file = RecorderFile::create(path_, "test 1");
  ASSERT_TRUE(file);
  note(Note::kick, 0, 7);
  const auto second = RecorderFile::create(path_, "test 1");
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().find("another chappe records here"), std::string::npos);
  EXPECT_EQ(kick_in(path_), 7u);
  EXPECT_FALSE(std::filesystem::exists(path_ + ".1"));
}

TEST_F(RecorderFileTest, SaysWhyThereIsNone) {
  const auto nowhere = RecorderFile::create(directory_ + "/none/recorder", "test 1");
  ASSERT_FALSE(nowhere);
  EXPECT_NE(nowhere.error().find("cannot create: No such file"), std::string::npos)
      << nowhere.error();
  std::filesystem::create_directory(path_);
  EXPECT_FALSE(RecorderFile::create(path_, "test 1"));
}

}  // namespace
}  // namespace chappe::port
