#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace chappe::explore {

// Limits of one execution. Small on purpose: what needs more is a test to be split.
constexpr std::size_t kContexts = 8;     // and as many cores
constexpr std::size_t kWords = 64;       // words alive in one execution, and dead ones
constexpr std::size_t kStores = 1024;    // of all words
constexpr std::size_t kWordStores = 96;  // of one word

/// C++20's memory orders. The product knows all but the last.
enum class MemoryOrder : std::uint8_t { relaxed, acquire, release, acq_rel, seq_cst };

constexpr bool acquires(MemoryOrder order) {
  return order == MemoryOrder::acquire || order >= MemoryOrder::acq_rel;
}
constexpr bool releases(MemoryOrder order) {
  return order >= MemoryOrder::release;
}

/// A vector clock: how much of each context (or core) is known.
struct Clock {
  std::array<std::uint16_t, kContexts> at{};

  void join(const Clock& other) {
    for (std::size_t i = 0; i < kContexts; ++i) {
      if (other.at[i] > at[i]) at[i] = other.at[i];
    }
  }
  bool operator==(const Clock&) const = default;
};

using StoreId = std::uint16_t;
using WordId = std::uint8_t;
constexpr StoreId kNoStore = 0;
constexpr WordId kNoWord = 0xff;

/// What somebody may still read: per word the oldest store that is not hidden from him. kNoStore
/// stands for the word's first.
struct View {
  std::array<StoreId, kWords> oldest{};
};

/// One store, in the execution's graph.
struct Store {
  std::uint64_t value = 0;
  Clock clock;             // happens-before: what an acquire of it learns
  Clock order;             // of the search: the step that made it
  std::uint16_t step = 0;  // its index among its core's steps
  std::uint16_t rank = 0;  // place in modification order
  WordId word = 0;
  std::uint8_t core = 0;
  std::uint8_t context = 0;
  bool rmw = false;       // lands right behind what it read, for ever
  bool replaced = false;  // some RMW has read it: no other may
  bool has_view = false;  // releases: views_ has what an acquire of it sees
};

/// The words of one execution: each a list of stores in modification order, not in the order in
/// which they were executed. The rules are docs/explore.md's; who runs when is not known here.
class Memory {
 public:
  /// A new execution. Costs what the last one used.
  void clear();

  WordId declare(std::uint64_t initial);
  std::size_t word_count() const { return word_count_; }
  std::size_t store_count() const { return store_count_ - 1u; }
  bool full() const { return full_; }

  const Store& store(StoreId id) const { return stores_[id]; }
  Store& store(StoreId id) { return stores_[id]; }
  const View& view_of(StoreId id) const { return views_[id]; }
  View& view_of(StoreId id) { return views_[id]; }

  /// Stores of a word, oldest first.
  std::size_t length(WordId word) const { return words_[word].count; }
  StoreId at(WordId word, std::size_t rank) const { return words_[word].stores[rank]; }
  StoreId newest(WordId word) const { return at(word, length(word) - 1); }

  std::size_t rank(StoreId id) const { return id == kNoStore ? 0 : stores_[id].rank; }
  StoreId later(StoreId a, StoreId b) const { return rank(b) > rank(a) ? b : a; }

  /// Puts a new store of `word` at place `rank`; what stood there moves up.
  StoreId insert(WordId word, std::size_t rank, std::uint64_t value);

  void join(View& view, const View& other) const {
    for (std::size_t i = 0; i < word_count_; ++i) {
      view.oldest[i] = later(view.oldest[i], other.oldest[i]);
    }
  }

 private:
  struct Word {
    std::uint16_t count = 0;
    std::array<StoreId, kWordStores> stores;
  };
  std::array<Word, kWords> words_;
  std::array<Store, kStores> stores_;
  std::array<View, kStores> views_;
  std::uint16_t word_count_ = 0;
  std::uint16_t store_count_ = 1;
  bool full_ = false;
};

}  // namespace chappe::explore
