#include "chappe/config/identity_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "chappe/config/state_directory.h"

namespace chappe::config {
namespace {

using testing::HasSubstr;

// Invented arithmetic, good enough to tell keys apart: the public key is the front of the private
// key with every bit turned, and the private key is the seed twice.
KeyMath invented_math() {
  return KeyMath{
      .from_seed =
          [](const std::array<std::uint8_t, 32>& seed) {
            Identity identity;
            for (std::size_t i = 0; i < 32; ++i) {
              identity.private_key[i] = identity.private_key[i + 32] = seed[i];
              identity.public_key[i] = static_cast<std::uint8_t>(~seed[i]);
            }
            return identity;
          },
      .public_of =
          [](const std::array<std::uint8_t, 64>& private_key) {
            std::array<std::uint8_t, 32> public_key{};
            for (std::size_t i = 0; i < 32; ++i) {
              public_key[i] = static_cast<std::uint8_t>(~private_key[i]);
            }
            return public_key;
          },
  };
}

/// Whole seeds, each filled with the next of some bytes.
class ScriptedRandom final : public Random {
 public:
  explicit ScriptedRandom(std::vector<std::uint8_t> bytes) : bytes_(std::move(bytes)) {}
  std::uint32_t next() noexcept override {
    const std::size_t seed = std::min(words_++ / 8, bytes_.size() - 1);
    return 0x01010101u * bytes_[seed];
  }
  std::size_t words() const { return words_; }

 private:
  std::vector<std::uint8_t> bytes_;
  std::size_t words_ = 0;
};

class IdentityFile : public testing::Test {
 protected:
  IdentityFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "chappe-id-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    directory_ = root_ / "a" / "b";
    path_ = directory_ / "identity";
  }
  ~IdentityFile() override { std::filesystem::remove_all(root_); }

  Result<StoredIdentity, std::string> open() {
    return load_or_create_identity(directory_.string(), invented_math(), random_);
  }
  std::string error() {
    const auto stored = open();
    return stored ? "" : stored.error();
  }
  std::string text() const {
    std::ifstream file(path_);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string& text) const { std::ofstream(path_) << text; }
  static unsigned mode(const std::filesystem::path& path) {
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return status.st_mode & 07777;
  }

  std::filesystem::path root_;
  std::filesystem::path directory_;
  std::filesystem::path path_;
  SeededRandom random_{1};
};

TEST_F(IdentityFile, IsMadeOnceAndThenLoaded) {
  const auto first = open();
  ASSERT_TRUE(first) << first.error();
  EXPECT_TRUE(first->created);
  EXPECT_TRUE(first->directory_created);
  const std::string text_first = text();

  const auto second = open();
  ASSERT_TRUE(second) << second.error();
  EXPECT_FALSE(second->created);
  EXPECT_FALSE(second->directory_created);
  EXPECT_EQ(second->identity, first->identity);
  EXPECT_EQ(text(), text_first);
}

TEST_F(IdentityFile, IsForItsOwnerAlone) {
  const mode_t before = ::umask(0);
  ASSERT_TRUE(open());
  ::umask(before);
  EXPECT_EQ(mode(path_), 0600u);
  EXPECT_EQ(mode(directory_), 0700u);
  EXPECT_EQ(mode(directory_.parent_path()), 0700u);
}

TEST_F(IdentityFile, LeavesNothingElseBehind) {
  ASSERT_TRUE(open());
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    names.push_back(entry.path().filename());
  }
  EXPECT_EQ(names, std::vector<std::string>{"identity"});
}

TEST_F(IdentityFile, TellsAnExistingDirectoryFromANewOne) {
  std::filesystem::create_directories(directory_);
  const auto stored = open();
  ASSERT_TRUE(stored) << stored.error();
  EXPECT_TRUE(stored->created);
  EXPECT_FALSE(stored->directory_created);
}

TEST_F(IdentityFile, RefusesAKeyThatOthersCanRead) {
  ASSERT_TRUE(open());
  for (const mode_t bit : {0040u, 0020u, 0004u, 0002u}) {
    ASSERT_EQ(::chmod(path_.c_str(), 0600 | bit), 0);
    EXPECT_THAT(error(), HasSubstr("identity: others may read or write what is secret")) << bit;
    EXPECT_THAT(error(), HasSubstr("chmod 600"));
  }
  ASSERT_EQ(::chmod(path_.c_str(), 0400), 0);
  EXPECT_EQ(error(), "");
}

TEST_F(IdentityFile, RefusesADirectoryThatOthersCanWrite) {
  ASSERT_TRUE(open());
  ASSERT_EQ(::chmod(directory_.c_str(), 0720), 0);
  EXPECT_THAT(error(), HasSubstr("chmod go-w"));
}

TEST_F(IdentityFile, RefusesEveryDamagedByteAndLeavesTheFileAlone) {
  ASSERT_TRUE(open());
  const std::string whole = text();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_FALSE(parse_identity(damaged, invented_math())) << at;
  }
  std::string damaged = whole;
  damaged[40] = damaged[40] == '0' ? '1' : '0';
  write(damaged);
  EXPECT_THAT(error(), HasSubstr("identity: is damaged; put a backup in its place"));
  EXPECT_EQ(text(), damaged);
}

