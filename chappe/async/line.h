#pragma once

#include <string_view>

#include "chappe/async/stream.h"

namespace chappe::async {

/// A stream to one place, which can be opened again after it broke: a serial line, a connection.
/// Context: as for Stream.
class Line : public Stream {
 public:
  /// Tries once. Requires that it is closed. Cancelled, it is closed.
  virtual Task<Result<void, StreamError>> open() = 0;
  /// Ends both directions. Requires that nobody reads, writes or opens. Closed already: nothing.
  virtual void close() = 0;

  /// Where it leads, for people.
  virtual std::string_view name() const = 0;
  /// Why the last open() failed, for people.
  virtual std::string_view trouble() const = 0;
};

}  // namespace chappe::async
