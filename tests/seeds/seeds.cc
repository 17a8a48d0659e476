// The five problems that Chappe grew from: each on a naive variant, then on Chappe.
#include <cstdio>
#include <string>

#include "tests/seeds/demonstration.h"

int main() {
  using chappe::seeds::Demonstration;
  constexpr Demonstration (*kAll[])() = {chappe::seeds::demonstrate_000,
                                         chappe::seeds::demonstrate_001,
                                         chappe::seeds::demonstrate_002,
                                         chappe::seeds::demonstrate_003,
                                         chappe::seeds::demonstrate_004};
  int failed = 0;
  for (const auto demonstrate : kAll) {
    const Demonstration shown = demonstrate();
    std::printf("%s  %s\n", shown.number, shown.problem);
    std::printf("    naive   %s%s\n",
                shown.naive.c_str(),
                shown.naive_has_the_bug ? "" : "   <- THE BUG DID NOT SHOW");
    std::printf("    chappe  %s%s\n\n",
                shown.chappe.c_str(),
                shown.chappe_is_clean ? "" : "   <- NOT CLEAN");
    failed += shown.naive_has_the_bug && shown.chappe_is_clean ? 0 : 1;
    std::fflush(stdout);
  }
  std::printf("%d of 5 shown\n", 5 - failed);
  return failed == 0 ? 0 : 1;
}
