#include "chappe/base/panic.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <string>
#include <thread>

#include "chappe/base/check.h"
#include "chappe/sync/mutex.h"
#include "chappe/sync/recorder_image.h"
#include "chappe/sync/recorder_memory.h"

namespace chappe::sync {
namespace {

std::uint64_t clock_us = 5000;
std::uint64_t test_clock() noexcept {
  return clock_us;
}

/// A process of its own that panics, and the memory it leaves behind, as a restart finds it.
class AfterPanic : public testing::Test {
 protected:
  static constexpr std::size_t kSlots = 64;
  static constexpr std::size_t kBytes = recorder_layout::bytes_for(kSlots);

  AfterPanic() {
    memory_ = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  }
  ~AfterPanic() override { ::munmap(memory_, kBytes); }

  // The signal that ended the child.
  int run(const std::function<void(RecorderMemory&)>& body) {
    const pid_t child = ::fork();
    if (child == 0) {
      std::signal(SIGABRT, SIG_DFL);
      ::close(STDERR_FILENO);
      RecorderMemory recorder(
          {static_cast<std::byte*>(memory_), kBytes}, kSlots, {0, 1, "test"}, &test_clock);
      recorder.install();
      clock_us = 9000;
      body(recorder);
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }

  RecorderImage image() const {
    return *RecorderImage::open({static_cast<const std::uint8_t*>(memory_), kBytes});
  }
  PanicArea panic_record() const {
    const auto panic = image().panic();
    EXPECT_TRUE(panic) << "no record";
    return panic.value_or(PanicArea{});
  }
  std::string told() const {
    const PanicArea area = panic_record();
    return std::string(area.words(area.record.what));
  }

  void* memory_;
};

TEST_F(AfterPanic, TheRecordTellsWhatWhereWhenAndItsNumbers) {
  EXPECT_EQ(run([](RecorderMemory&) {
              panic("the flux is out of line",
                    Site{"/x/chappe/tx/ledger.cc", 17},
                    {PanicCode::account, 3, 4});
            }),
            SIGABRT);
  const PanicArea area = panic_record();
  EXPECT_EQ(area.words(area.record.what), "the flux is out of line");
  EXPECT_EQ(area.words(area.record.site.file), "chappe/tx/ledger.cc");
  EXPECT_EQ(area.record.site.line, 17u);
  EXPECT_EQ(area.record.code, static_cast<std::uint16_t>(PanicCode::account));
  EXPECT_EQ(area.record.a, 3u);
  EXPECT_EQ(area.record.b, 4u);
  EXPECT_EQ(area.record.uptime_us, 4000u);
  EXPECT_EQ(area.record.build, image().header().build);
  EXPECT_EQ(area.words(area.record.agent), "");
}

TEST_F(AfterPanic, TheRecordTellsWhoRanAndWhichLocksItHeldAndSinceWhere) {
  run([](RecorderMemory&) {
    static constexpr LockClass kDisk{"disk", 10};
    static constexpr LockClass kJournal{"journal", 20};
    Mutex disk(kDisk);
    Mutex journal(kJournal);
    Worker worker("writer");
    const auto outer = disk.lock(worker, Site{"chappe/a.cc", 1});
    const auto inner = journal.lock(worker, Site{"chappe/b.cc", 2});
    CHAPPE_CHECK(worker.kind() == Agent::Kind::task);
  });
  const PanicArea area = panic_record();
  EXPECT_EQ(told(), "check failed: worker.kind() == Agent::Kind::task");
  EXPECT_EQ(area.record.code, static_cast<std::uint16_t>(PanicCode::check));
  EXPECT_EQ(area.words(area.record.agent), "writer");
  EXPECT_EQ(area.record.agent_kind, static_cast<unsigned>(RunsIn::worker));
  ASSERT_EQ(area.record.held_count, 2u);
  EXPECT_EQ(area.words(area.record.held[0].lock), "disk");
  EXPECT_EQ(area.words(area.record.held[0].taken.file), "chappe/a.cc");
  EXPECT_EQ(area.record.held[0].taken.line, 1u);
  EXPECT_EQ(area.record.held[0].rank, 10u);
  EXPECT_EQ(area.words(area.record.held[1].lock), "journal");
}

TEST_F(AfterPanic, TheRecordFollowsTheChainOfWhoHoldsTheLockItIsAbout) {
  run([](RecorderMemory&) {
    static constexpr LockClass kDisk{"disk", 10};
    Mutex disk(kDisk);
    Worker worker("writer");
    const auto outer = disk.lock(worker, Site{"chappe/a.cc", 1});
    const auto again = disk.lock(worker, Site{"chappe/a.cc", 9});
  });
  const PanicArea area = panic_record();
  EXPECT_EQ(area.record.code, static_cast<std::uint16_t>(PanicCode::lock));
  ASSERT_EQ(area.record.chain_count, 1u);
  EXPECT_EQ(area.words(area.record.chain[0].lock), "disk");
  EXPECT_EQ(area.words(area.record.chain[0].holder), "writer");
  EXPECT_EQ(area.words(area.record.chain[0].since.file), "chappe/a.cc");
  EXPECT_EQ(area.record.chain[0].since.line, 1u);
}

TEST_F(AfterPanic, TheRadioIsSafeBeforeAnythingIsWritten) {
  static RecorderMemory* recorder = nullptr;
  run([](RecorderMemory& memory) {
    recorder = &memory;
    set_panic_hook(
        [](void*, std::string_view) noexcept {
          // Standing in for the radio: what it can see of the panic when it is called.
          const bool nothing_yet = !recorder->panic().is_there();
          recorder->recorder().write(Note::radio_recovery, nothing_yet ? 1 : 2, 0);
        },
        nullptr);
    panic("over");
  });
  std::vector<RecorderImage::Entry> all;
  image().for_each([&](const auto& entry) { all.push_back(entry); });
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].note, static_cast<std::uint32_t>(Note::radio_recovery));
  EXPECT_EQ(all[0].a, 1u) << "the record was there before the radio was safe";
  EXPECT_EQ(all[1].note, static_cast<std::uint32_t>(Note::panic));
  EXPECT_EQ(image().state(), RecorderLive::panicked);
}

TEST_F(AfterPanic, ASecondPanicInTheHookDoesNotOverwriteTheFirst) {
  EXPECT_EQ(run([](RecorderMemory&) {
              set_panic_hook(
                  [](void*, std::string_view) noexcept { panic("the hook is broken too"); },
                  nullptr);
              panic("the cause");
            }),
            SIGABRT);
  EXPECT_EQ(told(), "the cause");
}

TEST_F(AfterPanic, ASecondThreadsPanicWaitsForTheEndOfTheFirst) {
  EXPECT_EQ(run([](RecorderMemory&) {
              set_panic_hook(
                  [](void*, std::string_view) noexcept {
                    // While the first is making its radio safe, another thread falls over it.
                    std::thread([] { panic("the consequence"); }).detach();
                    std::this_thread::sleep_for(std::chrono::milliseconds(50));
                  },
                  nullptr);
              panic("the cause");
            }),
            SIGABRT);
  EXPECT_EQ(told(), "the cause");
}

TEST_F(AfterPanic, LongWordsAreCutAndTheRecordIsWhole) {
  run([](RecorderMemory&) { panic(std::string(2000, 'x')); });
  EXPECT_LT(told().size(), 2000u);
  EXPECT_TRUE(told().ends_with("xxxxxxx...")) << told();
}

TEST_F(AfterPanic, ADamagedRecordIsSaidAndNotBelieved) {
  run([](RecorderMemory&) { panic("the cause"); });
  static_cast<char*>(memory_)[recorder_layout::kPanic + sizeof(PanicRecord) + 3] ^= 1;
  EXPECT_FALSE(image().panic());
  EXPECT_TRUE(image().panic_is_damaged());
}

TEST_F(AfterPanic, WithoutAPanicThereIsNoRecord) {
  EXPECT_EQ(run([](RecorderMemory& memory) { memory.end(); }), 0);
  EXPECT_FALSE(image().panic());
  EXPECT_FALSE(image().panic_is_damaged());
}

}  // namespace
}  // namespace chappe::sync
