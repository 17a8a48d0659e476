#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chappe/explore/memory.h"
#include "chappe/explore/search.h"

namespace chappe::explore {

/// A small program of a few threads and a question: docs/formats/litmus.md.
struct Litmus {
  enum class What : std::uint8_t {
    load,
    store,
    add,
    exchange,
    compare_exchange,
    fence,
    plain_load,
    plain_store,
    lock,
    unlock,  // these and the next are not in the format: the self-test's
    mask,
    unmask,
  };
  struct Operation {
    What what{};
    int word = -1;
    std::int64_t value = 0;  // stored, added, or desired
    std::int64_t expected = 0;
    MemoryOrder order = MemoryOrder::relaxed;
    MemoryOrder order_if_unchanged = MemoryOrder::relaxed;
    int reg = -1;
    int only_if = -1;  // a register, and what it must hold
    std::int64_t only_if_value = 0;
  };
  struct Thread {
    std::vector<Operation> operations;
    int priority = 0;  // above 0: an interrupt of `core`
    int core = -1;     // -1: its own
  };

  std::string name;
  bool possible = false;         // in C++20
  bool shown = false;            // what the explorer must say
  std::int64_t executions = -1;  // -1: not stated
  std::int64_t outcomes = -1;
  std::vector<Thread> threads;
  bool asks_race = false;
  std::vector<std::pair<int, std::int64_t>> registers_asked;
  std::vector<std::pair<int, std::int64_t>> words_asked;

  std::vector<std::string> words;
  std::vector<std::int64_t> initial;
  std::vector<std::string> registers;
};

struct LitmusFile {
  std::vector<Litmus> rows;
  std::string mistake;  // with its line; empty if there is none
};
LitmusFile parse_litmus(std::string_view text);

struct LitmusResult {
  std::uint64_t executions = 0;  // distinct
  std::uint64_t explored = 0;    // to their end
  std::uint64_t abandoned = 0;
  std::uint64_t outcomes = 0;
  bool shown = false;
  bool race = false;
  bool asleep = false;
  bool uses_seq_cst = false;
  std::string trouble;  // the row is too big
  /// Each a list of registers and final values, for the self-test.
  std::vector<std::vector<std::int64_t>> outcome_set;

  bool as_stated(const Litmus& row) const;
};
LitmusResult run_litmus(const Litmus& row,
                        Search::Reduction reduction = Search::Reduction::reads_from,
                        std::uint64_t most_executions = 50'000'000);

/// The command: a line for each row, 0 if all are as stated, 1 if not, 2 if the file is unreadable.
int litmus_command(const char* path, bool json, Search::Reduction reduction);

}  // namespace chappe::explore
