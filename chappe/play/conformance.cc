#include <algorithm>
#include <map>
#include <ostream>
#include <set>
#include <vector>

#include "chappe/play/commands.h"
#include "chappe/play/kinds.h"
#include "chappe/play/session.h"
#include "chappe/play/vector_file.h"

namespace chappe::play {
namespace {

struct Tally {
  std::int64_t passed = 0;
  std::int64_t otherwise = 0;  // of those that passed: a quirk, answered our documented way
  std::int64_t failed = 0;
  std::int64_t not_built = 0;  // neither passed nor failed
  std::int64_t left_out = 0;   // inputs of any of them that were not compared
};

SessionResult of(const Failure& failure) {
  using Outcome = SessionResult::Outcome;
  return failure ? SessionResult{Outcome::failed, *failure, 0}
                 : SessionResult{Outcome::passed, {}, 0};
}

bool is_session(std::string_view kind) {
  return kind == "forward" || kind == "server" || kind == "timing" || kind == "cli";
}

SessionResult check(const VectorItem& item) {
  using Schema = VectorItem::Schema;
  using Outcome = SessionResult::Outcome;
  switch (item.schema) {
    case Schema::packet_vector: {
      if (is_session(item.kind)) {
        const auto session = session_from(item.value);
        return session ? play(*session) : SessionResult{Outcome::failed, "cannot be read", 0};
      }
      const CheckVector checker = check_for(item.kind);
      if (checker == nullptr) return {Outcome::failed, "kind is not known or not built", 0};
      return of(checker(item.value));
    }
    case Schema::exact_airtime:
      return of(check_exact_airtime(item.value));
    case Schema::oracle_airtime:
      return of(check_oracle_airtime(item.value, item.at));
    case Schema::scenario: {
      const auto scenario = scenario_from(item.value);
      return scenario ? play(*scenario) : SessionResult{Outcome::failed, "cannot be read", 0};
    }
  }
  return {Outcome::failed, "unknown schema", 0};
}

std::string base_name(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

void add(const SessionResult& result, Tally& tally) {
  using Outcome = SessionResult::Outcome;
  tally.left_out += result.left_out;
  switch (result.outcome) {
    case Outcome::passed_otherwise:
      ++tally.otherwise;
      [[fallthrough]];
    case Outcome::passed:
      ++tally.passed;
      return;
    case Outcome::failed:
      ++tally.failed;
      return;
    case Outcome::not_built:
      ++tally.not_built;
      return;
  }
}

std::string counted(std::int64_t count, const char* one, const char* many) {
  return std::to_string(count) + ' ' + (count == 1 ? one : many);
}

// What a number of passed ones does not say.
std::vector<std::string> remarks(const Tally& tally) {
  std::vector<std::string> words;
  if (tally.otherwise > 0) words.push_back(counted(tally.otherwise, "quirk", "quirks"));
  if (tally.not_built > 0) words.push_back(std::to_string(tally.not_built) + " not built");
  if (tally.left_out > 0) {
    words.push_back(counted(tally.left_out, "input", "inputs") + " left out");
  }
  return words;
}

void print_json(const std::string& name, const Tally& tally, std::ostream& out) {
  Json line = Json::object();
  line.set("kind", name).set("passed", tally.passed).set("failed", tally.failed);
  if (tally.otherwise > 0) line.set("quirks", tally.otherwise);
  if (tally.not_built > 0) line.set("not_built", tally.not_built);
  if (tally.left_out > 0) line.set("inputs_left_out", tally.left_out);
  out << line.dump() << '\n';
}

void print(const std::string& name, const Tally& tally, bool json, std::ostream& out) {
  if (json) return print_json(name, tally, out);
  out << name << ' ' << tally.passed << ' ' << tally.failed;
  const char* between = " (";
  for (const std::string& remark : remarks(tally)) {
    out << between << remark;
    between = ", ";
  }
  if (!remarks(tally).empty()) out << ')';
  out << '\n';
}

}  // namespace

int conformance(const ConformanceOptions& options, std::ostream& out, std::ostream& talk) {
  if (options.files.empty()) {
    talk << "no file: give at least one vector file\n";
    return kExitUsage;
  }
  std::set<std::string> wanted(options.kinds.begin(), options.kinds.end());
  std::set<std::string> met;
  Tally total;
  for (const std::string& path : options.files) {
    const std::string file = base_name(path);
    std::map<std::string, Tally> tallies;
    const auto trouble = read_vectors(path, [&](const VectorItem& item) {
      if (!wanted.empty() && !wanted.contains(item.kind)) return;
      met.insert(item.kind);
      Tally& tally = tallies[item.kind];
      const SessionResult result = check(item);
      add(result, tally);
      const bool failed = result.outcome == SessionResult::Outcome::failed;
      const bool not_built = result.outcome == SessionResult::Outcome::not_built;
      if (failed || options.verbose) {
        talk << (failed      ? "FAIL "
                 : not_built ? "none "
                             : "pass ")
             << file << '/' << item.kind << ' ' << item.name;
        if (!result.why.empty()) talk << ": " << result.why;
        talk << '\n';
      }
    });
    if (trouble) {
      talk << path << ": " << *trouble << '\n';
      return kExitUsage;
    }
    for (const auto& [kind, tally] : tallies) {
      std::string name(file);
      name.append("/").append(kind);
      print(name, tally, options.json, out);
      total.passed += tally.passed;
      total.otherwise += tally.otherwise;
      total.failed += tally.failed;
      total.not_built += tally.not_built;
      total.left_out += tally.left_out;
    }
  }
  // A kind that was asked for and is nowhere must not look like a success.
  for (const std::string& kind : wanted) {
    if (met.contains(kind)) continue;
    talk << "no vector of kind " << kind << '\n';
    print("-/" + kind, {.failed = 1}, options.json, out);
    ++total.failed;
  }
  if (options.json) {
    print("total", total, true, out);
  } else {
    out << total.passed << " passed, " << total.failed << " failed";
    for (const std::string& remark : remarks(total)) out << ", " << remark;
    out << '\n';
  }
  return total.failed == 0 ? kExitOk : kExitFailed;
}

}  // namespace chappe::play
