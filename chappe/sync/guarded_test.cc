#include "chappe/sync/guarded.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "chappe/sync/mutex.h"

namespace chappe::sync {
namespace {

constexpr LockClass kCounts{"counts", 0};
constexpr LockClass kOther{"other", 0};
constexpr LockClass kJournal{"journal", 10};

struct Counts {
  std::uint64_t one = 0;
  std::uint64_t two = 0;
};

TEST(GuardedThreads, ManyThreadsChangeItAndNobodySeesHalfAChange) {
  Guarded<Counts> counts(kCounts);
  constexpr std::uint64_t kTurns = 20'000;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (std::uint64_t n = 0; n < kTurns; ++n) {
        counts.with([](Counts& all) {
          EXPECT_EQ(all.one, all.two);
          ++all.one;
          ++all.two;
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counts.with([](Counts& all) { return all.one; }), 4 * kTurns);
}

TEST(GuardedDeathTest, ASectionInASectionNamesBoth) {
  Guarded<Counts> counts(kCounts);
  Guarded<Counts> other(kOther);
  EXPECT_DEATH(counts.with([&](Counts&) { other.with([](Counts&) {}); }),
               "section 'other' at chappe/sync/guarded_test.cc:[0-9]+ inside section 'counts', "
               "entered at chappe/sync/guarded_test.cc:[0-9]+: a section never nests");
}

TEST(GuardedDeathTest, ALockInASectionNamesBoth) {
  Guarded<Counts> counts(kCounts);
  Mutex mutex(kJournal);
  Worker me("saver");
  EXPECT_DEATH(counts.with([&](Counts&) { static_cast<void>(mutex.lock(me)); }),
               "lock 'journal' at .* inside section 'counts', entered at");
}

TEST(GuardedDeathTest, WhoWaitsTooLongForASectionNamesWhoIsInIt) {
  Guarded<Counts> counts(kCounts);
  EXPECT_DEATH(
      {
        std::atomic<bool> inside{false};
        std::thread slow([&] {
          counts.with([&](Counts&) {
            inside = true;
            std::this_thread::sleep_for(std::chrono::hours(1));
          });
        });
        while (!inside) std::this_thread::yield();
        counts.with([](Counts&) {});
      },
      "section 'counts' awaited at chappe/sync/guarded_test.cc:[0-9]+ is not left by who entered "
      "it at chappe/sync/guarded_test.cc:[0-9]+");
}

}  // namespace
}  // namespace chappe::sync
