#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chappe/async/executor.h"
#include "chappe/port/linux/linux_port.h"

namespace chappe::port {
namespace {

using async::Executor;
using async::Task;
using async::TaskSlot;

class DescriptorTest : public testing::Test {
 protected:
  // Until nothing more comes.
  void run() {
    for (int quiet = 0; quiet < 3;) {
      port_.wait(Time{});
      port_.dispatch();
      quiet = executor_.step() ? 0 : quiet + 1;
    }
  }

  LinuxPort port_;
  Executor executor_{port_};
};

constexpr std::uint32_t kAll =
    Descriptor::kReadable | Descriptor::kWritable | Descriptor::kHangUp | Descriptor::kError;

Task<> wait_on(sync::Flags& direction, std::uint32_t mask, std::uint32_t& bits) {
  bits = co_await direction.wait(mask);
}

// The reader of a pipe goes away: an error of whoever writes, and of nobody else.
TEST_F(DescriptorTest, AnErrorOfWritingLeavesAReaderAlone) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  std::uint32_t read = 0;
  std::uint32_t written = 0;
  {
    Descriptor descriptor(port_, executor_.wakes(), ends[1]);
    TaskSlot<512> slots[2];
    executor_.spawn(slots[0], "reader", wait_on, descriptor.reading(), kAll, read);
    const std::uint32_t troubles = Descriptor::kError | Descriptor::kHangUp;
    executor_.spawn(slots[1], "writer", wait_on, descriptor.writing(), troubles, written);
    run();
    ::close(ends[0]);
    run();
    EXPECT_EQ(written & Descriptor::kError, Descriptor::kError);
    EXPECT_EQ(read, 0u);
  }
  ::close(ends[1]);
}

TEST_F(DescriptorTest, CancellingAReaderLeavesTheWriterItsInterest) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  std::uint32_t read = 0;
  std::uint32_t written = 0;
  {
    Descriptor descriptor(port_, executor_.wakes(), ends[0]);
    run();
    static_cast<void>(descriptor.writing().take(kAll));
    const char block[4096] = {};
    while (::write(ends[0], block, sizeof block) > 0) {
    }
    TaskSlot<512> slots[2];
    executor_.spawn(slots[0], "reader", wait_on, descriptor.reading(), kAll, read);
    executor_.spawn(
        slots[1], "writer", wait_on, descriptor.writing(), Descriptor::kWritable, written);
    run();
    EXPECT_EQ(written, 0u);
    slots[0].cancel();
    char sink[4096];
    while (::read(ends[1], sink, sizeof sink) > 0) {
    }
    run();
    EXPECT_EQ(written, Descriptor::kWritable);
  }
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace chappe::port
