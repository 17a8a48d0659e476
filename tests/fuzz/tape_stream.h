#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

#include "chappe/async/stream.h"
#include "chappe/base/bytes.h"

namespace chappe::test {

/// The input, in pieces whose sizes are the input's own too; what comes back is kept.
class TapeStream final : public async::Stream {
 public:
  TapeStream(Bytes bytes, std::string& answers) : rest_(bytes), answers_(answers) {}
  async::Task<Result<std::size_t, async::StreamError>> read(std::span<std::uint8_t> out) override {
    if (rest_.empty()) co_return Unexpected(async::StreamError::closed);
    const std::size_t piece = 1 + rest_[0] % 200u;
    const std::size_t count = std::min({out.size(), rest_.size(), piece});
    std::copy_n(rest_.begin(), count, out.begin());
    rest_ = rest_.subspan(count);
    co_return count;
  }
  async::Task<Result<void, async::StreamError>> write(Bytes bytes) override {
    answers_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    co_return Result<void, async::StreamError>();
  }

 private:
  Bytes rest_;
  std::string& answers_;
};

}  // namespace chappe::test
