// The forms of co_await, and what this compiler makes of them.
//
// Allowed forms (what tools/lint_await lets pass) must be right on every compiler. Forbidden ones
// that g++ 12 gets right, must still be: were one to turn wrong, the lint would be all that
// protects us. Those that g++ 12 gets wrong run in a process of their own and are reported: on
// clang they must be right, on g++ they may be either, and the report says when a newer g++ has
// mended one.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/compiler/task.h"

namespace forms {
namespace {

Task<int> number(int k) {
  co_return k;
}
Task<bool> truth(bool b) {
  co_return b;
}
Task<std::pair<int, int>> pair_of(int a, int b) {
  co_return std::pair(a, b);
}
Task<Tracked> tracked(int k) {
  co_return Tracked(k);
}
Task<int> fails() {
  throw 7;
  co_return 0;
}

struct Aggregate {
  Tracked first;
  Tracked second;
};
class Built {
 public:
  Built(int a, int b) : first_(a), second_(b) {}
  int sum() const { return first_.value() + second_.value(); }

 private:
  Tracked first_;
  Tracked second_;
};

// By value: the parameter is moved into the frame, where a double destruction shows.
Task<int> sum_of(Aggregate both) {
  co_return both.first.value() + both.second.value();
}
Task<int> sum_built(Built both) {
  co_return both.sum();
}
Task<int> sum_pair(std::pair<Tracked, Tracked> both) {
  co_return both.first.value() + both.second.value();
}
Task<int> sum_vector(std::vector<Tracked> all) {
  int sum = 0;
  for (const Tracked& one : all) sum += one.value();
  co_return sum;
}
template <class Call>
Task<int> call(Call f) {
  co_return f();
}
Task<int> add(int a, int b) {
  co_return a + b;
}

// ---- allowed: a statement, or the whole right-hand side ----

Task<int> statement() {
  co_await number(1);
  co_return 33;
}
Task<int> declaration_then_test() {
  const int k = co_await number(3);
  if (k) co_return 33;
  co_return 0;
}
Task<int> assignment_then_switch() {
  int k = 0;
  k = co_await number(3);
  switch (k) {
    case 3:
      co_return 33;
    default:
      break;
  }
  co_return 0;
}
Task<int> declaration_in_a_loop() {
  int sum = 0;
  for (int i = 0; i < 10; ++i) {
    const int k = co_await number(i);
    if (k == 7) break;
    sum += k;
  }
  co_return sum + 12;  // 0 + 1 + … + 6 = 21
}
Task<int> branch_of_an_if() {
  int k = 0;
  if (k == 0) k = co_await number(30);
  if (k == 30)
    co_await number(1);
  else
    k = co_await number(99);
  co_return k + 3;
}
Task<int> structured_binding() {
  auto [a, b] = co_await pair_of(30, 3);
  co_return a + b;
}
Task<int> named_aggregate_moved_in() {
  Aggregate both{Tracked(30), Tracked(3)};
  const int sum = co_await sum_of(std::move(both));
  co_return sum;
}
Task<int> constructor_as_argument() {
  const int sum = co_await sum_built(Built(30, 3));
  co_return sum;
}
Task<int> pair_as_argument() {
  const int sum = co_await sum_pair(std::pair(Tracked(30), Tracked(3)));
  co_return sum;
}
Task<int> vector_as_argument() {
  const int sum = co_await sum_vector(std::vector<Tracked>(3, Tracked(11)));
  co_return sum;
}
Task<int> named_lambda_moved_in() {
  const Tracked held(33);
  auto f = [held] { return held.value(); };
  const int k = co_await call(std::move(f));
  co_return k;
}
Task<int> conditional_argument() {
  bool ready = true;
  const int k = co_await number(ready ? 33 : 0);
  co_return k;
}
Task<int> captures_of_an_invoked_lambda() {
  const Tracked held(33);
  auto f = [held]() -> Task<int> {
    co_await number(1);
    co_return held.value();
  };
  const int k = co_await f();
  co_return k;
}
Task<int> exception_through() {
  try {
    co_await fails();
  } catch (int k) {
    co_return k + 26;
  }
  co_return 0;
}
Task<int> really_suspended() {
  const int k = co_await Deferred(3);
  if (k == 3) co_return 33;
  co_return 0;
}

// ---- forbidden by the lint, and right on g++ 12 all the same ----

Task<int> init_statement_of_an_if() {
  if (auto x = co_await number(3); x > 0) co_return 33;
  co_return 0;
}
Task<int> declaration_in_a_condition() {
  if (int x = co_await number(3)) co_return x + 30;
  co_return 0;
}
Task<int> while_with_an_operand() {
  int n = 0;
  while (co_await truth(true) && n < 33) ++n;
  co_return n;
}
Task<int> for_condition_and_step() {
  int sum = 0;
  for (int i = 0; i < co_await number(3); i += co_await number(1)) sum += 11;
  co_return sum;
}
Task<int> conditional_operands_of_numbers() {
  bool ready = true;
  int k = ready ? co_await number(33) : co_await number(0);
  co_return k;
}
Task<int> logical_operand() {
  bool both = co_await truth(true) && co_await truth(true);
  co_return both ? 33 : 0;
}
Task<int> index() {
  std::array<int, 3> a{0, 0, 33};
  co_return a[static_cast<std::size_t>(co_await number(2))];
}
Task<int> compound_assignment() {
  int k = 30;
  k += co_await number(3);
  co_return k;
}
Task<int> nested_arguments() {
  int k = co_await add(co_await number(30), co_await number(3));
  co_return k;
}
Task<int> while_condition_and_break() {
  int n = 0;
  while (co_await truth(true)) {
    if (++n == 33) break;
    if (n > 40) co_return n;
  }
  co_return n;
}
Task<int> await_inside_new() {
  std::unique_ptr<Built> both(new Built((co_await tracked(30)).value(), co_await number(3)));
  co_return both->sum();
}

// ---- forbidden by the lint, and wrong on g++ 12 ----

Task<int> if_condition() {
  if (co_await number(3)) co_return 33;
  co_return 0;
}
Task<int> if_negated() {
  if (!co_await number(0)) co_return 33;
  co_return 0;
}
Task<int> if_compared() {
  if (co_await number(3) == 3) {
    co_return 33;
  }
  co_return 0;
}
Task<int> switch_condition() {
  switch (co_await number(3)) {
    case 3:
      co_return 33;
    default:
      break;
  }
  co_return 0;
}
Task<int> while_condition_only_break() {
  while (co_await truth(true)) break;
  co_return 33;
}
Task<int> if_condition_suspended() {
  if (co_await Deferred(3)) co_return 33;
  co_return 0;
}
Task<int> aggregate_as_argument() {
  const int sum = co_await sum_of(Aggregate{Tracked(30), Tracked(3)});
  co_return sum;
}
Task<int> designated_aggregate_as_argument() {
  const int sum = co_await sum_of(Aggregate{.first = Tracked(30), .second = Tracked(3)});
  co_return sum;
}
Task<int> await_inside_braces() {
  Aggregate both{Tracked(30), Tracked(co_await number(3))};
  co_return both.first.value() + both.second.value();
}
Task<int> lambda_with_captures_as_argument() {
  const Tracked held(33);
  const int k = co_await call([held] { return held.value(); });
  co_return k;
}
Task<int> object_by_new() {
  std::unique_ptr<Tracked> one(new Tracked(co_await tracked(33)));
  co_return one->value();
}
Task<int> conditional_operands_of_objects() {
  bool ready = true;
  Tracked one = ready ? co_await tracked(33) : Tracked(0);
  co_return one.value();
}

#ifdef __clang__
constexpr int kClang = __clang_major__;
constexpr int kGcc = 0;
#else
constexpr int kClang = 0;
constexpr int kGcc = __GNUC__;
#endif

enum class Kind { allowed, right_on_gcc_12, wrong_on_gcc_12 };
struct Form {
  const char* name;
  Kind kind;
  Task<int> (*make)();
};

#define FORM(kind, name)    \
  Form {                    \
    #name, Kind::kind, name \
  }
const Form kForms[] = {
    FORM(allowed, statement),
    FORM(allowed, declaration_then_test),
    FORM(allowed, assignment_then_switch),
    FORM(allowed, declaration_in_a_loop),
    FORM(allowed, branch_of_an_if),
    FORM(allowed, structured_binding),
    FORM(allowed, named_aggregate_moved_in),
    FORM(allowed, constructor_as_argument),
    FORM(allowed, pair_as_argument),
    FORM(allowed, vector_as_argument),
    FORM(allowed, named_lambda_moved_in),
    FORM(allowed, conditional_argument),
    FORM(allowed, captures_of_an_invoked_lambda),
    FORM(allowed, exception_through),
    FORM(allowed, really_suspended),
    FORM(right_on_gcc_12, init_statement_of_an_if),
    FORM(right_on_gcc_12, declaration_in_a_condition),
    FORM(right_on_gcc_12, while_with_an_operand),
    FORM(right_on_gcc_12, for_condition_and_step),
    FORM(right_on_gcc_12, conditional_operands_of_numbers),
    FORM(right_on_gcc_12, logical_operand),
    FORM(right_on_gcc_12, index),
    FORM(right_on_gcc_12, compound_assignment),
    FORM(right_on_gcc_12, nested_arguments),
    FORM(right_on_gcc_12, while_condition_and_break),
    FORM(right_on_gcc_12, await_inside_new),
    FORM(wrong_on_gcc_12, if_condition),
    FORM(wrong_on_gcc_12, if_negated),
    FORM(wrong_on_gcc_12, if_compared),
    FORM(wrong_on_gcc_12, switch_condition),
    FORM(wrong_on_gcc_12, while_condition_only_break),
    FORM(wrong_on_gcc_12, if_condition_suspended),
    FORM(wrong_on_gcc_12, aggregate_as_argument),
    FORM(wrong_on_gcc_12, designated_aggregate_as_argument),
    FORM(wrong_on_gcc_12, await_inside_braces),
    FORM(wrong_on_gcc_12, lambda_with_captures_as_argument),
    FORM(wrong_on_gcc_12, object_by_new),
    FORM(wrong_on_gcc_12, conditional_operands_of_objects),
};

constexpr int kExpected = 33;  // what every form returns when it is compiled right

enum Exit { right = 0, wrong_value = 1, wrong_destruction = 2, abandoned = 3 };

// Drives the form through its suspensions, if it has any, and looks at what it left behind.
int try_form(const Form& form) {
  int value = 0;
  {
    Task<int> task = form.make();
    task.await_ready();
    if (Deferred::waiting) std::exchange(Deferred::waiting, nullptr).resume();
    if (!task.done()) return abandoned;
    value = task.await_resume();
  }
  if (value != kExpected) return wrong_value;
  if (Tracked::faults != 0 || Tracked::living != 0) return wrong_destruction;
  return right;
}

const char* isolated(const Form& form) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    // What a crash says is the sanitizer's or the kernel's talk: the verdict is ours.
    close(STDERR_FILENO);
    alarm(20);
    _exit(try_form(form));
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return WTERMSIG(status) == SIGALRM ? "hangs" : "crashes";
  switch (WEXITSTATUS(status)) {
    case right:
      return nullptr;
    case wrong_value:
      return "wrong value";
    case wrong_destruction:
      return "destroyed twice, or never";
    case abandoned:
      return "never ends";
    default:
      return "stopped by a sanitizer";
  }
}

}  // namespace
}  // namespace forms

