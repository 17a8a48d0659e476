#pragma once

#include "chappe/base/site.h"
#include "chappe/sync/shared_state.h"

namespace chappe::sync {

/// A place in the source that other contexts may read while its owner writes it: for dumps and
/// panics, which can live with half of it being new.
class SharedSite {
 public:
  Site read() const { return {file_.load(), line_.load()}; }
  void write(Site site) {
    file_.store(site.file);
    line_.store(site.line);
  }

 private:
  static constexpr SharedState kFileState{
      .name = "SharedSite::file",
      .purpose = "a place in the source: its file",
      .writers = Who::any,
      .readers = Who::any,
      .protection = "only the owner of the field around it writes; half of it may be new",
      .orders = Orders::relaxed};
  SharedHint<const char*, kFileState> file_{"?"};
  static constexpr SharedState kLineState{.name = "SharedSite::line",
                                          .purpose = "a place in the source: its line",
                                          .writers = Who::any,
                                          .readers = Who::any,
                                          .protection = "as the file",
                                          .orders = Orders::relaxed};
  SharedHint<std::uint32_t, kLineState> line_{0};
};

}  // namespace chappe::sync
