#pragma once

#include <cstdint>
#include <utility>

#include "chappe/base/check.h"
#include "chappe/sync/this_thread.h"
#include "chappe/sync/word.h"

namespace chappe::sync {

/// Who touches a field. Several at once: `Who::task | Who::worker`.
enum class Who : std::uint8_t {
  interrupt = 1,
  timer = 2,
  task = 4,
  executor = 8,  // the executor itself: its drain, its sleep
  worker = 16,
  watchdog = 32,
  process = 64,  // another process, through a mapping
  start = 128,   // before anybody else runs
  any = interrupt | timer | task | executor | worker | watchdog,
};
constexpr Who operator|(Who a, Who b) {
  return static_cast<Who>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}

/// The memory orders a field is accessed with. Several at once: `Orders::acquire |
/// Orders::release`.
enum class Orders : std::uint8_t { none = 0, relaxed = 1, acquire = 2, release = 4, acq_rel = 8 };
constexpr Orders operator|(Orders a, Orders b) {
  return static_cast<Orders>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}

/// What there is to know about a field that more than one context touches, next to the field:
///
///     static constexpr sync::SharedState kWordState{
///         .name = "Gate::word",
///         .purpose = "amount, and whether somebody was refused",
///         .writers = sync::Who::any,
///         .readers = sync::Who::any,
///         .protection = "one word: refusing and owing are one step",
///         .orders = sync::Orders::acq_rel | sync::Orders::relaxed};
///     sync::SharedWord<std::uint32_t, kWordState> word_{0};
///
/// `./dev state` prints them all (docs/shared-state.md); it reads the source, so each stands on its
/// own lines in this form. The declaration is a template argument and costs nothing.
///
/// For another implementation of Word and Plain, such as the schedule explorer's: one that has a
/// member `void declare(const SharedState&)` is told the declaration, name and all, when the field
/// is constructed.
struct SharedState {
  const char* name;
  const char* purpose;
  Who writers;
  Who readers;
  const char* protection;
  Orders orders = Orders::none;

  constexpr bool complete() const {
    return name[0] != 0 && purpose[0] != 0 && protection[0] != 0 && writers != Who{} &&
           readers != Who{};
  }
  constexpr bool allows(Order order) const {
    const Orders one = order == Order::relaxed   ? Orders::relaxed
                       : order == Order::acquire ? Orders::acquire
                       : order == Order::release ? Orders::release
                                                 : Orders::acq_rel;
    return (static_cast<unsigned>(orders) & static_cast<unsigned>(one)) != 0;
  }
};

/// The right to write what one class alone writes: only `Writer` can make one.
template <class Writer>
class By {
  friend Writer;
  constexpr explicit By() = default;
};

namespace detail {

template <class Field>
constexpr void declare(Field& field, const SharedState& state) {
  if constexpr (requires { field.declare(state); }) field.declare(state);
}

/// Debug builds: the thread that wrote first is the only one that may. In others it is nothing.
class FirstWriter {
 public:
#ifdef NDEBUG
  void check() {}
  void forget() {}
#else
  void check() {
    const void* const me = this_thread();
    if (first_ == nullptr) first_ = me;
    CHAPPE_CHECK(first_ == me);  // a second writer: it must be declared, and the field another
  }
  void forget() { first_ = nullptr; }

 private:
  const void* first_ = nullptr;
#endif
};

}  // namespace detail

/// A word that several contexts write: read-modify-write, one step each. Debug builds check that
/// each access has a declared order.
template <class T, const SharedState& kState>
class SharedWord : public Word<T> {
  static_assert(kState.complete() && kState.orders != Orders::none);

 public:
  constexpr explicit SharedWord(T initial) : Word<T>(initial) {
    detail::declare(static_cast<Word<T>&>(*this), kState);
  }

  T load(Order order) const { return Word<T>::load(checked(order)); }
  void store(T value, Order order) { Word<T>::store(value, checked(order)); }
  T exchange(T value, Order order) { return Word<T>::exchange(value, checked(order)); }
  T fetch_add(T amount, Order order) { return Word<T>::fetch_add(amount, checked(order)); }
  T fetch_or(T bits, Order order) { return Word<T>::fetch_or(bits, checked(order)); }
  bool compare_exchange(T& expected, T desired, Order success, Order failure) {
    return Word<T>::compare_exchange(expected, desired, checked(success), checked(failure));
  }
  template <class Next>
  typename Word<T>::Step update(Next next, Order order) {
    return Word<T>::update(next, checked(order));
  }

 private:
  static Order checked(Order order) {
    CHAPPE_DCHECK(kState.allows(order));
    return order;
  }
};

/// A word that decides nothing: for dumps, and for whoever compares it with what he alone stores
/// there. Always relaxed.
template <class T, const SharedState& kState>
class SharedHint : private HintWord<T> {
  static_assert(kState.complete() && kState.orders == Orders::relaxed);

 public:
  constexpr explicit SharedHint(T initial) : HintWord<T>(initial) {
    detail::declare(static_cast<HintWord<T>&>(*this), kState);
  }

  T load() const { return HintWord<T>::load(Order::relaxed); }
  void store(T value) { HintWord<T>::store(value, Order::relaxed); }
};

/// A word that one class alone writes, from one context: load and store. Another writer and a
/// read-modify-write do not compile; another thread is a panic in Debug builds.
template <class T, const SharedState& kState, class Writer>
class SingleWriter : private Word<T> {
  static_assert(kState.complete() && kState.orders != Orders::none);

 public:
  constexpr explicit SingleWriter(T initial) : Word<T>(initial) {
    detail::declare(static_cast<Word<T>&>(*this), kState);
  }

  T load(Order order) const {
    CHAPPE_DCHECK(kState.allows(order));
    return Word<T>::load(order);
  }
  void store(By<Writer>, T value, Order order) {
    CHAPPE_DCHECK(kState.allows(order));
    first_.check();
    Word<T>::store(value, order);
  }
  /// The writer moves to another thread; whoever moves it has ordered the two.
  void hand_over(By<Writer>) { first_.forget(); }

 private:
  [[no_unique_address]] detail::FirstWriter first_;
};

/// A plain field that other contexts see, ordered by the word its declaration names. The explorer
/// checks the claim; in the product it is the plain thing.
template <class T, const SharedState& kState>
class OrderedPlain : public Plain<T> {
  static_assert(kState.complete() && kState.orders == Orders::none);

 public:
  constexpr OrderedPlain() : Plain<T>() { detail::declare(static_cast<Plain<T>&>(*this), kState); }
  constexpr explicit OrderedPlain(T value) : Plain<T>(std::move(value)) {
    detail::declare(static_cast<Plain<T>&>(*this), kState);
  }
};

/// A field of one class, which reaches it with its key alone: so whoever moves an access into
/// another context has to change the declaration. Debug builds panic when another thread comes.
template <class T, const SharedState& kState, class Owner>
class Owned {
  static_assert(kState.complete() && kState.orders == Orders::none);

 public:
  constexpr Owned() = default;
  constexpr explicit Owned(T value) : value_(std::move(value)) {}

  T& at(By<Owner>) {
    first_.check();
    return value_;
  }
  void hand_over(By<Owner>) { first_.forget(); }

 private:
  T value_{};
  [[no_unique_address]] detail::FirstWriter first_;
};

}  // namespace chappe::sync
