#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "chappe/base/site.h"
#include "chappe/explore/fiber.h"
#include "chappe/explore/memory.h"
#include "chappe/explore/step.h"

namespace chappe::explore {

class World;

enum class Failure : std::uint8_t {
  none,
  check,            // an expectation of the test, or a panic of the product
  race,             // two accesses of plain data that nothing orders
  asleep_for_ever,  // nobody is left who could wake it
  no_progress,      // too many steps: somebody spins
  use_after_free,
  leak,
  never_shown,  // what the test said to be possible
  too_big,      // the test needs more than an execution has
  diverged,     // a tape does not fit
};
const char* name_of(Failure failure);

struct Times {
  int count;
};
constexpr Times times(int count) {
  return Times{count};
}

/// Decides at every step who goes on. The search, a random walk, a replay.
class Driver {
 public:
  virtual ~Driver() = default;
  virtual void begin(World& world) = 0;
  /// Kind::none ends the execution.
  virtual Choice next(World& world) = 0;
};

/// Data that only order protects: who touched it last, and whether the one who touches it now
/// knows.
struct PlainRecord {
  std::uint32_t execution = 0;
  bool retired = false;
  std::uint8_t writer = 0;
  std::uint16_t written = 0;
  Clock reads;
};

/// A word's place in the memory of the current execution.
struct Cell {
  std::uint64_t initial = 0;
  std::uint32_t execution = 0;
  WordId word = 0;
  bool retired = false;
  const char* name = nullptr;  // of its declaration
};

/// A token or a lock: whoever uses it learns what the user before it knew.
struct Shared {
  Clock order;
  Clock clock;
  View view;
  std::uint16_t count = 0;       // tokens, or who holds the lock + 1
  std::uint16_t last_event = 0;  // 1 + index of the last step on it
  std::uint16_t last_lock = 0;
  bool merged = false;          // the last token was left beside one that was there
  std::uint16_t ends_left = 0;  // a park of it may end so often without a token
  std::string_view name;
};

/// Contexts, cores, memory and objects of one execution of a test. A test's body sets it up anew
/// for each execution; every step of every context then asks the driver what happens next.
class World {
 public:
  static constexpr std::size_t kSteps = 2000;
  static constexpr std::size_t kArena = 512 * 1024;
  static constexpr std::size_t kShared = 24;

  World();
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // --- What a test's body says. ---

  /// An object of the test. Destroyed at a normal end; `name` names its words in the picture.
  template <class T, class... Args>
  T& make(const char* name, Args&&... args) {
    T* const object = new (allocate(sizeof(T), alignof(T))) T(std::forward<Args>(args)...);
    objects_.push_back(Object{name, object, sizeof(T)});
    // What comes later goes first, as in a block.
    if constexpr (!std::is_trivially_destructible_v<T>) {
      at_end([](void* it) { static_cast<T*>(it)->~T(); }, object);
    }
    return *object;
  }

  /// A context on a core of its own.
  template <class Body>
  void worker(const char* name, Body body) {
    add_context(name, next_core(), 0, 0, body);
  }
  /// A context on core 0, which interrupts stop.
  template <class Body>
  void task(const char* name, Body body, int core = 0) {
    add_context(name, core, 0, 0, body);
  }
  /// Fires `raised` times at any instant at which it may, and once more for each raise().
  template <class Body>
  void interrupt(const char* name, int priority, Body body, Times raised = times(1), int core = 0) {
    add_context(name, core, priority, raised.count, body);
  }
  /// A context that may sleep for ever: the end of the test does not wait for it.
  void may_sleep_for_ever() { contexts_[context_count_ - 1].may_sleep = true; }

  /// Every park of the test may end without a token, each parker's so often.
  void parks_may_end_by_themselves(Times each) { ends_of_parks_ = each.count; }

  /// Looked at after every step, and at the end. Reads newest values; is no context.
  template <class Look>
  void always(Look look) {
    always_ = keep(look);
  }
  template <class Look>
  void finally(Look look) {
    finally_ = keep(look);
  }

  // --- What a context says. ---

  /// A step with `count` outcomes, all of which are tried.
  std::uint64_t choose(std::uint64_t count);
  void mask();
  void unmask();
  /// Wait for interrupt: returns when one is pending (masked), or one has run (not masked).
  void wait_for_interrupt();
  void raise(const char* interrupt_name);
  void fence(MemoryOrder order);

  /// Ends the execution; from a context it does not return. Words in pieces, because nothing that
  /// is left behind on the stack is destroyed.
  void fail(Failure failure, std::initializer_list<std::string_view> words);
  void expect(bool condition, const char* words, Site site = Site::here());

