#include <algorithm>
#include <map>
#include <ostream>
#include <set>

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
};

SessionResult of(const Failure& failure) {
  using Outcome = SessionResult::Outcome;
  return failure ? SessionResult{Outcome::failed, *failure} : SessionResult{Outcome::passed, {}};
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
        return session ? play(*session) : SessionResult{Outcome::failed, "cannot be read"};
      }
      const CheckVector checker = check_for(item.kind);
      if (checker == nullptr) return {Outcome::failed, "kind is not known or not built"};
      return of(checker(item.value));
    }
    case Schema::exact_airtime:
      return of(check_exact_airtime(item.value));
    case Schema::oracle_airtime:
      return of(check_oracle_airtime(item.value, item.at));
    case Schema::scenario: {
      const auto scenario = scenario_from(item.value);
      return scenario ? play(*scenario) : SessionResult{Outcome::failed, "cannot be read"};
    }
  }
  return {Outcome::failed, "unknown schema"};
}

std::string base_name(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

void print(const std::string& name, const Tally& tally, bool json, std::ostream& out) {
  if (json) {
    Json line = Json::object();
    line.set("kind", name).set("passed", tally.passed).set("failed", tally.failed);
    if (tally.otherwise > 0) line.set("quirks", tally.otherwise);
    out << line.dump() << '\n';
    return;
  }
  out << name << ' ' << tally.passed << ' ' << tally.failed;
  if (tally.otherwise > 0) {
    out << " (" << tally.otherwise << (tally.otherwise == 1 ? " quirk)" : " quirks)");
  }
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
      const bool passed = result.outcome == SessionResult::Outcome::passed ||
                          result.outcome == SessionResult::Outcome::passed_otherwise;
      ++(passed ? tally.passed : tally.failed);
      if (result.outcome == SessionResult::Outcome::passed_otherwise) ++tally.otherwise;
      if (!passed || options.verbose) {
        talk << (passed ? "pass " : "FAIL ") << file << '/' << item.kind << ' ' << item.name;
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
    }
  }
  // A kind that was asked for and is nowhere must not look like a success.
  for (const std::string& kind : wanted) {
    if (met.contains(kind)) continue;
    talk << "no vector of kind " << kind << '\n';
    print("-/" + kind, {0, 0, 1}, options.json, out);
    ++total.failed;
  }
  if (options.json) {
    print("total", total, true, out);
  } else {
    out << total.passed << " passed, " << total.failed << " failed\n";
  }
  return total.failed == 0 ? kExitOk : kExitFailed;
}

}  // namespace chappe::play