int main() {
  using namespace forms;
  int failed = 0;
  int mended = 0;
  int wrong = 0;
  for (const Form& form : kForms) {
    const char* const fault = isolated(form);
    const bool may_be_wrong = kGcc != 0 && form.kind == Kind::wrong_on_gcc_12;
    const char* remark = "";
    if (fault && may_be_wrong) remark = ", as the table says";
    if (fault && !may_be_wrong) remark = "  <-- FAILED";
    if (!fault && may_be_wrong) remark = ": this g++ gets it right";
    if (fault && may_be_wrong) ++wrong;
    if (fault && !may_be_wrong) ++failed;
    if (!fault && may_be_wrong) ++mended;
    std::printf("%-34s %-9s %s%s\n",
                form.name,
                form.kind == Kind::allowed ? "allowed" : "forbidden",
                fault ? fault : "right",
                remark);
  }
  if (kGcc == 0) {
    if (!CHAPPE_BRACED_LIST_COMPILES) ++failed;
    std::printf("clang %d: %d of all forms wrong\n", kClang, failed);
    return failed == 0 ? 0 : 1;
  }
  std::printf(
      "g++ %d: %d forbidden forms wrong, %d right that g++ 12 gets wrong\n", kGcc, wrong, mended);
  std::printf("a braced list of variables in an await expression: %s\n",
              CHAPPE_BRACED_LIST_COMPILES ? "compiles" : "does not compile, as the table says");
  // The lint exists because of these. On the g++ it was written for, none wrong means that this
  // test has stopped seeing them.
  if (kGcc == 12 && wrong == 0) {
    std::printf("g++ 12 suddenly gets everything right: this test is broken\n");
    ++failed;
  }
  return failed == 0 ? 0 : 1;
}
