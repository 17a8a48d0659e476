#include "chappe/explore/exploration.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "chappe/explore/search.h"

namespace chappe::explore {
namespace {

Exploration* first = nullptr;

World& the_world() {
  static World world;
  return world;
}

void body_of(World& world, void* test) {
  static_cast<const Exploration*>(test)->body(world);
}

void run(const Exploration& test, Driver& driver) {
  the_world().run(&body_of, const_cast<Exploration*>(&test), driver);
}

class PathDriver final : public Driver {
 public:
  explicit PathDriver(std::vector<Choice> path) : path_(std::move(path)) {}
  void begin(World&) override { at_ = 0; }
  Choice next(World&) override { return at_ < path_.size() ? path_[at_++] : Choice{}; }

 private:
  std::vector<Choice> path_;
  std::size_t at_ = 0;
};

// What an execution has shown, to compare it with itself.
struct Seen {
  Failure failure;
  std::uint64_t graph;
  std::size_t steps;
  bool operator==(const Seen&) const = default;
};

Seen seen() {
  const World& world = the_world();
  return Seen{world.failure(), world.graph_hash(), world.step_count()};
}

// Fewer switches first, then fewer odd outcomes, then fewer steps.
std::size_t cost(const Tape& tape) {
  std::size_t odd = 0;
  for (const Tape::Step& step : tape.steps) odd += step.fires || step.behind != 0;
  return (2 * tape.switches() + 3 * odd) * World::kSteps + tape.steps.size();
}

// Tries what a step less, a newer value, or a whole run earlier or later does: kept if it fails in
// the same way and costs less.
class Minimiser {
 public:
  Minimiser(const Exploration& test, Tape tape, Failure failure)
      : test_(test), best_(std::move(tape)), failure_(failure) {}

  Tape minimise() {
    bool better = true;
    while (better && tries_ < kTries) {
      better = false;
      for (std::size_t i = 0; i < best_.steps.size() && tries_ < kTries; ++i) {
        better |= try_newest(i) || try_without_run(i) || try_later_run(i);
      }
    }
    return std::move(best_);
  }

 private:
  static constexpr int kTries = 2000;

  bool attempt(const Tape& candidate) {
    ++tries_;
    TapeDriver driver(candidate, false);
    RecordingDriver recorder(driver);
    run(test_, recorder);
    if (the_world().failure() != failure_) return false;
    Tape found = recorder.take(the_world(), test_.name);
    if (cost(found) >= cost(best_)) return false;
    best_ = std::move(found);
    return true;
  }
  Tape unlabelled() const {
    Tape tape = best_;
    for (Tape::Step& step : tape.steps) step.label.clear();
    return tape;
  }
  std::size_t run_end(std::size_t i) const {
    std::size_t end = i;
    while (end < best_.steps.size() && best_.steps[end].context == best_.steps[i].context) ++end;
    return end;
  }

  bool try_newest(std::size_t i) {
    if (best_.steps[i].behind == 0) return false;
    Tape tape = unlabelled();
    tape.steps[i].behind = 0;
    return attempt(tape);
  }
  bool try_without_run(std::size_t i) {
    Tape tape = unlabelled();
    tape.steps.erase(tape.steps.begin() + static_cast<std::ptrdiff_t>(i),
                     tape.steps.begin() + static_cast<std::ptrdiff_t>(run_end(i)));
    return attempt(tape);
  }
  // Lets the next run go first.
  bool try_later_run(std::size_t i) {
    const std::size_t middle = run_end(i);
    if (middle == best_.steps.size()) return false;
    const std::size_t end = run_end(middle);
    Tape tape = unlabelled();
    std::rotate(tape.steps.begin() + static_cast<std::ptrdiff_t>(i),
                tape.steps.begin() + static_cast<std::ptrdiff_t>(middle),
                tape.steps.begin() + static_cast<std::ptrdiff_t>(end));
    return attempt(tape);
  }

