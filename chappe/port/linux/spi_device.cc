#include "chappe/port/linux/spi_device.h"

#include <fcntl.h>
#include <linux/spi/spidev.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>

namespace chappe::port {
namespace {

std::string why_not_opened(const std::string& path, int error) {
  switch (error) {
    case ENOENT:
    case ENXIO:
    case ENODEV:
      return path +
             " is not there; is SPI switched on (on a Raspberry Pi: 'sudo raspi-config "
             "nonint do_spi 0', then restart), and is it this bus and chip select "
             "('ls /dev/spidev*')?";
    case EACCES:
    case EPERM:
      return path +
             " may not be opened by this user; add it to the group of the device: "
             "'sudo usermod -aG spi USER', and log in anew";
    case EBUSY:
      return path + " is in use by another program";
    default:
      return path + " cannot be opened: " + std::strerror(error);
  }
}

}  // namespace

Result<SpiDevice, std::string> SpiDevice::open(const std::string& path, std::uint32_t hertz) {
  OwnedFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (fd.get() < 0) return Unexpected(why_not_opened(path, errno));
  // Two programs on one chip would each see a chip gone mad.
  struct flock whole{};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (::fcntl(fd.get(), F_OFD_SETLK, &whole) != 0 && (errno == EAGAIN || errno == EACCES)) {
    return Unexpected(path + " is in use by another program");
  }
  std::uint8_t mode = SPI_MODE_0;
  std::uint8_t bits = 8;
  if (::ioctl(fd.get(), SPI_IOC_WR_MODE, &mode) != 0) {
    return Unexpected(path + (errno == ENOTTY ? " is no SPI device"
                                              : std::string(" cannot be set to mode 0: ") +
                                                    std::strerror(errno)));
  }
  if (::ioctl(fd.get(), SPI_IOC_WR_BITS_PER_WORD, &bits) != 0 ||
      ::ioctl(fd.get(), SPI_IOC_WR_MAX_SPEED_HZ, &hertz) != 0) {
    return Unexpected(path + " cannot be set to " + std::to_string(hertz) +
                      " Hz: " + std::strerror(errno));
  }
  return SpiDevice(fd.release(), hertz);
}

bool SpiDevice::transfer(std::span<std::uint8_t> bytes) const noexcept {
  spi_ioc_transfer transfer{};
  transfer.tx_buf = reinterpret_cast<std::uintptr_t>(bytes.data());
  transfer.rx_buf = transfer.tx_buf;
  transfer.len = static_cast<std::uint32_t>(bytes.size());
  transfer.speed_hz = hertz_;
  transfer.bits_per_word = 8;
  return ::ioctl(fd_.get(), SPI_IOC_MESSAGE(1), &transfer) == static_cast<int>(bytes.size());
}

}  // namespace chappe::port
