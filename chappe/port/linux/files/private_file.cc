#include "chappe/port/linux/files/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace chappe::port {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int operator*() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_;
};

Unexpected<std::string> failed(const std::string& path, const std::string& what) {
  return Unexpected(path + ": " + what);
}

Unexpected<std::string> failed_call(const std::string& path, const char* what) {
  return failed(path, std::string(what) + ": " + std::strerror(errno));
}

Result<bool, std::string> make_directories(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return true;
  if (errno == ENOENT) {
    const std::size_t slash = path.find_last_of('/');
    if (slash != std::string::npos && slash > 0) {
      const auto parent = make_directories(path.substr(0, slash));
      if (!parent) return parent;
      if (::mkdir(path.c_str(), 0700) == 0) return true;
    }
  }
  if (errno == EEXIST) return false;
  return failed_call(path, "cannot make the directory");
}

std::optional<std::string> check_directory(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return failed_call(path, "cannot look at it").error();
  if (!S_ISDIR(status.st_mode)) return failed(path, "is not a directory").error();
  if ((status.st_mode & 022) != 0) {
    return failed(path,
                  "others may write here and could replace what is kept here; run: chmod go-w '" +
                      path + "'")
        .error();
  }
  return std::nullopt;
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(file, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// Whole and on the disk before it gets its name: a power cut leaves all of it or nothing.
std::optional<std::string> write_draft(const std::string& draft, std::string_view text) {
  const Descriptor file(
      ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return failed_call(draft, "cannot be made").error();
  if (write_all(*file, text) && ::fsync(*file) == 0) return std::nullopt;
  auto failure = failed_call(draft, "cannot be written").error();
  ::unlink(draft.c_str());
  return failure;
}

std::optional<std::string> make_names_durable(const std::string& path) {
  const Descriptor folder(::open(directory_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder && ::fsync(*folder) == 0) return std::nullopt;
  return failed_call(path, "cannot be made durable").error();
}

}  // namespace

Result<bool, std::string> make_private_directory(const std::string& path) {
  // "a/" is "a": or its own parent would be made, and then be found there already.
  const std::size_t last = path.find_last_not_of('/');
  const auto made = make_directories(last == std::string::npos ? path : path.substr(0, last + 1));
  if (!made) return made;
  if (const auto wrong = check_directory(path)) return Unexpected(*wrong);
  return made;
}

Result<std::optional<std::string>, std::string> read_private_file(const std::string& path,
                                                                  std::size_t bytes_max) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file) {
    if (errno == ENOENT) return std::optional<std::string>();
    if (errno == ELOOP) return failed(path, "is a symbolic link; it has to be a file");
    return failed_call(path, "cannot be opened");
  }
  struct stat status{};
  if (::fstat(*file, &status) != 0) return failed_call(path, "cannot be looked at");
  if (!S_ISREG(status.st_mode)) return failed(path, "is not a file");
  if (status.st_uid != ::geteuid()) {
    return failed(path, "belongs to another user, who could replace it");
  }
  if ((status.st_mode & 077) != 0) {
    return failed(path, "others may read or write what is secret; run: chmod 600 '" + path + "'");
  }
  std::string text(bytes_max + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t count = ::read(*file, text.data() + size, text.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed_call(path, "cannot be read");
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  text.resize(size);
  return std::optional(text);
}

Result<bool, std::string> create_private_file(const std::string& path,
                                              std::string_view text,
                                              const std::string& unique) {
  const std::string draft = path + "." + unique;
  if (auto failure = write_draft(draft, text)) return Unexpected(*std::move(failure));
  if (::renameat2(AT_FDCWD, draft.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) != 0) {
    const bool beaten = errno == EEXIST;
    auto failure = failed_call(path, "cannot be put in place");
    ::unlink(draft.c_str());
    if (beaten) return false;
    return failure;
  }
  if (auto failure = make_names_durable(path)) return Unexpected(*std::move(failure));
  return true;
}

std::optional<std::string> replace_private_file(const std::string& path,
                                                std::string_view text,
                                                const std::string& unique) {
  const std::string draft = path + "." + unique;
  if (auto failure = write_draft(draft, text)) return failure;
  if (::rename(draft.c_str(), path.c_str()) != 0) {
    auto failure = failed_call(path, "cannot be replaced").error();
    ::unlink(draft.c_str());
    return failure;
  }
  return make_names_durable(path);
}

}  // namespace chappe::port
