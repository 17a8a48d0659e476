#include "chappe/port/linux/journal/journal_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "chappe/base/check.h"
#include "chappe/base/hex.h"

namespace chappe::port {
namespace {

// A page each: no block of a disk holds bytes of both.
constexpr off_t kPage = 4096;
static_assert(tx::Journal::kBytesMax <= kPage);

std::string failure(const std::string& path, const char* what) {
  return path + ": " + what + ": " + std::strerror(errno);
}

// Which run of the kernel this is: 16 bytes as digits and dashes.
std::optional<tx::BootId> boot_id() {
  const OwnedFd file(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  char text[64];
  const ssize_t count = ::read(file.get(), text, sizeof text);
  if (count <= 0) return std::nullopt;
  std::string digits;
  for (ssize_t i = 0; i < count; ++i) {
    if (hex_digit(text[i])) digits += text[i];
  }
  tx::BootId id{};
  const auto size = from_hex(digits, id);
  if (!size || *size != id.size()) return std::nullopt;
  return id;
}

std::int64_t now_us(clockid_t clock) {
  timespec at{};
  ::clock_gettime(clock, &at);
  return at.tv_sec * 1'000'000 + at.tv_nsec / 1000;
}

// Kept right by a time server, to a second. Setting it by hand, or a start without one, is not.
bool wall_is_set() {
  constexpr long kErrorMaxUs = 1'000'000;
  timex state{};
  return ::adjtimex(&state) != TIME_ERROR && state.maxerror < kErrorMaxUs;
}

bool sync_folder_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const OwnedFd file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return file.get() >= 0 && ::fsync(file.get()) == 0;
}

// One copy, as much of it as there is.
tx::RecordBytes read_copy(int file, std::size_t copy) {
  std::array<std::uint8_t, tx::Journal::kBytesMax> bytes{};
  std::size_t size = 0;
  while (size < bytes.size()) {
    const off_t at = static_cast<off_t>(copy) * kPage + static_cast<off_t>(size);
    const ssize_t count = ::pread(file, bytes.data() + size, bytes.size() - size, at);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    size += static_cast<std::size_t>(count);
  }
  return tx::RecordBytes(Bytes(bytes).first(size));
}

}  // namespace

Result<std::unique_ptr<JournalFile>, std::string> JournalFile::open(const std::string& path,
                                                                    sync::WakeList& wakes) {
  tx::Found found;
  found.place = tx::Found::Place::file;
  int number = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (number < 0 && errno == ENOENT) {
    found.place = tx::Found::Place::no_file;
    number = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  }
  OwnedFd file(number);
  if (file.get() < 0) return Unexpected(failure(path, "cannot be opened"));
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return Unexpected(failure(path, "cannot be looked at"));
  if (!S_ISREG(status.st_mode)) return Unexpected(path + ": is not a file");
  if ((status.st_mode & 022) != 0) {
    return Unexpected(path + ": others may write it; run: chmod 600 '" + path + "'");
  }
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    return Unexpected(path + ": another process is sending with this budget; is chappe running?");
  }
  if (found.place == tx::Found::Place::no_file) {
    // All the room it will ever need, and its name: what is kept later cannot fail for want of it.
    const int error = ::posix_fallocate(file.get(), 0, kPage * off_t{kCopies});
    if (error != 0) errno = error;
    if (error != 0 || ::fsync(file.get()) != 0 || !sync_folder_of(path)) {
      auto words = failure(path, "cannot be made");
      ::unlink(path.c_str());
      return Unexpected(std::move(words));
    }
  } else {
    for (std::size_t i = 0; i < kCopies; ++i) found.copies[i] = read_copy(file.get(), i);
  }
  const auto boot = boot_id();
  if (!boot) return Unexpected(std::string("/proc/sys/kernel/random/boot_id: cannot be read"));
  OwnedFd calls(::eventfd(0, EFD_CLOEXEC));
  if (calls.get() < 0) return Unexpected(failure(path, "eventfd"));
  return std::unique_ptr<JournalFile>(
      new JournalFile(path, std::move(file), std::move(calls), found, *boot, wakes));
}

JournalFile::JournalFile(std::string path,
                         OwnedFd file,
                         OwnedFd calls,
                         const tx::Found& found,
                         const tx::BootId& boot,
                         sync::WakeList& wakes)
    : path_(std::move(path)),
      file_(std::move(file)),
      calls_(std::move(calls)),
      found_(found),
      boot_(boot),
      done_(wakes),
      thread_(begin_thread()) {}

JournalFile::~JournalFile() {
  end_thread();
}

async::Task<bool> JournalFile::write(std::size_t copy, Bytes record) {
  // One that was cancelled is still with the thread.
  while (busy_) {
    co_await done_.next();
    busy_ = false;
  }
  ask_to_write(copy, record);
  co_await done_.next();
  busy_ = false;
  co_return written_.load(sync::Order::acquire) != 0;
}

bool JournalFile::write_now(std::size_t copy, Bytes record) {
  if (busy_) end_thread();  // a task was cancelled while the disk took its time
  return put(copy, record);
}

tx::ClockReading JournalFile::clocks() {
  tx::ClockReading reading;
  reading.boot = boot_;
  reading.now = at_us(now_us(CLOCK_BOOTTIME));
  reading.wall_us = now_us(CLOCK_REALTIME);
  reading.wall_is_set = wall_is_set();
  return reading;
}

// --- The thread ----------------------------------------------------------------------------------

// A thread begins with its maker's signals blocked or not: this one takes none, or it would take
// those that the program waits for elsewhere.
std::thread JournalFile::begin_thread() {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(&JournalFile::work, this);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

void JournalFile::work() {
  for (;;) {
    std::uint64_t count = 0;
    if (::read(calls_.get(), &count, sizeof count) < 0) continue;  // interrupted
    const auto request = static_cast<Request>(request_.load(sync::Order::acquire));
    if (request == Request::end) return;
    written_.store(put(copy_.read(), bytes_.read()) ? 1 : 0, sync::Order::release);
    done_.set();
  }
}

// No coroutine: the record's bytes are not to lie in a task's frame.
void JournalFile::ask_to_write(std::size_t copy, Bytes record) {
  copy_.write(copy);
  bytes_.write(tx::RecordBytes(record));
  busy_ = true;
  call(Request::write);
}

void JournalFile::call(Request request) {
  request_.store(static_cast<std::uint32_t>(request), sync::Order::release);
  const std::uint64_t one = 1;
  CHAPPE_CHECK(::write(calls_.get(), &one, sizeof one) == sizeof one);
}

void JournalFile::end_thread() {
  if (!thread_.joinable()) return;
  call(Request::end);
  thread_.join();
}

bool JournalFile::put(std::size_t copy, Bytes record) const {
  std::size_t done = 0;
  while (done < record.size()) {
    const off_t at = static_cast<off_t>(copy) * kPage + static_cast<off_t>(done);
    const ssize_t count = ::pwrite(file_.get(), record.data() + done, record.size() - done, at);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    done += static_cast<std::size_t>(count);
  }
  return ::fdatasync(file_.get()) == 0;
}

}  // namespace chappe::port
