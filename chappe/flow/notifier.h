#pragma once

#include <array>
#include <cstdint>

#include "chappe/base/list.h"
#include "chappe/flow/gate.h"
#include "chappe/sync/shared_state.h"
#include "chappe/sync/signal.h"

namespace chappe::flow {

class Notifier;

/// What a service answers when a client asks for something.
enum class Access : std::uint8_t {
  granted,
  refused,    // nothing there; one notification is owed from now on
  restarted,  // the service began a new generation since the client asked last; ask again
};

/// A client's end of a service: one gate per topic and one word to be woken by.
/// Detaching is the destructor, and clears every debt.
class Subscriber : public ListNode {
 public:
  static constexpr std::size_t kTopics = 4;
  /// The bit of wake() that says: a new generation. Below it, one bit per topic.
  static constexpr std::uint32_t kRestarted = 1u << 31;

  explicit Subscriber(sync::WakeList& wakes) : wake_(wakes) {}

  /// `co_await subscriber.wake().wait(mask)` tells why it woke.
  sync::Flags& wake() { return wake_; }

  std::uint64_t refusals() const { return refusals_; }
  std::uint32_t posts() const { return posts_.load(sync::Order::relaxed); }

 private:
  friend class Notifier;
  sync::Flags wake_;
  std::array<Gate, kTopics> gates_;
  std::uint32_t generation_ = 0;  // the service's, when this client was answered last
  std::uint64_t refusals_ = 0;    // the service's executor only
  static constexpr sync::SharedState kPostsState{.name = "Subscriber::posts",
                                                 .purpose = "how often this client was woken",
                                                 .writers = sync::Who::any,
                                                 .readers = sync::Who::any,
                                                 .protection = "a count, nothing depends on it",
                                                 .orders = sync::Orders::relaxed};
  sync::SharedWord<std::uint32_t, kPostsState> posts_{0};
};

/// Wakes a client only for something it asked for and was refused, and after a restart everybody
/// exactly once.
///
/// Invariant: posts <= refusals + restarts x subscribers. A client that is refused and gives up
/// gets the one notification it is owed, and then silence. Context: progress() any, as room and
/// frames appear in interrupts too; the rest the service's executor. Who calls progress() from
/// elsewhere stops before the client goes away.
class Notifier {
 public:
  /// `generation` is kept with the service's state; the first one ever is 0.
  explicit Notifier(std::uint32_t generation = 0) : generation_(generation) {}

  void attach(Subscriber& client);
  /// The client was here before, in generation `known`: if that is over, it is told so once, like
  /// everybody who was there when it ended.
  void knew(Subscriber& client, std::uint32_t known);

  /// True once after each new generation: what the client had, and was owed, is gone.
  [[nodiscard]] bool learns_restart(Subscriber& client);

  /// Takes one unit of `topic` for the client, or makes its refusal a debt.
  [[nodiscard]] Access want(Subscriber& client, std::uint8_t topic);

  /// `units` more of `topic` are there for the client. Wakes it if, and only if, it is owed.
  void progress(Subscriber& client, std::uint8_t topic, std::uint32_t units);

  /// A new generation, its number one more: what was owed is void, everybody is told once. Before
  /// serving anybody.
  void restarted();

  std::uint32_t generation() const { return generation_; }
  std::uint64_t refusals() const { return refusals_; }
  std::uint32_t posts() const { return posts_.load(sync::Order::relaxed); }
  std::uint64_t blasts() const { return blasts_; }

 private:
  void post(Subscriber& client, std::uint32_t bits);
  void blast(Subscriber& client);

  List<Subscriber> clients_;
  std::uint32_t generation_;
  std::uint64_t refusals_ = 0;
  static constexpr sync::SharedState kPostsState{.name = "Notifier::posts",
                                                 .purpose = "how often any client was woken",
                                                 .writers = sync::Who::any,
                                                 .readers = sync::Who::any,
                                                 .protection = "a count, nothing depends on it",
                                                 .orders = sync::Orders::relaxed};
  sync::SharedWord<std::uint32_t, kPostsState> posts_{0};
  std::uint64_t blasts_ = 0;
};

}  // namespace chappe::flow
