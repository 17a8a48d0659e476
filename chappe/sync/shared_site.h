#pragma once

#include "chappe/base/site.h"
#include "chappe/sync/word.h"

namespace chappe::sync {

/// A place in the source that other contexts may read while its owner writes it: for dumps and
/// panics, which can live with half of it being new.
class SharedSite {
 public:
  Site read() const { return {file_.load(Order::relaxed), line_.load(Order::relaxed)}; }
  void write(Site site) {
    file_.store(site.file, Order::relaxed);
    line_.store(site.line, Order::relaxed);
  }

 private:
  Word<const char*> file_{"?"};  // writer: the owner of the field around it
  Word<std::uint32_t> line_{0};  // the same
};

}  // namespace chappe::sync
