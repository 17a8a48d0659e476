#include "chappe/port/linux/files/private_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace chappe::port {
namespace {

using testing::HasSubstr;

class PrivateFile : public testing::Test {
 protected:
  PrivateFile() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "chappe-private-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    path_ = (root_ / "secret").string();
  }
  ~PrivateFile() override { std::filesystem::remove_all(root_); }

  std::size_t files() const {
    const std::filesystem::directory_iterator all(root_);
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }

  std::filesystem::path root_;
  std::string path_;
};

TEST_F(PrivateFile, ReadsBackWhatWasCreated) {
  const std::string bytes("a\0b\n", 4);
  EXPECT_TRUE(create_private_file(path_, bytes, "1").value());
  EXPECT_EQ(read_private_file(path_, 100).value(), bytes);
  EXPECT_EQ(files(), 1u);
}

TEST_F(PrivateFile, IsNeverOverwritten) {
  ASSERT_TRUE(create_private_file(path_, "first", "1").value());
  EXPECT_FALSE(create_private_file(path_, "second", "2").value());
  EXPECT_EQ(read_private_file(path_, 100).value(), "first");
  EXPECT_EQ(files(), 1u);  // no draft is left
}

TEST_F(PrivateFile, LeavesTheDraftOfAnotherAlone) {
  std::ofstream(path_ + ".1") << "not mine";
  EXPECT_FALSE(create_private_file(path_, "mine", "1"));
  EXPECT_TRUE(std::filesystem::exists(path_ + ".1"));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(PrivateFile, ReadsOneByteMoreThanAskedSoThatTooMuchShows) {
  ASSERT_TRUE(create_private_file(path_, "12345", "1").value());
  EXPECT_EQ(read_private_file(path_, 5).value(), "12345");
  EXPECT_EQ(read_private_file(path_, 4).value(), "12345");
  EXPECT_EQ(read_private_file(path_, 2).value(), "123");
}

TEST_F(PrivateFile, TellsNoFileFromAnUnreadableOne) {
  EXPECT_EQ(read_private_file(path_, 5).value(), std::nullopt);
  const auto below = read_private_file(path_ + "/below", 5);
  EXPECT_TRUE(below && !*below);  // no directory, so no file
  ASSERT_TRUE(create_private_file(path_, "x", "1").value());
  const auto through = read_private_file(path_ + "/below", 5);
  ASSERT_FALSE(through);
  EXPECT_THAT(through.error(), HasSubstr("Not a directory"));
}

TEST_F(PrivateFile, MakesADirectoryOnceWithItsParents) {
  const std::string deep = (root_ / "a" / "b" / "c").string();
  EXPECT_TRUE(make_private_directory(deep).value());
  EXPECT_FALSE(make_private_directory(deep).value());
  EXPECT_FALSE(make_private_directory(deep + "/").value());
  EXPECT_TRUE(make_private_directory(deep + "/d//").value());
  EXPECT_FALSE(make_private_directory("/").value());
}

TEST_F(PrivateFile, RefusesADirectoryThatOthersMayWrite) {
  ASSERT_EQ(::chmod(root_.c_str(), 0777), 0);
  const auto made = make_private_directory(root_.string());
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error(), HasSubstr("others may write here"));
}

}  // namespace
}  // namespace chappe::port
