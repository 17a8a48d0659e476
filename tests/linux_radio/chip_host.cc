#include "tests/linux_radio/chip_host.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/fuse.h>
#include <linux/gpio.h>
#include <linux/seccomp.h>
#include <linux/spi/spidev.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <vector>

namespace chappe::test {
namespace {

constexpr const char* kGpioChip = "/dev/gpiochip0";
constexpr int kNotALine = 1 << 20;

template <class T>
bool peek(pid_t pid, std::uint64_t at, T* out, std::size_t size = sizeof(T)) {
  iovec here{out, size};
  iovec there{reinterpret_cast<void*>(at), size};
  return ::process_vm_readv(pid, &here, 1, &there, 1, 0) == static_cast<ssize_t>(size);
}
template <class T>
bool poke(pid_t pid, std::uint64_t at, const T* from, std::size_t size = sizeof(T)) {
  iovec here{const_cast<T*>(from), size};
  iovec there{reinterpret_cast<void*>(at), size};
  return ::process_vm_writev(pid, &here, 1, &there, 1, 0) == static_cast<ssize_t>(size);
}

// The guest's openat, and its ioctls of type 0xb4 (GPIO), are the supervisor's to answer.
int install_filter() {
  constexpr std::uint32_t kNr = offsetof(seccomp_data, nr);
  constexpr std::uint32_t kRequest = offsetof(seccomp_data, args) + 8;
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kNr),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_openat, 4, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_ioctl, 0, 4),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kRequest),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff00),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xb400, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog program{sizeof code / sizeof code[0], code};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
  return static_cast<int>(
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program));
}

std::uint64_t monotonic_ns() {
  timespec at{};
  ::clock_gettime(CLOCK_MONOTONIC, &at);
  return static_cast<std::uint64_t>(at.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(at.tv_nsec);
}

void non_blocking(int fd) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
}

}  // namespace

ChipHost::ChipHost() {
  mount();
}

ChipHost::~ChipHost() {
  file_slot_.cancel();
  lines_slot_.cancel();
  if (fuse_ >= 0) {
    ::close(fuse_);  // first: an unmount would wait for answers
    ::umount2(spi_.c_str(), MNT_DETACH);
  }
  if (!spi_.empty()) ::unlink(spi_.c_str());
  if (edges_ >= 0) ::close(edges_);
}

void ChipHost::mount() {
  // Nobody else shall see it, and it ends with us.
  if (::unshare(CLONE_NEWNS) != 0 ||
      ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    missing_ = std::string("no mount namespace of our own: ") + std::strerror(errno);
    return;
  }
  fuse_ = ::open("/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (fuse_ < 0) {
    missing_ = std::string("/dev/fuse: ") + std::strerror(errno);
    return;
  }
  char path[] = "/tmp/chappe-spidev-XXXXXX";
  const int file = ::mkstemp(path);
  ::close(file);
  spi_ = path;
  const std::string options =
      "fd=" + std::to_string(fuse_) + ",rootmode=100666,user_id=0,group_id=0,allow_other";
  if (::mount("chappe", path, "fuse", MS_NOSUID | MS_NODEV, options.c_str()) != 0) {
    missing_ = std::string("a FUSE file cannot be mounted: ") + std::strerror(errno);
    ::close(fuse_);
    fuse_ = -1;
  }
}

int ChipHost::run(const std::function<int()>& guest) {
  int told[2];
  if (::pipe2(told, O_CLOEXEC) != 0) return -1;
  int go[2];
  if (::pipe2(go, O_CLOEXEC) != 0) return -1;
  guest_ = ::fork();
  if (guest_ == 0) {
    const int listener = install_filter();
    static_cast<void>(!::write(told[1], &listener, sizeof listener));
    char ready = 0;
    static_cast<void>(!::read(go[0], &ready, 1));
    if (listener < 0) ::_exit(125);
    ::close(listener);
    ::_exit(guest());
  }
  int listener = -1;
  static_cast<void>(!::read(told[0], &listener, sizeof listener));
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, guest_, 0));
  lines_ = listener < 0 ? -1 : static_cast<int>(::syscall(SYS_pidfd_getfd, pidfd, listener, 0));
  if (lines_ < 0) {
    missing_ = "no seccomp supervisor";
  } else {
    non_blocking(lines_);
    chip_.listen(this);
    if (!file_slot_.alive()) {
      executor_.spawn(file_slot_, "file", &ChipHost::serve_file, this);
    }
    executor_.spawn(lines_slot_, "lines", &ChipHost::serve_lines, this);
    executor_.spawn(end_slot_, "end", &ChipHost::wait_for_end, this, pidfd);
  }
  static_cast<void>(!::write(go[1], "g", 1));
  if (lines_ >= 0) executor_.run();
  int status = 0;
  ::waitpid(guest_, &status, 0);
  lines_slot_.cancel();
  end_slot_.cancel();
  for (const int fd : {told[0], told[1], go[0], go[1], pidfd, lines_}) ::close(fd);
  lines_ = -1;
  line_of_.clear();
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

