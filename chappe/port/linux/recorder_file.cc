#include "chappe/port/linux/recorder_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace chappe::port {
namespace {

constexpr std::size_t kBytes = sync::recorder_layout::bytes_for(RecorderFile::kSlots);

std::uint64_t microseconds(clockid_t clock) noexcept {
  timespec at{};
  ::clock_gettime(clock, &at);
  return static_cast<std::uint64_t>(at.tv_sec) * 1'000'000 +
         static_cast<std::uint64_t>(at.tv_nsec) / 1000;
}

// The clock of LinuxPort, so that times can be compared.
std::uint64_t recorder_clock() noexcept {
  return microseconds(CLOCK_BOOTTIME);
}

std::string problem(const std::string& path, const char* what) {
  return path + ": " + what + ": " + std::strerror(errno) + "; there is no flight recorder";
}

// True if the file is ours alone from now on, and still the one of that name.
bool claim(int fd, const std::string& path) {
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) return false;
  struct stat mine{};
  struct stat named{};
  return ::fstat(fd, &mine) == 0 && ::stat(path.c_str(), &named) == 0 &&
         mine.st_dev == named.st_dev && mine.st_ino == named.st_ino;
}

std::string older(const std::string& path, int age) {
  return age == 0 ? path : path + "." + std::to_string(age);
}

}  // namespace

Result<std::unique_ptr<RecorderFile>, std::string> RecorderFile::create(const std::string& path,
                                                                        std::string_view program) {
  const std::string taken =
      path + ": another chappe records here; this one keeps no flight recorder";
  std::string before;
  {
    const OwnedFd last(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    if (last.get() < 0 && errno != ENOENT) return Unexpected(problem(path, "cannot open"));
    if (last.get() >= 0) {
      if (!claim(last.get(), path)) return Unexpected(taken);
      for (int age = kKept - 1; age > 0; --age) {
        ::rename(older(path, age - 1).c_str(), older(path, age).c_str());
      }
      before = older(path, 1);
    }
  }
  const OwnedFd opened(
      ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (opened.get() < 0) return Unexpected(problem(path, "cannot create"));
  // Never as standard error, if that was closed: the words of a panic would go into the file.
  OwnedFd fd(::fcntl(opened.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (fd.get() < 0) return Unexpected(problem(path, "cannot create"));
  if (!claim(fd.get(), path)) return Unexpected(taken);
  // All blocks now: a disk that is full later must not end a process that writes to the mapping.
  if (const int error = ::posix_fallocate(fd.get(), 0, kBytes); error != 0) {
    errno = error;
    const std::string words = problem(path, "no room");
    ::unlink(path.c_str());
    return Unexpected(words);
  }
  void* const bytes =
      ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd.get(), 0);
  if (bytes == MAP_FAILED) return Unexpected(problem(path, "cannot map"));
  return std::unique_ptr<RecorderFile>(new RecorderFile(
      std::move(fd), static_cast<std::byte*>(bytes), path, std::move(before), program));
}

RecorderFile::RecorderFile(
    OwnedFd fd, std::byte* bytes, std::string path, std::string before, std::string_view program)
    : fd_(std::move(fd)),
      bytes_(bytes),
      path_(std::move(path)),
      before_(std::move(before)),
      memory_({bytes_, kBytes},
              kSlots,
              {microseconds(CLOCK_REALTIME), static_cast<std::uint32_t>(::getpid()), program},
              &recorder_clock) {
  memory_.install();
  note(Note::start, 0, static_cast<std::uint32_t>(::getpid()));
}

// The mapping stays: a thread that is in note() at this moment still may write to it. It keeps the
// open file, so the lock has to be given back by name.
RecorderFile::~RecorderFile() {
  ::flock(fd_.get(), LOCK_UN);
}

}  // namespace chappe::port
