// The fuzzer's entry point on a fixed number of seeded inputs, so that every build runs them.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "chappe/base/random.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void run(const std::string& text) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(text.data());
  EXPECT_EQ(LLVMFuzzerTestOneInput(data, text.size()), 0);
}

TEST(ClientFuzz, HoldsForTheCorpusAndForDamagedRequests) {
  std::string all;
  for (const auto& entry :
       std::filesystem::directory_iterator(CHAPPE_SOURCE_DIR "/tests/fuzz/corpus/client")) {
    std::ifstream file(entry.path());
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    run(text);
    all += text;
  }
  EXPECT_GE(all.size(), 400u);
  run("");
  run(std::string(9000, 'x') + "\n" + all);
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    chappe::SeededRandom random(seed);
    std::string text = all;
    for (std::uint32_t damage = 1 + random.up_to(8); damage > 0; --damage) {
      const std::size_t at = random.up_to(static_cast<std::uint32_t>(text.size() - 1));
      if (random.up_to(1) == 0) {
        text[at] = static_cast<char>(random.up_to(255));
      } else {
        text.erase(at, 1 + random.up_to(20));
      }
    }
    run(text);
  }
}

}  // namespace
