#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "chappe/base/units.h"

namespace chappe::tx {

/// Whose frame it is, as far as that can be told: where it was heard from, or who wrote it.
using Neighbour = std::uint32_t;
inline constexpr Neighbour kOwnFrames = 0;

/// Who goes next when several neighbours have frames waiting: start-time fair queueing by airtime.
///
/// Each frame gets a tag: the airtime its neighbour had asked for before it, or the present if the
/// neighbour has been quiet. Lowest tag first serves all that ask in turn, by airtime; who asks for
/// more than his turn gives is only ever ahead of himself. Tags of one neighbour rise, so its
/// frames keep their order.
///
/// Cost: O(kNeighbours) per frame. Memory: in place. Context: the transmitter's executor.
class FairShare {
 public:
  /// Neighbours with frames waiting that are told apart; of more, the one least ahead is forgotten.
  static constexpr std::size_t kNeighbours = 32;

  /// For a frame that begins to wait. The present is the lowest tag that waits.
  Duration tag(Neighbour neighbour, Duration airtime, Duration present) {
    Account& account = find(neighbour);
    const Duration start = std::max(account.asked, present);
    account = {neighbour, start + airtime};
    return start;
  }

  /// It left without being sent: the neighbour did not have this airtime.
  void give_back(Neighbour neighbour, Duration airtime) {
    for (Account& account : accounts_) {
      if (account.neighbour != neighbour) continue;
      account.asked -= airtime;
      return;
    }
  }

  /// Nothing waits any more, so nobody is ahead of anybody.
  void settle() { accounts_ = {}; }

 private:
  struct Account {
    Neighbour neighbour = kOwnFrames;
    Duration asked{};
  };

  Account& find(Neighbour neighbour) {
    Account* least = accounts_.data();
    for (Account& account : accounts_) {
      if (account.neighbour == neighbour) return account;
      if (account.asked < least->asked) least = &account;
    }
    *least = {neighbour, Duration::zero()};
    return *least;
  }

  std::array<Account, kNeighbours> accounts_{};
};

}  // namespace chappe::tx