async::Task<> ChipHost::wait_for_end(int pidfd) {
  port::Descriptor end(port_, executor_.wakes(), pidfd);
  co_await end.reading().wait(port::Descriptor::kReadable);
  executor_.stop();
}

// --- The file --------------------------------------------------------------------------------

async::Task<> ChipHost::serve_file() {
  port::Descriptor file(port_, executor_.wakes(), fuse_);
  for (;;) {
    const ssize_t size = ::read(fuse_, request_, sizeof request_);
    if (size > 0) {
      co_await answer_file(static_cast<std::size_t>(size));
      continue;
    }
    if (errno == ENOENT || errno == EINTR) continue;  // it was taken back
    co_await file.reading().wait(port::Descriptor::kReadable);
  }
}

async::Task<> ChipHost::answer_file(std::size_t) {
  const auto& in = *reinterpret_cast<const fuse_in_header*>(request_);
  const std::uint8_t* const body = request_ + sizeof in;
  const std::uint64_t id = in.unique;
  std::uint8_t out[512] = {};
  std::size_t size = 0;
  int error = 0;
  switch (in.opcode) {
    case FUSE_INIT: {
      auto& answer = *reinterpret_cast<fuse_init_out*>(out);
      answer.major = FUSE_KERNEL_VERSION;
      answer.minor = 31;
      answer.max_write = 4096;
      size = sizeof answer;
      break;
    }
    case FUSE_GETATTR: {
      auto& answer = *reinterpret_cast<fuse_attr_out*>(out);
      answer.attr.ino = 1;
      answer.attr.mode = S_IFREG | 0666;
      answer.attr.nlink = 1;
      answer.attr_valid = 3600;
      size = sizeof answer;
      break;
    }
    case FUSE_OPEN:
      reinterpret_cast<fuse_open_out*>(out)->open_flags = FOPEN_DIRECT_IO;
      size = sizeof(fuse_open_out);
      break;
    case FUSE_RELEASE:
      break;
    case FUSE_IOCTL: {
      const auto& ask = *reinterpret_cast<const fuse_ioctl_in*>(body);
      auto& answer = *reinterpret_cast<fuse_ioctl_out*>(out);
      size = sizeof answer;
      if (ask.cmd == SPI_IOC_MESSAGE(1)) {
        // The kernel has brought the structure; the bytes it points to are the guest's.
        spi_ioc_transfer transfer{};
        std::memcpy(&transfer, body + sizeof ask, sizeof transfer);
        std::vector<std::uint8_t> bytes(transfer.len);
        ++transfers_;
        if (transfer.len > 4096 || !peek(guest_, transfer.tx_buf, bytes.data(), transfer.len)) {
          error = EFAULT;
          break;
        }
        const auto done = co_await chip_.transfer(bytes);
        if (done != radio::sx126x::BusStatus::ok ||
            !poke(guest_, transfer.rx_buf, bytes.data(), transfer.len)) {
          error = EIO;
          break;
        }
        answer.result = static_cast<std::int32_t>(transfer.len);
      } else if (ask.cmd != SPI_IOC_WR_MODE && ask.cmd != SPI_IOC_WR_BITS_PER_WORD &&
                 ask.cmd != SPI_IOC_WR_MAX_SPEED_HZ) {
        error = ENOTTY;
      }
      break;
    }
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT:
      co_return;  // wants no answer
    default:
      error = ENOSYS;
  }
  fuse_out_header head{};
  head.unique = id;
  head.error = -error;
  if (error != 0) size = 0;
  head.len = static_cast<std::uint32_t>(sizeof head + size);
  const iovec parts[] = {{&head, sizeof head}, {out, size}};
  static_cast<void>(!::writev(fuse_, parts, 2));
}

// --- The lines -------------------------------------------------------------------------------

