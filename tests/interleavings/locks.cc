// The worker's mutex, its own code down to the words: one at a time, nobody forgotten.

#include "chappe/explore/exploration.h"
#include "chappe/sync/mutex.h"

namespace chappe {
namespace {

constexpr sync::LockClass kClass{"shared", 10};

struct Shared {
  sync::Mutex mutex{kClass};
  sync::Plain<int> value{0};

  void add(sync::Worker& me) {
    const auto guard = mutex.lock(me);
    value.write(value.read() + 1);
  }
};

}  // namespace

CHAPPE_EXPLORE(mutex_two_agents_two_rounds) {
  auto& shared = x.make<Shared>("mutex");
  for (const char* const name : {"first", "second"}) {
    x.worker(name, [&, name] {
      sync::Worker me(name);
      shared.add(me);
      shared.add(me);
    });
  }
  x.finally([&] { x.expect(shared.value.read() == 4, "no update is lost"); });
}

// A busy worker cannot take it again before somebody who was in line when it released.
CHAPPE_EXPLORE(mutex_a_release_hands_over_to_who_waits) {
  auto& shared = x.make<Shared>("mutex");
  x.worker("busy", [&] {
    sync::Worker me("busy");
    bool in_line = false;
    {
      const auto guard = shared.mutex.lock(me);
      in_line = shared.mutex.waiting_count() == 1;
    }
    const auto guard = shared.mutex.lock(me);
    x.expect(!in_line || shared.value.read() == 1, "who waits comes first");
  });
  x.worker("waiter", [&] {
    sync::Worker me("waiter");
    shared.add(me);
  });
}

CHAPPE_EXPLORE(mutex_three_agents) {
  auto& shared = x.make<Shared>("mutex");
  for (const char* const name : {"first", "second", "third"}) {
    x.worker(name, [&, name] {
      sync::Worker me(name);
      shared.add(me);
    });
  }
  x.finally([&] { x.expect(shared.value.read() == 3, "no update is lost"); });
}

CHAPPE_EXPLORE(mutex_three_agents_two_rounds) {
  auto& shared = x.make<Shared>("mutex");
  for (const char* const name : {"first", "second", "third"}) {
    x.worker(name, [&, name] {
      sync::Worker me(name);
      shared.add(me);
      shared.add(me);
    });
  }
  x.finally([&] { x.expect(shared.value.read() == 6, "no update is lost"); });
}

CHAPPE_EXPLORE(mutex_try_lock_beside_a_lock) {
  auto& shared = x.make<Shared>("mutex");
  auto& got = x.make<int>("got", 0);
  x.worker("locker", [&] {
    sync::Worker me("locker");
    shared.add(me);
    shared.add(me);
  });
  x.worker("trier", [&] {
    sync::Worker me("trier");
    if (const auto guard = shared.mutex.try_lock(me)) {
      shared.value.write(shared.value.read() + 1);
      got = 1;
    }
  });
  x.finally([&] { x.expect(shared.value.read() == 2 + got, "no update is lost"); });
}

}  // namespace chappe
