#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "chappe/explore/world.h"

namespace chappe::explore {

/// Every decision of one execution: docs/formats/tape.md.
struct Tape {
  struct Step {
    std::uint8_t context = 0;
    bool fires = false;        // the interrupt begins
    std::uint16_t behind = 0;  // load: stores newer than the one read; store: stores put behind it
    bool chosen = false;       // a value of choose()
    std::string label;         // what it was when it was recorded: "load head"; may be empty

    bool plain() const { return !fires && behind == 0 && !chosen; }
  };
  std::string test;
  std::vector<Step> steps;
  std::vector<bool> interrupts;  // which contexts are, for their tokens

  std::size_t switches() const;
  std::uint16_t model() const;
  /// "A3 B~1 A2"
  std::string choices() const;
  /// The whole file.
  std::string text() const;
};

/// Reads a whole tape, or the choices alone with "." or " " between them. False: `mistake` says
/// why.
bool parse_tape(std::string_view text, Tape& tape, std::string& mistake);

/// Takes the steps of a tape, and then goes on as simply as possible: whoever ran last, newest
/// values. Strict: a step that does not fit ends it. Lenient: it is left out.
class TapeDriver final : public Driver {
 public:
  explicit TapeDriver(const Tape& tape, bool strict) : tape_(tape), strict_(strict) {}
  void begin(World&) override { at_ = 0; }
  Choice next(World& world) override;

 private:
  void describe_divergence(const World& world, const Tape::Step& step);

  const Tape& tape_;
  const bool strict_;
  std::size_t at_ = 0;
  std::vector<Choice> offered_;
  Tape::Step step_;  // these two are not on a stack that is abandoned
  std::string words_;
};

/// Writes down what another driver does.
class RecordingDriver final : public Driver {
 public:
  explicit RecordingDriver(Driver& inner) : inner_(inner) {}
  void begin(World& world) override {
    tape_.steps.clear();
    inner_.begin(world);
  }
  Choice next(World& world) override;
  Tape take(const World& world, std::string test);

 private:
  Driver& inner_;
  Tape tape_;
};

/// Everybody who can go on, with the same chance.
class RandomDriver final : public Driver {
 public:
  explicit RandomDriver(std::uint64_t seed) : state_(seed) {}
  void begin(World&) override {}
  Choice next(World& world) override;

 private:
  std::uint64_t state_;
  std::vector<Choice> offered_;
};

std::string label_of(const World& world, const Choice& choice);

}  // namespace chappe::explore