  /// Said in finally(): some execution must show it, or the test has not tried what it is for.
  void possible(bool seen, const char* words);

  // --- Words, plain data, tokens and locks, for the model port. ---

  std::uint64_t load(Cell& cell, MemoryOrder order);
  void store(Cell& cell, std::uint64_t value, MemoryOrder order);
  void change(Cell& cell, Request& request);
  /// Gives the word its place now; else it gets one at its first use.
  void declare(Cell& cell, const char* name) {
    cell.name = name;
    static_cast<void>(word_of(cell));
  }
  void retire(Cell& cell);
  void plain_read(PlainRecord& record);
  void plain_write(PlainRecord& record);

  std::uint8_t declare_shared(std::string_view name, std::uint16_t count);
  void park(std::uint8_t parker);
  void unpark(std::uint8_t parker);
  void lock(std::uint8_t lock);
  void unlock(std::uint8_t lock);
  void rename_word(const Cell& cell, std::string_view name);
  /// The heap, as far as a test's own code uses it: what is left of it at a normal end has leaked.
  void heap_taken() { heap_ += in_test_; }
  void heap_given_back() { heap_ -= in_test_; }

  /// The one that runs now; null outside an exploration.
  static World* current() { return current_; }
  std::uint32_t execution() const { return execution_; }

  // --- For drivers. ---

  using Body = void (*)(World&, void* argument);
  /// Runs one execution.
  void run(Body body, void* argument, Driver& driver);

  std::uint8_t core_count() const { return static_cast<std::uint8_t>(core_count_); }
  /// Adds what core `core` could do now.
  void offer(std::uint8_t core, std::vector<Choice>& choices) const;
  std::size_t step_count() const { return event_count_; }
  const Event& event(std::size_t step) const { return events_[step]; }
  /// A lock that core `core` waits for at the end: 1 + the step that took it last; else 0.
  std::uint16_t blocking_step(std::uint8_t core) const;
  const Clock& order_of(std::uint8_t core) const { return cores_[core].order; }
  const Memory& memory() const { return memory_; }
  bool ended_by_driver() const { return failure_ == Failure::none && !complete_; }
  bool complete() const { return complete_; }

  /// What was said to be possible, and was not seen since forget_possible(); or null.
  const char* never_seen() const;
  void forget_possible() { possible_.clear(); }
  bool seq_cst_seen() const { return seq_cst_seen_; }

  Failure failure() const { return failure_; }
  const std::string& words() const { return words_; }
  bool race_seen() const { return race_seen_; }
  void go_on_after_races() { stops_at_race_ = false; }
  void go_on_asleep() { stops_asleep_ = false; }
  bool asleep_seen() const { return asleep_seen_; }

  std::size_t context_count() const { return context_count_; }
  const char* context_name(std::size_t i) const { return contexts_[i].name; }
  int context_priority(std::size_t i) const { return contexts_[i].priority; }
  std::uint8_t context_core(std::size_t i) const { return contexts_[i].core; }
  std::string word_name(WordId word) const;
  /// A value for people: the name of the object it points to, if it does.
  std::string value_name(std::uint64_t value) const;
  std::string_view shared_name(std::uint8_t object) const { return shared_[object].name; }
  std::uint64_t newest_value(WordId word) const {
    return memory_.store(memory_.newest(word)).value;
  }
  /// The same number for two executions with the same steps per core, the same reads-from and the
  /// same modification orders.
  std::uint64_t graph_hash() const;

 private:
  struct Callback {
    void (*call)(void*) = nullptr;
    void* self = nullptr;
  };
  struct Context {
    Fiber fiber;
    const char* name = "";
    Callback body;
    int priority = 0;  // 0: not an interrupt
    std::uint8_t core = 0;
    std::uint8_t interrupt = 0;  // its shared object
    bool started = false;
    bool done = false;
    bool active = false;
    bool may_sleep = false;
    bool used = false;  // its stack has been used
    Request* request = nullptr;
    void* local = nullptr;  // what the port keeps per thread
    Clock clock;
    Clock acquired_clock;  // waits for an acquire fence
    Clock released_clock;  // of the last release fence
    View acquired;
    View released;
    bool has_acquired = false;
    bool has_released = false;
  };
  struct Core {
    View view;  // contexts of one core share it
    Clock order;
    std::uint16_t steps = 0;
    std::array<std::uint8_t, kContexts> active{};  // interrupts that run, the highest last
    std::uint8_t active_count = 0;
    bool fresh = false;          // the last one has begun, and taken no step yet
    std::uint8_t masked_by = 0;  // 1 + context
    std::uint16_t handlers_run = 0;
    std::uint16_t asleep_since = 0;
    Clock mask_clock;
  };

