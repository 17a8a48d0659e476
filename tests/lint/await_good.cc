// Every form that tools/lint_await lets pass. Never compiled; tests/compiler compiles the forms.
Task<int> good(Radio& radio, bool ready) {
  co_await radio.reset();
  int a = co_await radio.number();
  const Result<int, Trouble> b = co_await radio.number();
  auto&& c = co_await radio.number();
  auto [first, second] = co_await radio.pair();
  std::map<int, std::pair<int, int>> d = co_await radio.map();
  a = co_await radio.number();
  this->total_[a + 1] = co_await radio.number();
  *pointer = co_await std::move(task);
  std::get<0>(tuple) = co_await radio.number(a, ready ? 1 : 2, b && c);
  const Outcome outcome =
      co_await radio.transmit(  // a comment with { braces } and "words"
          right,
          frame);
  co_await when_any<Radio, Timer>(radio.wait(), timer_.at(deadline));
  if (ready) co_await radio.reset();
  if (ready)
    a = co_await radio.number();
  else
    co_await radio.reset();
  for (int i = 0; i < 3; ++i) co_await radio.step(i);
  while (ready) {
    ready = co_await radio.number();
  }
  do {
    co_await radio.reset();
  } while (ready);
  switch (a) {
    case 1:
      co_await radio.reset();
      break;
    default: a = co_await radio.number();
  }
  if (ready) [[unlikely]] co_await radio.reset();
again:
  co_await radio.number(1'000, 'x', "if (co_await f()) {", '\'');
  const auto words = R"(co_await in { raw
      if (co_await text))";
  /* if (co_await comment) */
  auto operation = [a]() -> Task<int> {
    co_await other(a);
    co_return a;
  };
  int e = co_await operation();
  int f = co_await static_cast<Task<int>&&>(task);
  co_await* pointer_to_task;
  co_return a;
}
struct Awaitable {
  Awaiter operator co_await() const;
};
