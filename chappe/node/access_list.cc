#include "chappe/node/access_list.h"

#include <algorithm>

#include "chappe/base/check.h"

namespace chappe::node {

AccessEntry* AccessList::find(const mesh::PublicKey& key) {
  return find_prefix(key);
}

AccessEntry* AccessList::find_prefix(Bytes prefix) {
  const auto known = all();
  const auto found = std::ranges::find_if(known, [&](const AccessEntry& entry) {
    return prefix.size() <= entry.key.size() &&
           std::equal(prefix.begin(), prefix.end(), entry.key.begin());
  });
  return found == known.end() ? nullptr : &*found;
}

AccessEntry& AccessList::put(const mesh::PublicKey& key) {
  if (AccessEntry* const known = find(key)) return *known;
  AccessEntry& entry = place();
  entry = AccessEntry{};
  entry.key = key;
  return entry;
}

AccessEntry& AccessList::place() {
  if (size_ < entries_.size()) return entries_[size_++];
  AccessEntry* oldest = nullptr;
  for (AccessEntry& entry : entries_) {
    if (entry.role() == Role::admin) continue;
    if (oldest == nullptr || entry.last_active < oldest->last_active) oldest = &entry;
  }
  return oldest != nullptr ? *oldest : entries_.back();
}

void AccessList::remove(const AccessEntry& entry) {
  const std::ptrdiff_t at = &entry - entries_.data();
  CHAPPE_CHECK(at >= 0 && at < static_cast<std::ptrdiff_t>(size_));
  std::move(entries_.begin() + at + 1,
            entries_.begin() + static_cast<std::ptrdiff_t>(size_),
            entries_.begin() + at);
  --size_;
}

}  // namespace chappe::node
