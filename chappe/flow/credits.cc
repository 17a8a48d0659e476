#include "chappe/flow/credits.h"

#include "chappe/base/check.h"
#include "chappe/base/note.h"
#include "chappe/base/text.h"

namespace chappe::flow {

Credit& Credit::operator=(Credit&& other) noexcept {
  if (this != &other) {
    give_back();
    credits_ = other.credits_;
    lane_ = other.lane_;
    other.credits_ = nullptr;
  }
  return *this;
}

void Credit::give_back() noexcept {
  if (credits_ == nullptr) return;
  Credits& credits = *credits_;
  credits_ = nullptr;
  credits.release(lane_, 1);
}

Credits::Credits(sync::WakeList& wakes, const Limits& limits)
    : limits_(limits),
      rooms_{sync::Signal(wakes), sync::Signal(wakes), sync::Signal(wakes), sync::Signal(wakes)},
      idle_(wakes) {
  CHAPPE_CHECK(limits.total >= 1);
  CHAPPE_CHECK(limits.total <= kUsed);
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    CHAPPE_CHECK(limits.lane_max[lane] <= limits.total);
    CHAPPE_CHECK(limits.kept_free[lane] <= limits.total);
  }
}

Credits::~Credits() {
  const std::uint32_t word = word_.load(sync::Order::acquire);
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    if (used(word, lane) == 0) continue;
    Text<160> words;
    words.add("credits: destroyed while lane ").add(lane).add(" uses ").add(used(word, lane));
    panic(words.view());
  }
}

bool Credits::may_take(std::uint32_t word, std::size_t lane) const {
  return (word & kClosed) == 0 && used(word, lane) < limits_.lane_max[lane] &&
         total(word) + limits_.kept_free[lane] < limits_.total;
}

// The want bits of lanes that were refused and could proceed now.
std::uint32_t Credits::payable(std::uint32_t word) const {
  std::uint32_t wants = 0;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const std::uint32_t want = kWant << shift(lane);
    if ((word & want) != 0 && may_take(word, lane)) wants |= want;
  }
  return wants;
}

void Credits::pay(std::uint32_t paid_wants) noexcept {
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    if ((paid_wants & kWant << shift(lane)) == 0) continue;
    note(Note::paid, static_cast<std::uint32_t>(lane), 1);
    rooms_[lane].set();
  }
}

Credit Credits::try_take(std::uint8_t lane) noexcept {
  CHAPPE_CHECK(lane < kLanes);
  const auto step = word_.update(
      [&](std::uint32_t word) {
        // Taking clears the lane's want: its last answer is no longer a refusal.
        if (may_take(word, lane)) return (word & ~(kWant << shift(lane))) + (1u << shift(lane));
        // Owed only if room can ever come: a lane that may use nothing is never paid.
        if (limits_.lane_max[lane] == 0) return word;
        return word | kWant << shift(lane);
      },
      sync::Order::acq_rel);
  if (used(step.after, lane) > used(step.before, lane)) return Credit(*this, lane);
  note(Note::refused, lane, total(step.after));
  return {};
}

async::Task<Credit> Credits::take(std::uint8_t lane) {
  for (;;) {
    Credit credit = try_take(lane);
    if (credit) co_return credit;
    co_await rooms_[lane].next();
  }
}

void Credits::release(std::uint8_t lane, std::uint8_t count) noexcept {
  CHAPPE_CHECK(lane < kLanes);
  const auto step = word_.update(
      [&](std::uint32_t word) {
        if (used(word, lane) < count) return word;
        const std::uint32_t less = word - (std::uint32_t{count} << shift(lane));
        return less & ~payable(less);
      },
      sync::Order::acq_rel);
  if (count != 0 && step.after == step.before) [[unlikely]] {
    Text<160> words;
    words.add("credits: underflow: lane ").add(lane).add(" releases ").add(count);
    words.add(" and uses ").add(used(step.before, lane));
    panic(words.view(), Site::here(), {PanicCode::account, lane, count});
  }
  pay(step.before & ~step.after & kAllWants);
  if (count != 0 && total(step.after) == 0) idle_.set();
}

Credits::Snapshot Credits::read() const noexcept {
  const std::uint32_t word = word_.load(sync::Order::acquire);
  Snapshot all;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    all.used[lane] = static_cast<std::uint8_t>(used(word, lane));
    all.wanted[lane] = (word & kWant << shift(lane)) != 0;
  }
  all.total = static_cast<std::uint8_t>(total(word));
  all.closed = (word & kClosed) != 0;
  return all;
}

bool Credits::try_close() noexcept {
  std::uint32_t nothing = 0;
  return word_.compare_exchange(nothing, kClosed, sync::Order::acq_rel, sync::Order::relaxed);
}

void Credits::open() noexcept {
  const auto step = word_.update(
      [&](std::uint32_t word) {
        if ((word & kClosed) == 0) return word;
        const std::uint32_t opened = word & ~kClosed;
        return opened & ~payable(opened);
      },
      sync::Order::acq_rel);
  if ((step.before & kClosed) == 0) [[unlikely]]
    panic("credits: opened, and nobody had closed them");
  pay(step.before & ~step.after & kAllWants);
}

}  // namespace chappe::flow