TEST_F(IdentityFile, RefusesEveryWrongSize) {
  ASSERT_TRUE(open());
  const std::string whole = text();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_identity(std::string_view(whole).substr(0, size), invented_math())) << size;
  }
  write("");
  EXPECT_THAT(error(), HasSubstr("fewer than the"));
  write(whole + "\n");
  EXPECT_THAT(error(), HasSubstr("more than the"));
  write(std::string(whole.size(), '\n'));
  EXPECT_THAT(error(), HasSubstr("is not an identity of this program"));
}

TEST_F(IdentityFile, RefusesKeysThatDoNotBelongTogether) {
  const auto stored = open();
  ASSERT_TRUE(stored);
  Identity mixed = stored->identity;
  mixed.public_key[31] ^= 1;
  write(print_identity(mixed));
  EXPECT_THAT(error(), HasSubstr("do not belong together"));
}

TEST_F(IdentityFile, RefusesAReservedKey) {
  ASSERT_TRUE(open());
  for (const std::uint8_t byte : {std::uint8_t{0x00}, std::uint8_t{0xff}}) {
    std::array<std::uint8_t, 32> seed{};
    seed.fill(byte);
    write(print_identity(invented_math().from_seed(seed)));
    EXPECT_THAT(error(), HasSubstr("reserves"));
  }
}

TEST_F(IdentityFile, RefusesWhatIsNoFile) {
  std::filesystem::create_directories(path_);
  EXPECT_THAT(error(), HasSubstr("is not a file"));
  std::filesystem::remove(path_);
  write("x");
  std::filesystem::rename(path_, directory_ / "elsewhere");
  std::filesystem::create_symlink(directory_ / "elsewhere", path_);
  EXPECT_THAT(error(), HasSubstr("is a symbolic link"));
  std::filesystem::remove(path_);
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THAT(error(), HasSubstr("is not a file"));  // and does not wait for a writer
}

TEST_F(IdentityFile, SaysSoIfTheStateDirectoryCannotBe) {
  std::ofstream(root_ / "a") << "in the way";
  EXPECT_THAT(error(), HasSubstr("cannot make the directory"));
}

TEST_F(IdentityFile, TriesAgainUntilTheKeyIsNotReserved) {
  ScriptedRandom random({0xff, 0x00, 0x5a});  // the invented public keys start with 00, ff, a5
  const auto stored = load_or_create_identity(directory_.string(), invented_math(), random);
  ASSERT_TRUE(stored) << stored.error();
  EXPECT_EQ(stored->identity.public_key[0], 0xa5);
}

TEST_F(IdentityFile, GivesUpOnABrokenRandomSource) {
  ScriptedRandom random({0xff});
  const auto stored = load_or_create_identity(directory_.string(), invented_math(), random);
  ASSERT_FALSE(stored);
  EXPECT_THAT(stored.error(), HasSubstr("makes no usable key"));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(IdentityFile, TakesTheOneThatWasThereFirst) {
  // Somebody else makes the file after we looked and before we put ours in place.
  const Identity theirs = [] {
    std::array<std::uint8_t, 32> seed{};
    seed.fill(0x77);
    return invented_math().from_seed(seed);
  }();
  std::filesystem::create_directories(directory_);
  KeyMath math = invented_math();
  math.from_seed = [&](const std::array<std::uint8_t, 32>& seed) {
    write(print_identity(theirs));
    EXPECT_EQ(::chmod(path_.c_str(), 0600), 0);
    return invented_math().from_seed(seed);
  };
  const auto stored = load_or_create_identity(directory_.string(), math, random_);
  ASSERT_TRUE(stored) << stored.error();
  EXPECT_FALSE(stored->created);
  EXPECT_EQ(stored->identity, theirs);
}

TEST(IdentityText, IsTheDocumentedExample) {
  std::array<std::uint8_t, 32> seed{};
  for (std::size_t i = 0; i < 32; ++i) seed[i] = static_cast<std::uint8_t>(i + 1);
  const std::string text = print_identity(invented_math().from_seed(seed));
  std::ifstream file(CHAPPE_SOURCE_DIR "/docs/formats/identity.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  EXPECT_THAT(page, HasSubstr(text));
}

TEST(StateDirectory, PrefersTheConfigurationThenTheEnvironment) {
  EXPECT_EQ(state_directory("/srv/x", "/xdg", "/h/me").value(), "/srv/x");
  EXPECT_EQ(state_directory("", "/xdg", "/h/me").value(), "/xdg/chappe");
  EXPECT_EQ(state_directory("", nullptr, "/h/me").value(), "/h/me/.local/state/chappe");
  EXPECT_EQ(state_directory("", "", "/h/me").value(), "/h/me/.local/state/chappe");
  EXPECT_EQ(state_directory("", "relative", "/h/me").value(), "/h/me/.local/state/chappe");
  EXPECT_FALSE(state_directory("", nullptr, nullptr));
  EXPECT_FALSE(state_directory("", nullptr, ""));
}

}  // namespace
}  // namespace chappe::config
