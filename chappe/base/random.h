#pragma once

#include <cstdint>
#include <span>

namespace chappe {

/// Where a node's randomness comes from: a parameter, so that one seed replays a whole run.
class Random {
 public:
  virtual std::uint32_t next() noexcept = 0;

  /// Uniform in [0, limit]. The reference reduces a 32-bit word modulo (limit + 1); so do we,
  /// or recorded sessions would not replay.
  std::uint32_t up_to(std::uint32_t limit) noexcept {
    const std::uint32_t word = next();
    return limit == 0xffffffff ? word : word % (limit + 1);
  }
  void fill(std::span<std::uint8_t> bytes) noexcept {
    std::uint32_t word = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (i % 4 == 0) word = next();
      bytes[i] = static_cast<std::uint8_t>(word >> (i % 4 * 8));
    }
  }

 protected:
  ~Random() = default;
};

/// A repeatable stream from one seed: splitmix64 (public domain, Sebastiano Vigna). Good enough
/// for delays and simulations; keys come from the operating system.
class SeededRandom final : public Random {
 public:
  explicit constexpr SeededRandom(std::uint64_t seed) : state_(seed) {}

  std::uint32_t next() noexcept override {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return static_cast<std::uint32_t>((z ^ (z >> 31)) >> 32);
  }

 private:
  std::uint64_t state_;
};

/// Always the same word. With zero every random delay is its minimum, as in recorded sessions.
class ConstantRandom final : public Random {
 public:
  explicit constexpr ConstantRandom(std::uint32_t word) : word_(word) {}
  std::uint32_t next() noexcept override { return word_; }

 private:
  std::uint32_t word_;
};

}  // namespace chappe
