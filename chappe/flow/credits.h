#pragma once

#include <array>
#include <cstdint>

#include "chappe/async/task.h"
#include "chappe/sync/shared_state.h"
#include "chappe/sync/signal.h"

namespace chappe::flow {

class Credits;

/// One unit of room, for example one transmit buffer. Giving it back is its destructor, so it is
/// given back exactly once, by whoever holds it last.
class [[nodiscard]] Credit {
 public:
  Credit() = default;
  Credit(Credit&& other) noexcept : credits_(other.credits_), lane_(other.lane_) {
    other.credits_ = nullptr;
  }
  Credit& operator=(Credit&& other) noexcept;
  ~Credit() { give_back(); }

  explicit operator bool() const { return credits_ != nullptr; }
  std::uint8_t lane() const { return lane_; }
  void give_back() noexcept;

  /// The hardware holds the unit from now on: Credits::release() must follow when it confirms.
  void hand_over() noexcept { credits_ = nullptr; }

 private:
  friend class Credits;
  Credit(Credits& credits, std::uint8_t lane) : credits_(&credits), lane_(lane) {}
  Credits* credits_ = nullptr;
  std::uint8_t lane_ = 0;
};

/// Exact accounting of a few units (at most 63) shared by up to four lanes.
///
/// One word holds what each lane uses and whether it was refused, so the total and the lanes can
/// never disagree, and one step serves both. Who is refused is owed exactly one wake, paid by the
/// release that makes room for that lane. Exactly one release sees the last unit come home.
///
/// Context: any for try_take, release and read; task for take. Memory: none.
class Credits {
 public:
  static constexpr std::size_t kLanes = 4;

  struct Limits {
    std::uint8_t total = 0;                        // units there are, 1 to 63
    std::array<std::uint8_t, kLanes> lane_max{};   // most units one lane may use
    std::array<std::uint8_t, kLanes> kept_free{};  // units this lane must leave for the others
  };

  struct Snapshot {
    std::array<std::uint8_t, kLanes> used{};
    std::array<bool, kLanes> wanted{};
    std::uint8_t total = 0;
    bool closed = false;
  };

  /// Panics if the limits do not fit each other.
  Credits(sync::WakeList& wakes, const Limits& limits);
  /// Panics if a unit is still out: its holder would give it back to nobody.
  ~Credits();

  /// One unit, or nothing, and then the lane is owed a wake.
  /// Contract of Credits::try_take: context any; sleeps never; locks none; timers none; wakes none;
  /// touches Credits::word; calls note.
  [[nodiscard]] Credit try_take(std::uint8_t lane) noexcept;

  /// Waits for one unit. Woken lanes try again in the order in which they began to wait.
  /// Cancelled while waiting, it has taken nothing; the wake it is owed finds nobody, once.
  async::Task<Credit> take(std::uint8_t lane);

  /// Gives back `count` units of a lane, as a confirmation from hardware does. More than the lane
  /// uses is a panic that names lane and numbers; the word stays as it was.
  /// Contract of Credits::release: context any; sleeps never; locks none; timers none; wakes one
  /// refused lane, who waits for idle; touches Credits::word; calls Signal::set, note.
  void release(std::uint8_t lane, std::uint8_t count) noexcept;

  /// All of it at one instant.
  Snapshot read() const noexcept;

  /// The claim to power down: succeeds only while nothing is out and nobody wants anything. Takers
  /// are refused, and owed, until open(), which only who closed it may call: opening what is open
  /// is a panic.
  [[nodiscard]] bool try_close() noexcept;
  void open() noexcept;

  /// Set once for each time a refused lane can proceed.
  sync::Signal& room(std::uint8_t lane) { return rooms_[lane]; }
  /// Set once for each time the last unit came home.
  sync::Signal& idle() { return idle_; }

 private:
  // Per lane seven bits: six used, one want. Bit 28: closed.
  static constexpr std::uint32_t kLaneBits = 7;
  static constexpr std::uint32_t kUsed = 0x3f;
  static constexpr std::uint32_t kWant = 0x40;
  static constexpr std::uint32_t kAllWants =
      kWant | kWant << kLaneBits | kWant << 2 * kLaneBits | kWant << 3 * kLaneBits;
  static constexpr std::uint32_t kClosed = 1u << 28;

  static std::uint32_t shift(std::size_t lane) {
    return static_cast<std::uint32_t>(lane) * kLaneBits;
  }
  static std::uint32_t used(std::uint32_t word, std::size_t lane) {
    return word >> shift(lane) & kUsed;
  }
  static std::uint32_t total(std::uint32_t word) {
    return used(word, 0) + used(word, 1) + used(word, 2) + used(word, 3);
  }
  bool may_take(std::uint32_t word, std::size_t lane) const;
  std::uint32_t payable(std::uint32_t word) const;
  void pay(std::uint32_t paid_wants) noexcept;

  const Limits limits_;
  static constexpr sync::SharedState kWordState{
      .name = "Credits::word",
      .purpose = "what each lane uses, which lanes were refused, and whether it is closed",
      .writers = sync::Who::any,
      .readers = sync::Who::any,
      .protection = "one word: the total is the sum of the lanes at every instant",
      .orders = sync::Orders::acq_rel | sync::Orders::acquire | sync::Orders::relaxed};
  sync::SharedWord<std::uint32_t, kWordState> word_{0};
  sync::Signal rooms_[kLanes];
  sync::Signal idle_;
};

}  // namespace chappe::flow
