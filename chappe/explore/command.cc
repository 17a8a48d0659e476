#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "chappe/explore/exploration.h"
#include "chappe/explore/litmus.h"

namespace chappe::explore {
namespace {

constexpr const char* kHelp =
    R"(chappe explore [TEST…]           every execution of each test (all tests if none is named)
chappe explore --litmus FILE     rows of docs/formats/litmus.md: counts and verdicts
chappe explore --replay TAPE     runs a tape again: a file, or "A3 B1" after the test's name
chappe explore --list            runs all: contexts, executions, complete or bounded, time

  --for SECONDS     stop each test after that long: then its line says "bounded"
  --random SEED     random executions instead, for two seconds or --for
  --no-reduction    try every core at every step: slow, and what the self-test compares with
  --tape FILE       where to write the tape of a failure
  --all             the whole picture of a failure, not its last 30 lines
  --names           the names of the tests
  --json            an object a line
  --help            this

Limits: load buffering is never shown; the order of seq_cst accesses is that of execution.
exit: 0 nothing found; 1 a test failed, a row differs or a tape diverged; 2 usage or unreadable file
docs/explore.md tells how to add a test.
)";

struct Arguments {
  std::vector<const char*> tests;
  const char* litmus = nullptr;
  const char* replay = nullptr;
  const char* tape = nullptr;
  Options options;
  bool json = false;
  bool all = false;
  bool list = false;
  bool names = false;
};

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

void print(const Exploration& test, const Report& report, bool json) {
  const char* const extent = report.failure != Failure::none ? "failed"
                             : report.complete               ? "complete"
                                                             : "bounded";
  if (json) {
    std::printf(
        "{\"test\":\"%s\",\"contexts\":%zu,\"executions\":%llu,\"abandoned\":%llu,"
        "\"extent\":\"%s\",\"seconds\":%.3f",
        test.name,
        report.contexts,
        static_cast<unsigned long long>(report.executions),
        static_cast<unsigned long long>(report.abandoned),
        extent,
        report.seconds);
    if (report.failure != Failure::none) {
      std::printf(",\"failure\":\"%s\",\"words\":\"%s\",\"tape\":\"%s\"",
                  name_of(report.failure),
                  escaped(report.words).c_str(),
                  report.tape.choices().c_str());
    }
    std::printf("}\n");
  } else {
    std::printf("%-36s %zu contexts %10llu executions  %-8s  %.2f s\n",
                test.name,
                report.contexts,
                static_cast<unsigned long long>(report.executions),
                extent,
                report.seconds);
  }
  std::fflush(stdout);
}

void print_failure(const Exploration& test, const Report& report, const Arguments& arguments) {
  std::string choices = report.tape.choices();
  const std::string shown = picture(test, report.tape, arguments.all ? World::kSteps : 30);
  std::printf("\nFAILED  %s: %s: %s\n%s     replay   chappe explore %s --replay \"%s\"\n\n",
              test.name,
              name_of(report.failure),
              report.words.c_str(),
              shown.c_str(),
              test.name,
              choices.c_str());
  if (arguments.tape == nullptr) return;
  if (std::FILE* const file = std::fopen(arguments.tape, "wb")) {
    const std::string text = report.tape.text();
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
  }
}

int usage(const std::string& words) {
  std::fprintf(stderr, "chappe-explore: %s; --help tells more\n", words.c_str());
  return 2;
}

int replay_command(const Arguments& arguments) {
  std::string text = arguments.replay;
  if (std::FILE* const file = std::fopen(arguments.replay, "rb")) {
    char buffer[4096];
    text.clear();
    while (const std::size_t got = std::fread(buffer, 1, sizeof buffer, file)) {
      text.append(buffer, got);
    }
    std::fclose(file);
  }
  Tape tape;
  std::string mistake;
  if (!parse_tape(text, tape, mistake)) return usage("no tape: " + mistake);
  const std::string name = arguments.tests.empty() ? tape.test : arguments.tests[0];
  const Exploration* const test = Exploration::find(name);
  if (test == nullptr) return usage("no test is called '" + name + "'");
  const Report report = replay(*test, tape);
  if (arguments.json) {
    print(*test, report, true);
  } else {
    std::printf("%s", picture(*test, tape, arguments.all ? World::kSteps : 30).c_str());
  }
  return report.failure == Failure::none ? 0 : 1;
}

}  // namespace

int command(int count, char** words) {
  Arguments arguments;
  for (int i = 0; i < count; ++i) {
    const std::string_view word = words[i];
    const auto value = [&]() -> const char* { return i + 1 < count ? words[++i] : nullptr; };
    if (word == "--help" || word == "-h") {
      std::printf("%s", kHelp);
      return 0;
    } else if (word == "--json") {
      arguments.json = true;
    } else if (word == "--all") {
      arguments.all = true;
    } else if (word == "--list") {
      arguments.list = true;
    } else if (word == "--names") {
      arguments.names = true;
    } else if (word == "--no-reduction") {
      arguments.options.reduction = false;
    } else if (word == "--litmus" || word == "--replay" || word == "--tape" || word == "--for" ||
               word == "--random") {
      const char* const given = value();
      if (given == nullptr) return usage(std::string(word) + " wants a value");
      if (word == "--litmus") arguments.litmus = given;
      if (word == "--replay") arguments.replay = given;
      if (word == "--tape") arguments.tape = given;
      if (word == "--for" || word == "--random") {
        char* end = nullptr;
        const double number = std::strtod(given, &end);
        if (end == given || *end != '\0' || !(number > 0)) {
          return usage(std::string(word) + " wants a number above 0, not '" + given + "'");
        }
        if (word == "--for") arguments.options.seconds = number;
        if (word == "--random") arguments.options.seed = static_cast<std::uint64_t>(number);
      }
    } else if (word.substr(0, 1) == "-") {
      return usage("no option is called '" + std::string(word) + "'");
    } else {
      arguments.tests.push_back(words[i]);
    }
  }
  if (arguments.litmus != nullptr) {
    return litmus_command(
        arguments.litmus,
        arguments.json,
        arguments.options.reduction ? Search::Reduction::reads_from : Search::Reduction::none);
  }
  if (arguments.replay != nullptr) return replay_command(arguments);
  if (arguments.options.seed != 0 && arguments.options.seconds == 0) arguments.options.seconds = 2;

  std::vector<const Exploration*> tests;
  for (const char* const name : arguments.tests) {
    const Exploration* const test = Exploration::find(name);
    if (test == nullptr) return usage(std::string("no test is called '") + name + "'");
    tests.push_back(test);
  }
  if (tests.empty()) tests = Exploration::all();
  if (arguments.names) {
    for (const Exploration* const test : tests) std::printf("%s\n", test->name);
    return 0;
  }
  int failed = 0;
  std::uint64_t executions = 0;
  double seconds = 0;
  for (const Exploration* const test : tests) {
    const Report report = explore(*test, arguments.options);
    print(*test, report, arguments.json);
    executions += report.executions;
    seconds += report.seconds;
    if (report.failure == Failure::none) continue;
    ++failed;
    if (!arguments.json) print_failure(*test, report, arguments);
  }
  if (!arguments.json && tests.size() > 1) {
    std::printf("%zu tests, %d failed, %llu executions in %.1f s\n",
                tests.size(),
                failed,
                static_cast<unsigned long long>(executions),
                seconds);
  }
  if (!arguments.json && arguments.list) {
    std::printf("Never shown: load buffering. Order of seq_cst accesses: that of execution.\n");
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace chappe::explore
