#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "chappe/explore/step.h"
#include "chappe/explore/world.h"

namespace chappe::explore {

/// Every execution of a test, one after the other, each from the start.
///
/// Two executions are the same if they have the same steps, reads-from and modification orders; the
/// reduced search takes each once (but for locks and seq_cst, whose orders it also tells apart).
/// The rules are in docs/explore.md; the self-test holds them against the naive search, which tries
/// every core at every step.
class Search final : public Driver {
 public:
  enum class Reduction : std::uint8_t { reads_from, none };

  explicit Search(Reduction reduction = Reduction::reads_from) : reduction_(reduction) {}

  struct Counts {
    std::uint64_t complete = 0;
    std::uint64_t abandoned = 0;  // found, on the way, to be one that is known
  };

  void begin(World&) override { depth_ = 0; }
  Choice next(World& world) override;
  /// After an execution. False: that was the last one.
  bool advance(World& world);

  const Counts& counts() const { return counts_; }
  /// The choices of the execution that ended last.
  std::vector<Choice> path() const;

 private:
  // One step of the current execution, and what is still to be tried in its place.
  struct Node {
    Choice current;
    std::uint32_t choices = 0;  // in choices_, by core; where each core's begin:
    std::array<std::uint16_t, kContexts + 1> core_begins{};
    std::uint16_t at = 0;     // the choice taken
    std::uint8_t todo = 0;    // cores that must be tried here
    std::uint8_t tried = 0;   // and those that were
    std::uint32_t sleep = 0;  // in sleep_: actions that need not be tried here, to sleep_end
    std::uint32_t sleep_end = 0;
  };

  bool asleep(const Node& node, const Choice& choice) const;
  bool take_core(Node& node, std::uint8_t core);
  bool take_next_of_core(Node& node);
  void inherit_sleep(Node& node, const Event& event);
  void analyse(World& world, std::size_t step);
  void analyse_blocked(World& world);
  void reverse(World& world,
               std::size_t earlier,
               std::size_t later,
               std::uint8_t core,
               const Clock& follows);

  const Reduction reduction_;
  std::vector<Node> nodes_;
  std::vector<Choice> choices_;
  std::vector<Choice> sleep_;
  std::size_t depth_ = 0;
  std::size_t fresh_ = 0;  // steps before it were analysed in an earlier execution
  Counts counts_;
};

}  // namespace chappe::explore
