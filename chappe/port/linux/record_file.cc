#include "chappe/port/linux/record_file.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace chappe::port {
namespace {

Unexpected<std::string> failed(const std::string& path, const char* what) {
  return Unexpected(path + ": " + what + ": " + std::strerror(errno));
}

}  // namespace

Result<std::unique_ptr<RecordFile>, std::string> RecordFile::open(sync::WakeList& wakes,
                                                                  const std::string& path,
                                                                  std::size_t record_bytes,
                                                                  std::size_t record_count) {
  OwnedFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  if (fd.get() < 0) return failed(path, "cannot be opened");
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return failed(path, "cannot be looked at");
  if (!S_ISREG(status.st_mode) || status.st_uid != ::geteuid() || (status.st_mode & 077) != 0) {
    return Unexpected(path + ": is not a plain file for its owner alone; move it away");
  }
  // Of two processes with one file each would undo what the other writes.
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return Unexpected(path + ": another process is using it");
  }
  const auto size = static_cast<off_t>(record_bytes * record_count);
  if (status.st_size < size) {
    const int error = ::posix_fallocate(fd.get(), 0, size);
    if (error != 0) {
      errno = error;
      return failed(path, "cannot reserve its room");
    }
  }
  OwnedFd requests(::eventfd(0, EFD_CLOEXEC));
  if (requests.get() < 0) return failed(path, "eventfd");
  return std::unique_ptr<RecordFile>(
      new RecordFile(wakes, std::move(fd), std::move(requests), record_bytes));
}

RecordFile::RecordFile(sync::WakeList& wakes,
                       OwnedFd fd,
                       OwnedFd requests,
                       std::size_t record_bytes)
    : fd_(std::move(fd)),
      requests_(std::move(requests)),
      record_bytes_(record_bytes),
      on_synced_(wakes) {
  // Signals are the main thread's: ours must not be the one that takes them.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &before);
  thread_ = std::thread([this] { sync_when_asked(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

RecordFile::~RecordFile() {
  stopping_.store(1, sync::Order::release);
  const std::uint64_t one = 1;
  static_cast<void>(!::write(requests_.get(), &one, sizeof one));
  thread_.join();
}

bool RecordFile::read(std::size_t record, std::span<std::uint8_t> out) {
  CHAPPE_CHECK(out.size() == record_bytes_);
  const ssize_t count =
      ::pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(record * record_bytes_));
  return count == static_cast<ssize_t>(out.size());
}

bool RecordFile::write(std::size_t record, Bytes bytes) noexcept {
  CHAPPE_CHECK(bytes.size() == record_bytes_);
  const ssize_t count =
      ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(record * record_bytes_));
  if (count != static_cast<ssize_t>(bytes.size())) write_failed_ = true;
  return !write_failed_;
}

std::uint32_t RecordFile::ask_sync() noexcept {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(requests_.get(), &one, sizeof one));
  return ++asked_;
}

void RecordFile::sync_when_asked() {
  for (;;) {
    std::uint64_t count = 0;
    if (::read(requests_.get(), &count, sizeof count) != sizeof count) {
      if (errno == EINTR) continue;
      sync_failed_.store(1, sync::Order::relaxed);
      return;
    }
    if (stopping_.load(sync::Order::acquire) != 0) return;
    if (::fdatasync(fd_.get()) != 0) sync_failed_.store(1, sync::Order::relaxed);
    synced_.fetch_add(static_cast<std::uint32_t>(count), sync::Order::release);
    on_synced_.set();
  }
}

}  // namespace chappe::port
