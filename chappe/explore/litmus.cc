#include "chappe/explore/litmus.h"

#include <algorithm>
#include <cstdio>
#include <set>
#include <unordered_set>

namespace chappe::explore {
namespace {

constexpr std::int64_t kUnset = INT64_MIN;

// What one execution of a row has, on top of its world.
struct Machine {
  const Litmus& row;
  std::vector<std::int64_t> registers;
  std::vector<Cell> cells;
  std::vector<PlainRecord> plain;
  std::vector<std::int64_t> plain_values;
  std::vector<bool> is_plain;
  std::uint8_t lock = 0;

  explicit Machine(const Litmus& litmus) : row(litmus) {
    registers.resize(row.registers.size());
    cells.resize(row.words.size());
    plain.resize(row.words.size());
    plain_values.resize(row.words.size());
    is_plain.resize(row.words.size());
    for (const Litmus::Thread& thread : row.threads) {
      for (const Litmus::Operation& operation : thread.operations) {
        if (operation.what == Litmus::What::plain_load ||
            operation.what == Litmus::What::plain_store) {
          is_plain[static_cast<std::size_t>(operation.word)] = true;
        }
      }
    }
  }

  std::int64_t final_value(World& world, std::size_t word) {
    if (is_plain[word]) return plain_values[word];
    return static_cast<std::int64_t>(world.newest_value(cells[word].word));
  }

