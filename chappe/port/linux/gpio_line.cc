#include "chappe/port/linux/gpio_line.h"

#include <fcntl.h>
#include <linux/gpio.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace chappe::port {
namespace {

constexpr const char* kConsumer = "chappe";

std::string in_words(const GpioPlace& place) {
  return "line " + std::to_string(place.line) + " of " + place.chip;
}

// Who has the line, as its owner calls itself.
std::string owner_of(int chip, std::uint32_t line) {
  gpio_v2_line_info info{};
  info.offset = line;
  if (::ioctl(chip, GPIO_V2_GET_LINEINFO_IOCTL, &info) != 0) return {};
  return std::string(info.consumer, ::strnlen(info.consumer, sizeof info.consumer));
}

std::string why_not_opened(const std::string& chip, int error) {
  switch (error) {
    case ENOENT:
      return chip +
             " is not there; 'ls /dev/gpiochip*' shows which are, [board] gpiochip says "
             "which to use";
    case EACCES:
    case EPERM:
      return chip +
             " may not be opened by this user; add it to the group of the device: "
             "'sudo usermod -aG gpio USER', and log in anew";
    default:
      return chip + " cannot be opened: " + std::strerror(error);
  }
}

std::string why_not_ours(const GpioPlace& place, int chip, int error) {
  switch (error) {
    case EBUSY: {
      const std::string owner = owner_of(chip, place.line);
      return in_words(place) + " is in use" +
             (owner.empty() ? std::string() : " by \"" + owner + "\"") +
             "; stop that program, or take the pin from it (dtoverlay in the boot configuration)";
    }
    case EINVAL:
      return in_words(place) + " does not exist or cannot do this; is it the right chip and pin?";
    default:
      return in_words(place) + " cannot be had: " + std::strerror(error);
  }
}

std::uint64_t flags_of(GpioLine::Use use) {
  switch (use) {
    case GpioLine::Use::input:
      return GPIO_V2_LINE_FLAG_INPUT;
    case GpioLine::Use::rising_edges:
      return GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_EDGE_RISING;
    case GpioLine::Use::output_low:
    case GpioLine::Use::output_high:
      return GPIO_V2_LINE_FLAG_OUTPUT;
  }
  return 0;
}

}  // namespace

std::string header_gpio_chip() {
  constexpr int kChips = 16;
  for (int i = 0; i < kChips; ++i) {
    const std::string path = "/dev/gpiochip" + std::to_string(i);
    const OwnedFd chip(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (chip.get() < 0) continue;
    gpiochip_info info{};
    if (::ioctl(chip.get(), GPIO_GET_CHIPINFO_IOCTL, &info) != 0) continue;
    const std::string_view label(info.label, ::strnlen(info.label, sizeof info.label));
    // Raspberry Pi 5, and those before it.
    if (label == "pinctrl-rp1" || label.starts_with("pinctrl-bcm")) return path;
  }
  return "/dev/gpiochip0";
}

Result<GpioLine, std::string> GpioLine::open(const GpioPlace& place, Use use) {
  const OwnedFd chip(::open(place.chip.c_str(), O_RDWR | O_CLOEXEC));
  if (chip.get() < 0) return Unexpected(why_not_opened(place.chip, errno));
  gpio_v2_line_request request{};
  request.offsets[0] = place.line;
  request.num_lines = 1;
  std::strncpy(request.consumer, kConsumer, sizeof request.consumer - 1);
  request.config.flags = flags_of(use);
  if (use == Use::output_high) {
    // In the request itself, so that the line is never low in between.
    request.config.num_attrs = 1;
    request.config.attrs[0].attr.id = GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES;
    request.config.attrs[0].attr.values = 1;
    request.config.attrs[0].mask = 1;
  }
  if (::ioctl(chip.get(), GPIO_V2_GET_LINE_IOCTL, &request) != 0) {
    return Unexpected(why_not_ours(place, chip.get(), errno));
  }
  // Reading edges must not block; the ioctls do not mind.
  ::fcntl(request.fd, F_SETFL, ::fcntl(request.fd, F_GETFL) | O_NONBLOCK);
  ::fcntl(request.fd, F_SETFD, FD_CLOEXEC);
  return GpioLine(request.fd);
}

bool GpioLine::get() const noexcept {
  gpio_v2_line_values values{};
  values.mask = 1;
  if (::ioctl(fd_.get(), GPIO_V2_LINE_GET_VALUES_IOCTL, &values) != 0) return false;
  return (values.bits & 1) != 0;
}

void GpioLine::set(bool high) const noexcept {
  gpio_v2_line_values values{};
  values.mask = 1;
  values.bits = high ? 1 : 0;
  static_cast<void>(::ioctl(fd_.get(), GPIO_V2_LINE_SET_VALUES_IOCTL, &values));
}

bool GpioLine::take_edge(Edge& edge) const noexcept {
  gpio_v2_line_event event{};
  if (::read(fd_.get(), &event, sizeof event) != sizeof event) return false;
  edge.monotonic_ns = event.timestamp_ns;
  return true;
}

}  // namespace chappe::port
