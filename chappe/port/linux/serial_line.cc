#include "chappe/port/linux/serial_line.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "chappe/base/check.h"
#include "chappe/port/linux/owned_fd.h"

namespace chappe::port {
namespace {

struct Speed {
  std::int32_t bits_per_second;
  speed_t code;
};
constexpr std::array kSpeeds = {Speed{9'600, B9600},
                                Speed{19'200, B19200},
                                Speed{38'400, B38400},
                                Speed{57'600, B57600},
                                Speed{115'200, B115200},
                                Speed{230'400, B230400},
                                Speed{460'800, B460800},
                                Speed{500'000, B500000},
                                Speed{576'000, B576000},
                                Speed{921'600, B921600},
                                Speed{1'000'000, B1000000},
                                Speed{1'500'000, B1500000},
                                Speed{2'000'000, B2000000}};

speed_t code_of(std::int32_t bits_per_second) {
  const auto found = std::ranges::find(kSpeeds, bits_per_second, &Speed::bits_per_second);
  CHAPPE_CHECK(found != kSpeeds.end());
  return found->code;
}

}  // namespace

std::span<const std::int32_t> serial_speeds() {
  static const auto speeds = [] {
    std::array<std::int32_t, kSpeeds.size()> list{};
    std::ranges::transform(kSpeeds, list.begin(), &Speed::bits_per_second);
    return list;
  }();
  return speeds;
}

SerialLine::SerialLine(LinuxPort& port, sync::WakeList& wakes, std::string path, std::int32_t speed)
    : port_(port), wakes_(wakes), path_(std::move(path)), speed_(speed) {}

async::Task<Result<void, async::StreamError>> SerialLine::open() {
  CHAPPE_CHECK(!stream_);
  if (!try_open()) co_return Unexpected(async::StreamError::failed);
  co_return Result<void, async::StreamError>();
}

bool SerialLine::try_open() {
  const auto failed = [this](const char* what) {
    trouble_ = std::string(what) + ": " + std::strerror(errno);
    if (errno == EACCES) trouble_ += "; is this user in the group of the device (dialout)?";
    if (errno == EBUSY) trouble_ += "; does another program have it?";
    return false;
  };
  // Non-blocking: a line without a carrier would make open() wait for one.
  OwnedFd fd(::open(path_.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  if (fd.get() < 0) return failed("cannot be opened");
  termios line{};
  if (::tcgetattr(fd.get(), &line) != 0) return failed("is no serial line");
  ::cfmakeraw(&line);
  line.c_cflag |= CLOCAL | CREAD;
  line.c_cflag &= ~static_cast<tcflag_t>(CSTOPB | CRTSCTS);
  line.c_cc[VMIN] = 1;
  line.c_cc[VTIME] = 0;
  ::cfsetispeed(&line, code_of(speed_));
  ::cfsetospeed(&line, code_of(speed_));
  if (::tcsetattr(fd.get(), TCSANOW, &line) != 0) return failed("cannot be set up");
  if (::ioctl(fd.get(), TIOCEXCL) != 0) return failed("cannot be had alone");
  // What came before we were here may begin in the middle of anything.
  ::tcflush(fd.get(), TCIOFLUSH);
  trouble_.clear();
  stream_.emplace(port_, wakes_, fd.release());
  return true;
}

}  // namespace chappe::port
