#include "chappe/sync/wake_list.h"

#include "chappe/base/check.h"
#include "chappe/base/note.h"

namespace chappe::sync {
namespace {

// A mark no source can have as its address; never dereferenced.
alignas(8) constexpr char sleeping_mark[8] = {};

}  // namespace

WakeSource* WakeList::sleeping() noexcept {
  return reinterpret_cast<WakeSource*>(const_cast<char*>(sleeping_mark));
}

WakeSource::~WakeSource() {
  CHAPPE_CHECK(word_.load(Order::relaxed) == 0);
}

void WakeSource::first_or_too_many(std::uint32_t before) noexcept {
  if (before == 0) {
    list_->push(*this);
    return;
  }
  // One compare-exchange, not a subtraction: a drain in between would make that wrap.
  std::uint32_t now = word_.load(Order::relaxed);
  if (now > kFull) word_.compare_exchange(now, now - 1, Order::acq_rel, Order::relaxed);
}

void WakeSource::add_bits(std::uint32_t bits) noexcept {
  if (bits == 0) return;
  if (word_.fetch_or(bits, Order::acq_rel) == 0) list_->push(*this);
}

void WakeSource::drain() noexcept {
  list_->drain();
}

void WakeList::push(WakeSource& source) noexcept {
  WakeSource* head = head_.load(Order::relaxed);
  for (;;) {
    source.next_.write(head == sleeping() ? nullptr : head);
    if (head_.compare_exchange(head, &source, Order::release, Order::relaxed)) break;
  }
  if (head != sleeping()) return;
  port_.kick();
  note(Note::kick);
}

bool WakeList::drain() noexcept {
  // A plain load first: an executor that polls its list must not write to it when it is empty.
  WakeSource* stack = head_.load(Order::relaxed);
  if (stack == nullptr || stack == sleeping()) return false;
  stack = head_.exchange(nullptr, Order::acquire);

  WakeSource* oldest = nullptr;
  while (stack != nullptr) {
    WakeSource* const below = stack->next_.read();
    stack->next_.write(oldest);
    oldest = stack;
    stack = below;
  }
  while (oldest != nullptr) {
    WakeSource& source = *oldest;
    oldest = source.next_.read();  // before the zero: afterwards the link belongs to the next push
    source.deliver_(source, source.word_.exchange(0, Order::acq_rel));
  }
  return true;
}

bool WakeList::announce_sleep() noexcept {
  WakeSource* expected = nullptr;
  return head_.compare_exchange(expected, sleeping(), Order::relaxed, Order::relaxed) ||
         expected == sleeping();
}

void WakeList::retract_sleep() noexcept {
  WakeSource* expected = sleeping();
  head_.compare_exchange(expected, nullptr, Order::relaxed, Order::relaxed);
}

}  // namespace chappe::sync
