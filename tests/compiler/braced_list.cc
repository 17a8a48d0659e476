// A braced list of variables as an argument of an await expression. g++ 12: "array used as
// initializer".
#include <initializer_list>

#include "tests/compiler/task.h"

forms::Task<int> first_of(std::initializer_list<int> list) {
  co_return *list.begin();
}

forms::Task<int> braced(int a, int b) {
  const int k = co_await first_of({a, b});
  co_return k;
}

int main() {
  static_cast<void>(braced(1, 2));
}