  template <class F>
  Callback keep(F& body) {
    F* const kept = new (allocate(sizeof(F), alignof(F))) F(std::move(body));
    if constexpr (!std::is_trivially_destructible_v<F>) {
      at_end([](void* it) { static_cast<F*>(it)->~F(); }, kept);
    }
    return Callback{[](void* it) { (*static_cast<F*>(it))(); }, kept};
  }
  template <class BodyOf>
  void add_context(const char* name, int core, int priority, int raised, BodyOf& body) {
    add_context(name, core, priority, raised, keep(body));
  }
  void add_context(const char* name, int core, int priority, int raised, Callback body);
  int next_core();
  void* allocate(std::size_t bytes, std::size_t alignment);
  void at_end(void (*call)(void*), void* self) { at_end_.push_back(Callback{call, self}); }

  void clear();
  bool observing() const { return running_ == nullptr || observing_; }
  WordId word_of(Cell& cell);
  void perform(Request& request);
  void schedule();
  void leave();
  void switch_to(Fiber& fiber, Context* next);
  void start(Context& context);
  static void context_main(void* context);
  static void stage_main(void* world);
  void run_stage(Callback call);
  void look();
  std::uint8_t index_of(const Context& context) const {
    return static_cast<std::uint8_t>(&context - contexts_.data());
  }

  void offer_context(const Context& context, std::vector<Choice>& choices) const;
  bool interrupt_pending(std::uint8_t core) const;
  StoreId floor_of(const Context& context, const Request& request) const;
  void apply(Context& me, Request& request);
  void apply_load(Context& me, Request& request, Event& event);
  void apply_store(Context& me, Request& request, Event& event);
  void apply_shared(Context& me, Request& request, Event& event);
  void apply_fence(Context& me, MemoryOrder order);
  void use_shared(Context& me, Event& event, std::uint8_t object);
  void order_seq_cst(Context& me, Event& event, bool fence, WordId word);
  void learn(Context& me, StoreId id, MemoryOrder order);
  void publish(Context& me, StoreId id, MemoryOrder order, StoreId replaced);
  Event& begin_event(Context& me, Kind kind, std::uint8_t object, bool seq_cst);
  void end_event(Context& me, Event& event);
  void fire(Context& handler);
  void check_end();
  void finish();
  void check_heap();

  static World* current_;

  Memory memory_;
  Fiber main_{Fiber::Main{}};
  Fiber stage_;  // where a test's body, its end and its objects' destructors run
  Fiber* fiber_ = &main_;
  void* stage_local_ = nullptr;
  Callback stage_call_;
  std::array<Context, kContexts> contexts_;
  std::array<Core, kContexts> cores_;
  std::array<Shared, kShared> shared_;
  std::size_t context_count_ = 0;
  std::size_t core_count_ = 0;
  std::size_t shared_count_ = 0;
  View seq_cst_view_;
  Clock seq_cst_fences_;
  Clock seq_cst_all_;
  std::array<Clock, kWords> seq_cst_words_;

  std::unique_ptr<std::byte[]> arena_;
  std::size_t arena_used_ = 0;
  std::vector<Callback> at_end_;
  struct WordName {
    const void* cell = nullptr;
    std::string_view field;
  };
  std::array<WordName, kWords> word_names_;

  struct Object {
    const char* name;
    const void* at;
    std::size_t bytes;
  };
  std::vector<Object> objects_;

  Driver* driver_ = nullptr;
  Callback always_;
  Callback finally_;
  Context* running_ = nullptr;
  bool observing_ = false;
  bool starting_ = false;
  bool complete_ = false;
  bool race_seen_ = false;
  bool asleep_seen_ = false;
  bool stops_at_race_ = true;
  bool stops_asleep_ = true;
  bool in_test_ = false;  // the test's own code runs, not ours
  bool seq_cst_seen_ = false;
  int heap_ = 0;  // pieces
  int ends_of_parks_ = 0;
  struct Possible {
    const char* words;
    bool seen;
  };
  std::vector<Possible> possible_;  // of all executions
  Choice choice_;
  std::unique_ptr<Event[]> events_;
  std::size_t event_count_ = 0;
  std::uint32_t execution_ = 0;
  Failure failure_ = Failure::none;
  std::string words_;
};

/// What the port keeps per thread of execution (who is running), exchanged at every switch.
/// Defined by the kernel's model port; null in tests of the explorer itself.
extern void* (*exchange_context_local)(void* value);

}  // namespace chappe::explore