  const Exploration& test_;
  Tape best_;
  const Failure failure_;
  int tries_ = 0;
};

// Runs the last execution again, and writes it down. Anything hidden that the test depends on, an
// address or the time, shows here.
bool run_again(const Exploration& test, Driver& driver, const Seen& before, Report& report) {
  RecordingDriver recorder(driver);
  run(test, recorder);
  report.tape = recorder.take(the_world(), test.name);
  if (seen() == before) return true;
  report.failure = Failure::diverged;
  report.words = "the same choices led elsewhere when they were made again";
  return false;
}

void explain_failure(const Exploration& test, Report& report) {
  report.tape = Minimiser(test, std::move(report.tape), report.failure).minimise();
  TapeDriver driver(report.tape, true);
  run(test, driver);
  report.words = the_world().words();
}

}  // namespace

Exploration::Exploration(const char* test_name, void (*test_body)(World&))
    : name(test_name), body(test_body), next(first) {
  first = this;
}

std::vector<const Exploration*> Exploration::all() {
  std::vector<const Exploration*> tests;
  for (const Exploration* test = first; test != nullptr; test = test->next) tests.push_back(test);
  std::sort(tests.begin(), tests.end(), [](const Exploration* a, const Exploration* b) {
    return std::strcmp(a->name, b->name) < 0;
  });
  return tests;
}

const Exploration* Exploration::find(std::string_view name) {
  for (const Exploration* test = first; test != nullptr; test = test->next) {
    if (test->name == name) return test;
  }
  return nullptr;
}

Report explore(const Exploration& test, const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  Report report;
  World& world = the_world();
  world.forget_possible();
  Search search(options.reduction ? Search::Reduction::reads_from : Search::Reduction::none);
  std::uint64_t random_runs = 0;
  for (;;) {
    if (options.seed != 0) {
      RandomDriver driver(options.seed + random_runs++);
      run(test, driver);
      if (world.failure() != Failure::none) {
        const Seen before = seen();
        RandomDriver again(options.seed + random_runs - 1);
        report.failure = world.failure();
        if (run_again(test, again, before, report)) explain_failure(test, report);
        break;
      }
      report.executions = random_runs;
    } else {
      run(test, search);
      const bool failed = world.failure() != Failure::none;
      report.executions = search.counts().complete + (failed ? 1 : 0);
      if (failed || search.counts().complete + search.counts().abandoned == 0) {
        const Seen before = seen();
        report.failure = world.failure();
        PathDriver again(search.path());
        if (!run_again(test, again, before, report)) break;
        if (failed) {
          explain_failure(test, report);
          break;
        }
      }
      report.seq_cst |= world.seq_cst_seen();
      if (!search.advance(world)) {
        report.complete = true;
        if (const char* const words = world.never_seen()) {
          report.failure = Failure::never_shown;
          report.words = words;
        }
        break;
      }
    }
    if (options.seconds > 0 && (report.executions & 63) == 0 && elapsed() > options.seconds) break;
  }
  if (options.seed == 0 && report.failure == Failure::none) {
    report.executions = search.counts().complete;
  }
  report.abandoned = search.counts().abandoned;
  report.contexts = world.context_count();
  report.seconds = elapsed();
  return report;
}

Report replay(const Exploration& test, const Tape& tape) {
  Report report;
  TapeDriver driver(tape, true);
  RecordingDriver recorder(driver);
  run(test, recorder);
  report.failure = the_world().failure();
  report.words = the_world().words();
  report.contexts = the_world().context_count();
  report.tape = recorder.take(the_world(), test.name);
  report.executions = 1;
  return report;
}

namespace {

// One line of a picture, taken down just after the step.
struct Line {
  std::size_t context;
  std::string text;
  std::vector<std::string> values;
};

// Looks over the shoulder of a replay.
class Watcher final : public Driver {
 public:
  explicit Watcher(Driver& inner) : inner_(inner) {}
  void begin(World& world) override { inner_.begin(world); }
  Choice next(World& world) override {
    watch(world);
    return inner_.next(world);
  }

  void watch(const World& world) {
    if (world.step_count() == lines.size()) return;
    const Event& event = world.event(world.step_count() - 1);
    const Memory& memory = world.memory();
    Line line{event.choice.context, label_of(world, event.choice), {}};
    if (event.reads) {
      line.text += ": " + world.value_name(memory.store(event.read).value);
      const StoreId newest = memory.newest(event.choice.object);
      if (event.made == kNoStore && newest != event.read) {
        const Store& other = memory.store(newest);
        line.text += " (newest " + world.value_name(other.value) + " by " +
                     (other.step == 0 ? "setup" : world.context_name(other.context)) +
                     "; nothing orders that store before this read)";
      }
    }
    if (event.made != kNoStore) {
      line.text += " = " + world.value_name(memory.store(event.made).value);
    }
    for (std::size_t word = 0; word < memory.word_count(); ++word) {
      line.values.push_back(world.value_name(world.newest_value(static_cast<WordId>(word))));
    }
    lines.push_back(std::move(line));
  }

  std::vector<Line> lines;

 private:
  Driver& inner_;
};

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

}  // namespace

std::string picture(const Exploration& test, const Tape& tape, std::size_t most_lines) {
  TapeDriver driver(tape, true);
  Watcher watcher(driver);
  run(test, watcher);
  const World& world = the_world();
  watcher.watch(world);

  constexpr std::size_t kColumn = 26;
  std::vector<std::size_t> words;
  for (std::size_t word = 0; word < world.memory().word_count(); ++word) {
    const auto value = [&](const Line& line) {
      return word < line.values.size() ? line.values[word] : std::string();
    };
    for (std::size_t i = 1; i < watcher.lines.size(); ++i) {
      if (value(watcher.lines[i]) != value(watcher.lines[i - 1])) {
        words.push_back(word);
        break;
      }
    }
  }
  std::string text = padded("  #", 5);
  for (std::size_t i = 0; i < world.context_count(); ++i) {
    text +=
        padded((world.context_priority(i) != 0 ? "[" : "") + std::string(world.context_name(i)) +
                   (world.context_priority(i) != 0 ? "]" : ""),
               kColumn);
  }
  for (const std::size_t word : words) {
    text += padded(world.word_name(static_cast<WordId>(word)), 10) + " ";
  }
  text += "\n";
  const std::size_t count = watcher.lines.size();
  const std::size_t from = count > most_lines ? count - most_lines : 0;
  if (from > 0) text += "     … " + std::to_string(from) + " steps before; --all shows them\n";
  for (std::size_t i = from; i < count; ++i) {
    const Line& line = watcher.lines[i];
    std::string number = std::to_string(i + 1);
    text += std::string(number.size() < 3 ? 3 - number.size() : 0, ' ') + number + "  ";
    text += std::string(line.context * kColumn, ' ');
    text += padded(line.text, (world.context_count() - line.context) * kColumn);
    for (const std::size_t word : words) {
      text += padded(word < line.values.size() ? line.values[word] : "-", 10) + " ";
    }
    while (text.back() == ' ') text.pop_back();
    text += "\n";
  }
  if (world.failure() != Failure::none) {
    text += std::string("     ") + name_of(world.failure()) + ": " + world.words() + "\n";
  }
  return text;
}

}  // namespace chappe::explore
