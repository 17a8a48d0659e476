// The fuzzer's entry point on a fixed number of seeded inputs, so that every build runs them; the
// fuzzer itself goes on from there.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "chappe/base/random.h"
#include "chappe/config/print.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void run(const std::string& text) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(text.data());
  EXPECT_EQ(LLVMFuzzerTestOneInput(data, text.size()), 0);
}

TEST(ConfigFuzz, HoldsForEveryFileOfTheCorpus) {
  std::size_t files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(CHAPPE_SOURCE_DIR "/tests/fuzz/corpus/config")) {
    SCOPED_TRACE(entry.path());
    std::ifstream file(entry.path());
    run({std::istreambuf_iterator<char>(file), {}});
    ++files;
  }
  EXPECT_GE(files, 5u);
}

TEST(ConfigFuzz, HoldsForDamagedConfigurations) {
  const std::string whole = chappe::config::to_toml({}, chappe::config::Secrets::shown);
  const std::vector<std::string> scraps = {
      "\"",   "'",        "\"\"\"", "'''",        "\\",   "\n",      "#",   "[",     "]",
      "{",    "}",        "=",      ",",          ".",    "nan",     "-0",  "1e308", "\xc3\xbc",
      "\xff", "\xc2\xa0", "0x7f",   "1979-05-27", "true", "\\u0000", "\r\n"};
  run("");
  run(whole);
  for (std::uint64_t seed = 1; seed <= 1'000; ++seed) {
    SCOPED_TRACE(seed);
    chappe::SeededRandom random(seed);
    const auto below = [&random](std::size_t limit) {
      return std::size_t{random.up_to(static_cast<std::uint32_t>(limit - 1))};
    };
    std::string text = whole;
    for (std::size_t damages = 1 + below(4); damages > 0; --damages) {
      const std::size_t at = below(text.size() + 1);
      const std::string& scrap = scraps[below(scraps.size())];
      switch (below(3)) {
        case 0:
          text.insert(at, scrap);
          break;
        case 1:
          text.replace(at, scrap.size(), scrap);
          break;
        default:
          text.erase(at, below(9));
          break;
      }
    }
    run(text);
  }
}

}  // namespace
