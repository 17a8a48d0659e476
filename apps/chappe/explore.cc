#include "apps/chappe/explore.h"

#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <iostream>
#include <string>

namespace chappe::app {

int explore(char** words) {
  char path[PATH_MAX];
  const auto length = ::readlink("/proc/self/exe", path, sizeof path);
  std::string sibling = length > 0 ? std::string(path, static_cast<std::size_t>(length)) : "chappe";
  sibling.resize(sibling.rfind('/') + 1);
  sibling += "chappe-explore";
  // It reads "explore" as its own name.
  ::execv(sibling.c_str(), words + 1);
  std::cerr << "chappe: cannot run " << sibling << ": " << std::strerror(errno) << '\n';
  return 2;
}

}  // namespace chappe::app
