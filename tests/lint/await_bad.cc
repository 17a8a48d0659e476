// Every form that tools/lint_await must refuse, marked where it must say so. Never compiled.
#define TRY(x) ({ auto r = co_await x; r; })  // bad
Task<int> bad() {
  if (co_await f()) co_return 1;          // bad
  if (!co_await f()) co_return 1;         // bad
  if (int x = co_await f()) co_return x;  // bad
  if (auto x = co_await f(); x > 0) {     // bad
  }
  switch (co_await f()) {  // bad
  }
  while (co_await f()) break;            // bad
  while ((x = co_await f()) > 0) break;  // bad
  do {
  } while (co_await f());            // bad
  for (int i = co_await f(); i;) {   // bad
  }
  for (auto x : co_await f()) {  // bad
  }
  for (int i = 0; i < co_await f(); ++i) {  // bad
  }
  int a = ready ? co_await f() : 0;       // bad
  int b = ready ? 0 : co_await f();       // bad
  int c = co_await f() ? 1 : 2;           // bad
  bool d = ready && co_await f();         // bad
  bool e = co_await f() && ready;         // bad
  bool g = co_await f() || ready;         // bad
  int h = co_await f() + 1;               // bad
  int i = 1 + co_await f();               // bad
  bool same = co_await f() == 3;          // bad
  a += co_await f();                      // bad
  a = b = co_await f();                   // bad
  int k = 1, l = co_await f();            // bad
  int m = co_await f(), o = 2;            // bad
  g(co_await f());                        // bad
  g(1,
    co_await f(),                         // bad
    2);
  co_await g(co_await f());               // bad
  co_await g(Agg{1, 2});                  // bad
  co_await g({1, 2});                     // bad
  co_await g(
      Agg{.a = 1,                         // bad
          .b = 2});
  co_await g([x] { return x; });          // bad
  co_await g([x](int y) { return y; });   // bad
  Agg p{co_await f(), 1};                 // bad
  Agg q{co_await f()};                    // bad
  Agg r = {co_await f()};                 // bad
  auto* s = new T(co_await f());          // bad
  auto* t = co_await g(new T(1));         // bad
  auto u = (co_await f()).value();        // bad
  static_cast<void>(co_await f());        // bad
  EXPECT_EQ(co_await f(), 3);             // bad
  auto v = [w = co_await f()] {};         // bad
  auto y = ({
    co_await f();                         // bad
  });
  values[co_await f()] = 1;               // bad
  delete co_await f();                    // bad
  throw co_await f();                     // bad
  co_yield co_await f();                  // bad
  co_return co_await f();                 // bad
}
