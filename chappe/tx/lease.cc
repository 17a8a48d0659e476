#include "chappe/tx/lease.h"

#include <algorithm>

#include "chappe/async/sleep.h"
#include "chappe/base/check.h"

namespace chappe::tx {
namespace {

constexpr Duration kSize = seconds(10);
// A radio may measure a frame a little longer than it was reserved.
constexpr Duration kMeasuredLonger = milliseconds(20);
constexpr Duration kRetryFirst = seconds(1);
constexpr Duration kRetryLast = minutes(1);

}  // namespace

Lease::Terms Lease::terms_for(std::span<const Rule> rules) {
  Rule longest{};
  for (const Rule& rule : rules) {
    if (rule.window > longest.window) longest = rule;
  }
  const Duration size = std::min(kSize, longest.limit / 10);
  return {size, size / 2};
}

Lease::Lease(async::Executor& executor,
             Ledger& ledger,
             Journal& journal,
             const AirtimeOwner& owner,
             const Terms& terms)
    : executor_(executor),
      ledger_(ledger),
      journal_(journal),
      owner_(owner),
      terms_(terms),
      news_(executor.wakes()) {}

Lease::~Lease() {
  stop();
}

void Lease::start(const Restart& from) {
  CHAPPE_CHECK(!started_);
  started_ = true;
  ledger_.restore(from.history());
  sequence_ = from.sequence;
  next_copy_ = from.next_copy;
  executor_.spawn(slot_, "airtime journal", &Lease::keep_promising, this);
}

void Lease::stop() {
  slot_.cancel();
}

RecordBytes Lease::closing_record() {
  encode_record(Duration::zero());
  return bytes_;
}

std::optional<Reservation> Lease::reserve(Duration airtime, Time now) {
  if (promise(airtime) != Promise::given) return std::nullopt;
  auto reservation = ledger_.reserve(airtime, now);
  if (is_wanted()) wanted_.wake_one();
  return reservation;
}

Promise Lease::promise(Duration airtime) {
  if (airtime + kMeasuredLonger <= unused()) return Promise::given;
  asked_ = std::max(asked_, airtime + kMeasuredLonger);
  wanted_.wake_one();
  return failing_ ? Promise::failed : Promise::pending;
}

async::Task<> Lease::keep_promising() {
  Duration pause = kRetryFirst;
  for (;;) {
    while (!is_wanted()) co_await wanted_.wait("airtime to promise");
    // What is spent while this is being written was promised before, and counts against this.
    const Duration more = std::max(terms_.size, std::exchange(asked_, {})) + terms_.margin;
    const Duration promised = ledger_.total() + more;
    encode_record(more);
    const bool written = co_await write_both();
    if (written) {
      promised_ = promised;
      ++writes_;
      pause = kRetryFirst;
    } else {
      ++failures_;
    }
    failing_ = !written;
    news_.set();
    if (!written) {
      co_await async::sleep_for(executor_, pause);
      pause = std::min(2 * pause, kRetryLast);
    }
  }
}

// The copy that is not known to be whole and newest goes first, so that the other one stays until
// this one is.
async::Task<bool> Lease::write_both() {
  for (std::size_t i = 0; i < Journal::kCopies; ++i) {
    const bool written = co_await journal_.write(next_copy_, bytes_);
    if (!written) co_return false;
    next_copy_ = 1 - next_copy_;
  }
  co_return true;
}

void Lease::encode_record(Duration promised) {
  record_.sequence = ++sequence_;
  record_.owner = owner_;
  record_.written = journal_.clocks();
  record_.window = ledger_.longest_window();
  record_.promised = promised;
  record_.block_count = ledger_.history(executor_.now(), record_.blocks);
  bytes_ = encode(record_);
}

}  // namespace chappe::tx
