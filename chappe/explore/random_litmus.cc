#include "chappe/explore/random_litmus.h"

#include "chappe/base/random.h"

namespace chappe::explore {
namespace {

using What = Litmus::What;

// Words 0 and 1 are words, word 2 is plain.
constexpr int kPlain = 2;

class Author {
 public:
  Author(Group group, std::uint64_t seed) : group_(group), random_(seed) {}

  Litmus write() {
    row_.name = std::string(explore::name_of(group_));
    row_.words = {"x", "y", "p"};
    row_.initial = {0, 0, 0};
    const bool three = chance(50);
    const std::size_t most = three ? 3 : 4;
    switch (group_) {
      case Group::interrupts:
        thread(0, 0, most);
        thread(1, 0, most);
        if (three) thread(2, 0, most);
        break;
      case Group::weak_with_interrupts:
        thread(0, 0, 3);
        thread(1, 0, 3);
        thread(0, 1, 3);
        break;
      case Group::two_cores_with_interrupts:
        thread(0, 0, 2);
        thread(0, 1, 2);
        thread(1 + static_cast<int>(up_to(1)), 0, 2);
        if (chance(30)) thread(1, 1, 2);
        break;
      default:
        thread(0, -1, most);
        thread(0, -1, most);
        if (three) thread(0, -1, most);
    }
    return row_;
  }

 private:
  std::uint32_t up_to(std::uint32_t most) { return random_.up_to(most); }
  bool chance(std::uint32_t percent) { return up_to(99) < percent; }

  MemoryOrder order(std::initializer_list<MemoryOrder> from) {
    if (group_ == Group::strong && chance(60)) return MemoryOrder::seq_cst;
    return from.begin()[up_to(static_cast<std::uint32_t>(from.size()) - 1)];
  }

  int new_register() {
    row_.registers.push_back(std::string(1, static_cast<char>('a' + row_.registers.size())));
    return static_cast<int>(row_.registers.size()) - 1;
  }

  Litmus::Operation operation() {
    constexpr auto kRelaxed = MemoryOrder::relaxed;
    constexpr auto kAcquire = MemoryOrder::acquire;
    constexpr auto kRelease = MemoryOrder::release;
    constexpr auto kBoth = MemoryOrder::acq_rel;
    Litmus::Operation one;
    one.word = static_cast<int>(up_to(1));
    one.value = 1 + up_to(2);
    const std::uint32_t kind = group_ == Group::interleaving ? 50 + up_to(39) : up_to(99);
    if (kind < 28) {
      one.what = What::load;
      one.order = order({kRelaxed, kAcquire});
      one.reg = new_register();
    } else if (kind < 50) {
      one.what = What::store;
      one.order = order({kRelaxed, kRelease});
    } else if (kind < 72) {
      one.what = chance(70) ? What::add : What::exchange;
      one.order = order({kRelaxed, kAcquire, kRelease, kBoth});
      one.reg = new_register();
    } else if (kind < 90) {
      one.what = What::compare_exchange;
      one.expected = up_to(1);
      one.order = order({kRelaxed, kAcquire, kRelease, kBoth});
      one.order_if_unchanged = chance(50) ? kRelaxed : kAcquire;
      one.reg = new_register();
    } else if (kind < 95) {
      one.what = What::fence;
      one.word = -1;
      one.order = order({kAcquire, kRelease, kBoth});
    } else {
      // All store the same, and nobody looks: so an execution with a race still has one outcome.
      one.what = chance(50) ? What::plain_load : What::plain_store;
      one.word = kPlain;
      one.value = 1;
    }
    return one;
  }