async::Task<> ChipHost::serve_lines() {
  port::Descriptor lines(port_, executor_.wakes(), lines_);
  for (;;) {
    co_await lines.reading().wait(port::Descriptor::kReadable | port::Descriptor::kHangUp);
    pollfd more{lines_, POLLIN, 0};
    while (::poll(&more, 1, 0) == 1 && (more.revents & POLLIN) != 0) answer_line();
  }
}

void ChipHost::answer_line() {
  seccomp_notif asked{};
  if (::ioctl(lines_, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0) return;
  seccomp_notif_resp answer{};
  answer.id = asked.id;
  const auto pid = static_cast<pid_t>(asked.pid);
  const auto fd = static_cast<int>(asked.data.args[0]);
  if (asked.data.nr == __NR_openat) {
    // Up to the end of a page: what lies behind it may not be there.
    char path[64] = {};
    const std::uint64_t at = asked.data.args[1];
    const std::size_t size = std::min<std::size_t>(sizeof path - 1, 4096 - at % 4096);
    peek(pid, at, path, size);
    if (std::string(path).starts_with("/dev/gpiochip")) {
      if (std::string(path) != kGpioChip) {
        answer.error = -ENOENT;
      } else {
        // Any descriptor will do: what is asked of it comes here.
        const port::OwnedFd chip(::open("/dev/null", O_RDWR | O_CLOEXEC));
        seccomp_notif_addfd add{};
        add.id = asked.id;
        add.srcfd = static_cast<std::uint32_t>(chip.get());
        add.newfd_flags = O_CLOEXEC;
        const int given = ::ioctl(lines_, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
        line_of_[given] = kNotALine;
        answer.val = given;
      }
    } else {
      answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    }
  } else {
    ++requests_;
    const auto request = static_cast<std::uint32_t>(asked.data.args[1]);
    const std::uint64_t argument = asked.data.args[2];
    const auto line = line_of_.find(fd);
    gpio_v2_line_values values{};
    if (line == line_of_.end()) {
      answer.error = -ENOTTY;
    } else if (request == GPIO_GET_CHIPINFO_IOCTL) {
      gpiochip_info info{};
      std::strcpy(info.label, "pinctrl-bcm2711");
      info.lines = 58;
      poke(pid, argument, &info);
    } else if (request == GPIO_V2_GET_LINEINFO_IOCTL) {
      gpio_v2_line_info info{};
      std::strcpy(info.consumer, "somebody");
      poke(pid, argument, &info);
    } else if (request == GPIO_V2_GET_LINE_IOCTL) {
      answer.error = new_line(pid, asked.id, argument);
    } else if (request == GPIO_V2_LINE_GET_VALUES_IOCTL && peek(pid, argument, &values)) {
      const bool high = line->second == kBusy ? chip_.busy() : chip_.dio1();
      values.bits = high ? 1 : 0;
      poke(pid, argument, &values);
    } else if (request == GPIO_V2_LINE_SET_VALUES_IOCTL && peek(pid, argument, &values)) {
      if (line->second == kReset) chip_.set_reset((values.bits & 1) == 0);
    } else {
      answer.error = -EINVAL;
    }
  }
  ::ioctl(lines_, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

// Zero, or the error.
int ChipHost::new_line(pid_t pid, std::uint64_t id, std::uint64_t argument) {
  gpio_v2_line_request wanted{};
  if (!peek(pid, argument, &wanted)) return -EFAULT;
  const std::uint32_t line = wanted.offsets[0];
  if (line == kTaken) return -EBUSY;
  if (line != kReset && line != kBusy && line != kDio1) return -EINVAL;
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return -EMFILE;
  seccomp_notif_addfd add{};
  add.id = id;
  add.srcfd = static_cast<std::uint32_t>(ends[1]);
  const int given = ::ioctl(lines_, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
  ::close(ends[1]);
  if (line == kDio1) {
    if (edges_ >= 0) ::close(edges_);
    edges_ = ends[0];
    non_blocking(edges_);
  } else {
    ::close(ends[0]);
  }
  if (line == kReset) chip_.set_reset((wanted.config.attrs[0].attr.values & 1) == 0);
  line_of_[given] = line;
  wanted.fd = given;
  return poke(pid, argument, &wanted) ? 0 : -EFAULT;
}

void ChipHost::on_dio1(Time) noexcept {
  if (edges_ < 0) return;
  gpio_v2_line_event event{};
  event.timestamp_ns = monotonic_ns();
  event.id = GPIO_V2_LINE_EVENT_RISING_EDGE;
  event.offset = kDio1;
  static_cast<void>(!::send(edges_, &event, sizeof event, MSG_NOSIGNAL));
}

}  // namespace chappe::test
