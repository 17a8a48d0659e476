#include "chappe/explore/memory.h"

namespace chappe::explore {

void Memory::clear() {
  word_count_ = 0;
  store_count_ = 1;
  full_ = false;
}

WordId Memory::declare(std::uint64_t initial) {
  if (word_count_ == kWords) {
    full_ = true;
    --word_count_;
  }
  const auto word = static_cast<WordId>(word_count_++);
  words_[word].count = 0;
  insert(word, 0, initial);
  return word;
}

StoreId Memory::insert(WordId word, std::size_t rank, std::uint64_t value) {
  Word& list = words_[word];
  if (store_count_ == kStores || list.count == kWordStores) {
    full_ = true;  // the world stops the execution at its next step
    if (store_count_ == kStores) --store_count_;
    if (list.count == kWordStores) --list.count;
    if (rank > list.count) rank = list.count;
  }
  const StoreId id = store_count_++;
  for (std::size_t i = list.count; i > rank; --i) {
    list.stores[i] = list.stores[i - 1];
    stores_[list.stores[i]].rank = static_cast<std::uint16_t>(i);
  }
  list.stores[rank] = id;
  ++list.count;
  Store& store = stores_[id];
  store = Store{};
  store.value = value;
  store.rank = static_cast<std::uint16_t>(rank);
  store.word = word;
  return id;
}

}  // namespace chappe::explore