  void execute(World& world, const Litmus::Operation& operation);
};

struct Exchange {
  const Litmus::Operation* operation;
  static bool change(void* self, std::uint64_t seen, std::uint64_t& next) {
    const Litmus::Operation& one = *static_cast<Exchange*>(self)->operation;
    const auto value = static_cast<std::uint64_t>(one.value);
    switch (one.what) {
      case Litmus::What::add:
        next = seen + value;
        return true;
      case Litmus::What::compare_exchange:
        next = value;
        return seen == static_cast<std::uint64_t>(one.expected);
      default:
        next = value;
        return true;
    }
  }
};

void Machine::execute(World& world, const Litmus::Operation& operation) {
  using What = Litmus::What;
  if (operation.only_if >= 0 &&
      registers[static_cast<std::size_t>(operation.only_if)] != operation.only_if_value) {
    return;
  }
  const auto word = static_cast<std::size_t>(operation.word);
  const auto set = [&](std::int64_t value) {
    if (operation.reg >= 0) registers[static_cast<std::size_t>(operation.reg)] = value;
  };
  switch (operation.what) {
    case What::load:
      set(static_cast<std::int64_t>(world.load(cells[word], operation.order)));
      return;
    case What::store:
      world.store(cells[word], static_cast<std::uint64_t>(operation.value), operation.order);
      return;
    case What::add:
    case What::exchange:
    case What::compare_exchange: {
      Exchange exchange{&operation};
      Request request;
      request.order = operation.order;
      request.order_if_unchanged = operation.order_if_unchanged;
      request.change = &Exchange::change;
      request.self = &exchange;
      world.change(cells[word], request);
      set(static_cast<std::int64_t>(request.seen));
      return;
    }
    case What::fence:
      world.fence(operation.order);
      return;
    case What::plain_load:
      world.plain_read(plain[word]);
      set(plain_values[word]);
      return;
    case What::plain_store:
      world.plain_write(plain[word]);
      plain_values[word] = operation.value;
      return;
    case What::lock:
      world.lock(lock);
      return;
    case What::unlock:
      world.unlock(lock);
      return;
    case What::mask:
      world.mask();
      return;
    case What::unmask:
      world.unmask();
      return;
  }
}

void set_up(World& world, void* argument) {
  Machine& machine = *static_cast<Machine*>(argument);
  const Litmus& row = machine.row;
  std::fill(machine.registers.begin(), machine.registers.end(), kUnset);
  for (std::size_t i = 0; i < row.words.size(); ++i) {
    machine.cells[i] = Cell{};
    machine.cells[i].initial = static_cast<std::uint64_t>(row.initial[i]);
    machine.plain[i] = PlainRecord{};
    machine.plain_values[i] = row.initial[i];
    static_cast<void>(world.load(machine.cells[i], MemoryOrder::relaxed));
    world.rename_word(machine.cells[i], row.words[i]);
  }
  machine.lock = world.declare_shared("lock", 0);
  for (const Litmus::Thread& thread : row.threads) {
    const auto body = [&machine, &world, &thread] {
      for (const Litmus::Operation& operation : thread.operations) {
        machine.execute(world, operation);
      }
    };
    if (thread.priority != 0) {
      world.interrupt("interrupt", thread.priority, body, times(1), thread.core);
    } else if (thread.core >= 0) {
      world.task("task", body, thread.core);
    } else {
      world.worker("thread", body);
    }
  }
}

bool uses_seq_cst(const Litmus& row) {
  for (const Litmus::Thread& thread : row.threads) {
    for (const Litmus::Operation& operation : thread.operations) {
      if (operation.order == MemoryOrder::seq_cst) return true;
    }
  }
  return false;
}

}  // namespace

bool LitmusResult::as_stated(const Litmus& row) const {
  return trouble.empty() && shown == row.shown &&
         (row.executions < 0 || static_cast<std::uint64_t>(row.executions) == executions) &&
         (row.outcomes < 0 || static_cast<std::uint64_t>(row.outcomes) == outcomes);
}

LitmusResult run_litmus(const Litmus& row,
                        Search::Reduction reduction,
                        std::uint64_t most_executions) {
  static World world;
  LitmusResult result;
  result.uses_seq_cst = uses_seq_cst(row);
  Machine machine(row);
  Search search(reduction);
  std::unordered_set<std::uint64_t> graphs;
  std::set<std::vector<std::int64_t>> outcomes;
  std::set<std::vector<std::int64_t>> tuples;
  world.go_on_after_races();
  world.go_on_asleep();
  do {
    world.run(&set_up, &machine, search);
    if (world.failure() != Failure::none) {
      result.trouble = std::string(name_of(world.failure())) + ": " + world.words();
      break;
    }
    result.race |= world.race_seen();
    if (!world.complete()) continue;
    graphs.insert(world.graph_hash());
    std::vector<std::int64_t> outcome = machine.registers;
    tuples.insert(outcome);
    for (std::size_t i = 0; i < row.words.size(); ++i) {
      outcome.push_back(machine.final_value(world, i));
    }
    outcome.push_back(world.asleep_seen());
    outcome.push_back(world.race_seen());
    if (!outcomes.insert(outcome).second) continue;
    bool asked = !row.asks_race || world.race_seen();
    for (const auto& [index, value] : row.registers_asked) {
      asked &= machine.registers[static_cast<std::size_t>(index)] == value;
    }
    for (const auto& [index, value] : row.words_asked) {
      asked &= machine.final_value(world, static_cast<std::size_t>(index)) == value;
    }
    result.shown |= asked;
    result.asleep |= world.asleep_seen();
  } while (search.advance(world) &&
           search.counts().complete + search.counts().abandoned < most_executions);
  result.explored = search.counts().complete;
  result.abandoned = search.counts().abandoned;
  result.executions = graphs.size();
  result.outcomes = tuples.size();
  result.outcome_set.assign(outcomes.begin(), outcomes.end());
  if (result.trouble.empty() && result.explored + result.abandoned >= most_executions) {
    result.trouble = "more than " + std::to_string(most_executions) + " executions";
  }
  return result;
}

int litmus_command(const char* path, bool json, Search::Reduction reduction) {
  std::FILE* const file = std::fopen(path, "rb");
  if (file == nullptr) {
    std::fprintf(stderr, "chappe-explore: cannot read %s\n", path);
    return 2;
  }
  std::string text;
  char buffer[4096];
  while (const std::size_t got = std::fread(buffer, 1, sizeof buffer, file)) {
    text.append(buffer, got);
  }
  std::fclose(file);
  const LitmusFile parsed = parse_litmus(text);
  if (!parsed.mistake.empty()) {
    std::fprintf(stderr, "chappe-explore: %s: %s\n", path, parsed.mistake.c_str());
    return 2;
  }
  int wrong = 0;
  for (const Litmus& row : parsed.rows) {
    const LitmusResult result = run_litmus(row, reduction);
    const bool right = result.as_stated(row);
    wrong += !right;
    const char* const verdict = result.shown ? "A" : "F";
    if (json) {
      std::printf(
          "{\"name\":\"%s\",\"executions\":%llu,\"outcomes\":%llu,\"verdict\":\"%s\","
          "\"stated\":\"%s\",\"as_stated\":%s,\"abandoned\":%llu}\n",
          row.name.c_str(),
          static_cast<unsigned long long>(result.executions),
          static_cast<unsigned long long>(result.outcomes),
          verdict,
          row.shown ? "A" : "F",
          right ? "true" : "false",
          static_cast<unsigned long long>(result.abandoned));
      continue;
    }
    std::printf("%-16s %6llu %5llu  %s  %s",
                row.name.c_str(),
                static_cast<unsigned long long>(result.executions),
                static_cast<unsigned long long>(result.outcomes),
                verdict,
                right ? "as stated" : "DIFFERS");
    if (!right) {
      std::printf(": stated %s", row.shown ? "A" : "F");
      if (row.executions >= 0)
        std::printf(", %lld executions", static_cast<long long>(row.executions));
      if (row.outcomes >= 0) std::printf(", %lld outcomes", static_cast<long long>(row.outcomes));
      if (!result.trouble.empty()) std::printf("; %s", result.trouble.c_str());
    }
    if (result.explored != result.executions) {
      std::printf("  (%llu explored)", static_cast<unsigned long long>(result.explored));
    }
    std::printf("\n");
  }
  std::printf(
      json ? "{\"rows\":%zu,\"differ\":%d}\n" : "%zu rows, %d differ\n", parsed.rows.size(), wrong);
  return wrong == 0 ? 0 : 1;
}

}  // namespace chappe::explore
