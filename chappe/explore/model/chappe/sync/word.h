#pragma once

// Stands before the product's header of this name when the kernel is compiled for the explorer:
// the same words, but every access is a choice of the search.

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "chappe/explore/world.h"

namespace chappe::sync {

enum class Order {
  relaxed = static_cast<int>(explore::MemoryOrder::relaxed),
  acquire = static_cast<int>(explore::MemoryOrder::acquire),
  release = static_cast<int>(explore::MemoryOrder::release),
  acq_rel = static_cast<int>(explore::MemoryOrder::acq_rel),
};

template <class T>
class Word {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8);

 public:
  constexpr explicit Word(T initial) : first_(initial) {}
  constexpr ~Word() {
    if (std::is_constant_evaluated() || explore::World::current() == nullptr) return;
    explore::World::current()->retire(cell_);
  }
  Word(const Word&) = delete;
  Word& operator=(const Word&) = delete;

  /// Who it is, from its declared shared state.
  constexpr void declare(const auto& state) {
    name_ = state.name;
    if (std::is_constant_evaluated() || explore::World::current() == nullptr) return;
    explore::World::current()->declare(cell(), name_);
  }

  T load(Order order) const { return from_bits(world().load(cell(), model(order))); }
  void store(T value, Order order) { world().store(cell(), bits(value), model(order)); }
  T exchange(T value, Order order) {
    return change([value](T) { return value; }, order);
  }
  T fetch_add(T amount, Order order) {
    return change([amount](T seen) { return static_cast<T>(seen + amount); }, order);
  }
  T fetch_or(T set, Order order) {
    return change([set](T seen) { return static_cast<T>(seen | set); }, order);
  }

  bool compare_exchange(T& expected, T desired, Order success, Order failure) {
    auto decide = [&](T seen, T& next) {
      next = desired;
      return bits(seen) == bits(expected);
    };
    explore::Request request = request_of(decide, success, failure);
    world().change(cell(), request);
    if (!request.changed) expected = from_bits(request.seen);
    return request.changed;
  }

  struct Step {
    T before;
    T after;
  };

  template <class Next>
  Step update(Next next, Order order) {
    auto decide = [&](T seen, T& after) {
      after = next(seen);
      return bits(after) != bits(seen);
    };
    explore::Request request = request_of(decide, order, Order::acquire);
    world().change(cell(), request);
    const T before = from_bits(request.seen);
    return {before, request.changed ? next(before) : before};
  }

 private:
  static explore::World& world() { return *explore::World::current(); }
  static explore::MemoryOrder model(Order order) {
    return static_cast<explore::MemoryOrder>(order);
  }
  static std::uint64_t bits(T value) {
    std::uint64_t all = 0;
    std::memcpy(&all, &value, sizeof value);
    return all;
  }
  static T from_bits(std::uint64_t bits) {
    T one;
    std::memcpy(&one, &bits, sizeof one);
    return one;
  }

  template <class Decide>
  static explore::Request request_of(Decide& decide, Order success, Order failure) {
    explore::Request request;
    request.order = model(success);
    request.order_if_unchanged = model(failure);
    request.self = &decide;
    request.change = [](void* self, std::uint64_t seen, std::uint64_t& next) {
      T after = from_bits(seen);
      const bool writes = (*static_cast<Decide*>(self))(from_bits(seen), after);
      next = bits(after);
      return writes;
    };
    return request;
  }
  template <class Next>
  T change(Next next, Order order) {
    auto decide = [&](T seen, T& after) {
      after = next(seen);
      return true;
    };
    explore::Request request = request_of(decide, order, order);
    world().change(cell(), request);
    return from_bits(request.seen);
  }

  explore::Cell& cell() const {
    cell_.initial = bits(first_);
    cell_.name = name_;
    return cell_;
  }

  const T first_;
  const char* name_ = nullptr;
  mutable explore::Cell cell_;
};

/// Decides nothing, so that it is not worth a step: everybody reads the newest value.
template <class T>
class HintWord {
 public:
  constexpr explicit HintWord(T initial) : first_(initial), value_(initial) {}
  HintWord(const HintWord&) = delete;
  HintWord& operator=(const HintWord&) = delete;

  T load(Order) const { return execution_ == execution() ? value_ : first_; }
  void store(T value, Order) {
    value_ = value;
    execution_ = execution();
  }

 private:
  static std::uint32_t execution() {
    const explore::World* const world = explore::World::current();
    return world == nullptr ? 0 : world->execution();
  }

  const T first_;
  T value_;
  std::uint32_t execution_ = 0;
};

template <class T>
class Plain {
 public:
  constexpr Plain() = default;
  constexpr explicit Plain(T value) : value_(value) {}
  constexpr ~Plain() {
    if (!std::is_constant_evaluated()) record_.retired = true;
  }
  T read() const {
    explore::World::current()->plain_read(record_);
    return value_;
  }
  void write(T value) {
    explore::World::current()->plain_write(record_);
    value_ = value;
  }

 private:
  mutable explore::PlainRecord record_;
  T value_{};
};

}  // namespace chappe::sync