  void thread(int priority, int core, std::size_t most) {
    Litmus::Thread thread;
    thread.priority = priority;
    thread.core = core;
    const bool locks = group_ == Group::locks || group_ == Group::weak_with_locks;
    const bool masks = priority == 0 && core >= 0 && chance(50);
    const std::size_t count = 1 + up_to(static_cast<std::uint32_t>(most) - 1);
    const std::size_t first_register = row_.registers.size();
    bool inside = false;
    for (std::size_t i = 0; i < count; ++i) {
      if ((locks || masks) && chance(40)) {
        Litmus::Operation border;
        border.what =
            locks ? (inside ? What::unlock : What::lock) : (inside ? What::unmask : What::mask);
        thread.operations.push_back(border);
        inside = !inside;
      }
      Litmus::Operation one = operation();
      if (group_ == Group::locks && one.what != What::fence && !inside && chance(50)) continue;
      // Sometimes only if an earlier register of this thread has a certain value.
      const auto known = static_cast<std::uint32_t>(row_.registers.size());
      if (known > first_register + 1 && chance(25)) {
        one.only_if = static_cast<int>(
            first_register + up_to(static_cast<std::uint32_t>(known - first_register - 2)));
        one.only_if_value = up_to(1);
      }
      thread.operations.push_back(one);
    }
    // Now and then a lock is kept: then others sleep for ever, in some orders.
    if (inside && (masks || chance(85))) {
      Litmus::Operation border;
      border.what = locks ? What::unlock : What::unmask;
      thread.operations.push_back(border);
    }
    row_.threads.push_back(thread);
  }

  const Group group_;
  SeededRandom random_;
  Litmus row_;
};

const char* text_of(MemoryOrder order) {
  static constexpr const char* kNames[] = {"rlx", "acq", "rel", "ar", "sc"};
  return kNames[static_cast<std::size_t>(order)];
}

}  // namespace

const char* name_of(Group group) {
  static constexpr const char* kNames[] = {"interleaving",
                                           "locks",
                                           "interrupts",
                                           "weak",
                                           "weak with locks",
                                           "weak with interrupts",
                                           "two cores with interrupts",
                                           "strong"};
  return kNames[static_cast<std::size_t>(group)];
}

Litmus random_litmus(Group group, std::uint64_t seed) {
  return Author(group, seed).write();
}

std::string to_text(const Litmus& row) {
  std::string text;
  for (const Litmus::Thread& thread : row.threads) {
    if (!text.empty()) text += " || ";
    if (thread.priority != 0) text += "I" + std::to_string(thread.priority);
    if (thread.core >= 0) text += "@" + std::to_string(thread.core) + ": ";
    for (const Litmus::Operation& one : thread.operations) {
      const auto word = [&] { return " " + row.words[static_cast<std::size_t>(one.word)]; };
      const auto reg = [&](int index) {
        return index < 0 ? std::string(" _") : " " + row.registers[static_cast<std::size_t>(index)];
      };
      const std::string value = " " + std::to_string(one.value);
      const std::string order = std::string(" ") + text_of(one.order);
      if (one.only_if >= 0) {
        text += "?" + reg(one.only_if).substr(1) + "=" + std::to_string(one.only_if_value) + " ";
      }
      switch (one.what) {
        case What::load:
          text += "R" + word() + order + reg(one.reg);
          break;
        case What::store:
          text += "W" + word() + value + order;
          break;
        case What::add:
          text += "A" + word() + value + order + reg(one.reg);
          break;
        case What::exchange:
          text += "X" + word() + value + order + reg(one.reg);
          break;
        case What::compare_exchange:
          text += "C" + word() + " " + std::to_string(one.expected) + value + order + " " +
                  text_of(one.order_if_unchanged) + reg(one.reg);
          break;
        case What::fence:
          text += "F" + order;
          break;
        case What::plain_load:
          text += "NR" + word() + reg(one.reg);
          break;
        case What::plain_store:
          text += "NW" + word() + value;
          break;
        case What::lock:
          text += "lock";
          break;
        case What::unlock:
          text += "unlock";
          break;
        case What::mask:
          text += "off";
          break;
        case What::unmask:
          text += "on";
          break;
      }
      text += "; ";
    }
  }
  return text;
}

}  // namespace chappe::explore
