// The fuzzer's entry point on a fixed number of seeded inputs, so that every build runs them.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "chappe/base/random.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void run(const std::string& text) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(text.data());
  EXPECT_EQ(LLVMFuzzerTestOneInput(data, text.size()), 0);
}

std::string framed(const std::string& frame) {
  return '\xc0' + frame + '\xc0';
}

TEST(KissModemFuzz, HoldsForEveryRequestAndForDamagedOnes) {
  chappe::SeededRandom random(1);
  const auto bytes = [&](std::size_t count) {
    std::string all;
    while (all.size() < count) all += static_cast<char>(random.up_to(255));
    return all;
  };
  std::string all;
  for (int request = 0; request <= 0x1f; ++request) {
    std::string frame("\x06");
    frame += static_cast<char>(request);
    all += framed(frame) + framed(frame + bytes(1 + random.up_to(120)));
  }
  for (char command = 1; command <= 5; ++command) all += framed(std::string(1, command) + '\0');
  std::string packet("\x15\x00\x01\x02\x03\x04\x05", 7);
  all += framed(std::string(1, '\0') + packet);
  run("");
  run(all);
  run("secret\n" + all);
  run("secrets\n" + all);
  run(std::string(3000, '\x01') + all);
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    chappe::SeededRandom damage(seed);
    std::string text = seed % 2 == 0 ? all : "secret\n" + all;
    for (std::uint32_t left = 1 + damage.up_to(8); left > 0; --left) {
      const std::size_t at = damage.up_to(static_cast<std::uint32_t>(text.size() - 1));
      if (damage.up_to(1) == 0) {
        text[at] = static_cast<char>(damage.up_to(255));
      } else {
        text.erase(at, 1 + damage.up_to(20));
      }
    }
    run(text);
  }
}

}  // namespace
