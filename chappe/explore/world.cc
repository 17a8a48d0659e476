#include "chappe/explore/world.h"

#include <charconv>
#include <cstring>

namespace chappe::explore {

namespace {

// What a park may do.
constexpr std::uint16_t kTakesToken = 0;
constexpr std::uint16_t kEndsByItself = 1;

}  // namespace

World* World::current_ = nullptr;
void* (*exchange_context_local)(void* value) = nullptr;

const char* name_of(Kind kind) {
  static constexpr const char* kNames[] = {"load",
                                           "store",
                                           "update",
                                           "fence",
                                           "lock",
                                           "unlock",
                                           "park",
                                           "unpark",
                                           "raise",
                                           "mask",
                                           "unmask",
                                           "sleep",
                                           "wake",
                                           "choose",
                                           "fire",
                                           "end"};
  return kNames[static_cast<std::size_t>(kind)];
}

const char* name_of(Failure failure) {
  static constexpr const char* kNames[] = {"none",
                                           "check failed",
                                           "data race",
                                           "asleep for ever",
                                           "no progress",
                                           "use after free",
                                           "leak",
                                           "in no execution",
                                           "too big",
                                           "diverged"};
  return kNames[static_cast<std::size_t>(failure)];
}

World::World()
    : arena_(std::make_unique<std::byte[]>(kArena)), events_(std::make_unique<Event[]>(kSteps)) {
  // They must not grow while a test's heap is counted.
  at_end_.reserve(256);
  objects_.reserve(256);
  possible_.reserve(64);
}

World::~World() = default;

// --- One execution. ---

void World::clear() {
  ++execution_;
  for (std::size_t i = 0; i < context_count_; ++i) {
    Context& context = contexts_[i];
    context.started = context.done = context.active = context.may_sleep = false;
    context.has_acquired = context.has_released = false;
    context.request = nullptr;
    context.local = nullptr;
  }
  for (std::size_t i = 0; i < core_count_; ++i) cores_[i] = Core{};
  for (std::size_t i = 0; i < shared_count_; ++i) shared_[i] = Shared{};
  for (std::size_t i = 0; i < memory_.word_count(); ++i) {
    seq_cst_words_[i] = Clock{};
    word_names_[i] = WordName{};
  }
  memory_.clear();
  seq_cst_view_ = View{};
  seq_cst_fences_ = seq_cst_all_ = Clock{};
  context_count_ = core_count_ = shared_count_ = 0;
  arena_used_ = 0;
  at_end_.clear();
  objects_.clear();
  always_ = finally_ = Callback{};
  running_ = nullptr;
  observing_ = starting_ = complete_ = race_seen_ = asleep_seen_ = false;
  event_count_ = 0;
  in_test_ = seq_cst_seen_ = false;
  heap_ = ends_of_parks_ = 0;
  failure_ = Failure::none;
  words_.clear();
  stage_local_ = nullptr;
}

void World::run(Body body, void* argument, Driver& driver) {
  struct Setup {
    Body body;
    World* world;
    void* argument;
  } setup{body, this, argument};
  clear();
  current_ = this;
  driver_ = &driver;
  driver.begin(*this);
  run_stage(Callback{[](void* it) {
                       const Setup& one = *static_cast<Setup*>(it);
                       one.body(*one.world, one.argument);
                     },
                     &setup});
  starting_ = true;
  for (std::size_t i = 0; i < context_count_ && failure_ == Failure::none; ++i) {
    if (contexts_[i].priority == 0) start(contexts_[i]);
  }
  starting_ = false;
  if (failure_ == Failure::none) {
    running_ = nullptr;
    schedule();
  }
  observing_ = false;
  running_ = nullptr;
  if (complete_ && failure_ == Failure::none && !asleep_seen_) {
    run_stage(Callback{[](void* it) { static_cast<World*>(it)->finish(); }, this});
    check_heap();
  }
  current_ = nullptr;
}

void World::finish() {
  if (finally_.call != nullptr) finally_.call(finally_.self);
  while (!at_end_.empty()) {
    const Callback last = at_end_.back();
    at_end_.pop_back();
    last.call(last.self);
  }
}

// Whoever sleeps for ever holds what he holds.
void World::check_heap() {
  if (heap_ <= 0 || failure_ != Failure::none) return;
  for (std::size_t i = 0; i < context_count_; ++i) {
    if (contexts_[i].priority == 0 && !contexts_[i].done) return;
  }
  fail(Failure::leak, {std::to_string(heap_), " allocations are never given back"});
}

void World::possible(bool seen, const char* words) {
  for (Possible& one : possible_) {
    if (one.words != words) continue;
    one.seen |= seen;
    return;
  }
  possible_.push_back(Possible{words, seen});
}

const char* World::never_seen() const {
  for (const Possible& one : possible_) {
    if (!one.seen) return one.words;
  }
  return nullptr;
}

void World::stage_main(void* world) {
  World& self = *static_cast<World*>(world);
  self.in_test_ = true;
  self.stage_call_.call(self.stage_call_.self);
  self.leave();
}

void World::run_stage(Callback call) {
  stage_call_ = call;
  stage_.begin(&stage_main, this);
  switch_to(stage_, nullptr);
}

void World::start(Context& context) {
  context.fiber.begin(&context_main, &context);
  switch_to(context.fiber, &context);
}

void World::context_main(void* context) {
  Context& me = *static_cast<Context*>(context);
  World& world = *current_;
  me.started = true;
  world.in_test_ = true;
  me.body.call(me.body.self);
  world.in_test_ = false;
  Core& core = world.cores_[me.core];
  if (core.masked_by == world.index_of(me) + 1) {
    world.fail(Failure::check, {"'", me.name, "' ends with interrupts masked"});
  }
  if (me.priority == 0) {
    me.done = true;
  } else {
    me.active = false;
    --core.active_count;
    core.fresh = false;
    ++core.handlers_run;
    core.mask_clock.join(me.clock);
  }
  if (world.starting_) world.leave();
  world.schedule();
}

void World::switch_to(Fiber& fiber, Context* next) {
  Fiber& from = *fiber_;
  void*& mine = running_ != nullptr ? running_->local : stage_local_;
  if (exchange_context_local != nullptr) {
    mine = exchange_context_local(next != nullptr ? next->local : stage_local_);
  }
  running_ = next;
  fiber_ = &fiber;
  fiber.enter(from);
}

void World::leave() {
  in_test_ = false;
  if (fiber_ == &main_) return;
  switch_to(main_, nullptr);
}

void World::fail(Failure failure, std::initializer_list<std::string_view> words) {
  if (failure_ == Failure::none) {
    failure_ = failure;
    for (const std::string_view piece : words) words_ += piece;
  }
  leave();
}

void World::expect(bool condition, const char* words, Site site) {
  if (condition) [[likely]]
    return;
  const char* const slash = std::strrchr(site.file, '/');
  char line[16];
  const auto end = std::to_chars(line, line + sizeof line, site.line).ptr;
  fail(Failure::check,
       {words,
        " [",
        slash != nullptr ? slash + 1 : site.file,
        ":",
        std::string_view(line, static_cast<std::size_t>(end - line)),
        "]"});
}

void World::look() {
  if (always_.call == nullptr) return;
  observing_ = true;
  always_.call(always_.self);
  observing_ = false;
}

// Runs on the stack of whoever stopped; returns when that context has been chosen.
void World::schedule() {
  look();
  if (memory_.full()) fail(Failure::too_big, {"too many words, or stores to a word"});
  if (event_count_ == kSteps) fail(Failure::no_progress, {"somebody goes round for ever"});
  if (failure_ != Failure::none) return;  // on the main stack
  choice_ = driver_->next(*this);
  if (choice_.kind == Kind::none) {
    if (failure_ == Failure::none) check_end();
    leave();
    return;
  }
  Context& next = contexts_[choice_.context];
  if (choice_.kind == Kind::fire) {
    fire(next);
    start(next);
  } else if (&next != running_) {
    switch_to(next.fiber, &next);
  }
}

void World::check_end() {
  static thread_local std::vector<Choice> left;
  left.clear();
  for (std::uint8_t core = 0; core < core_count_; ++core) offer(core, left);
  if (!left.empty()) return;
  complete_ = true;
  std::string words;
  for (std::size_t i = 0; i < context_count_; ++i) {
    const Context& context = contexts_[i];
    const bool ended = context.priority == 0 ? context.done : !context.active;
    if (ended || context.may_sleep) continue;
    if (!words.empty()) words += "; ";
    words += std::string("'") + context.name + "' waits to " + name_of(context.request->kind);
    if (context.request->kind == Kind::lock || context.request->kind == Kind::park) {
      words += " " + std::string(shared_name(context.request->object));
    }
  }
  if (words.empty()) return;
  asleep_seen_ = true;
  if (!stops_asleep_) return;
  failure_ = Failure::asleep_for_ever;
  words_ = words + "; nobody is left who could help";
}

// --- Setting up. ---

void* World::allocate(std::size_t bytes, std::size_t alignment) {
  arena_used_ = (arena_used_ + alignment - 1) / alignment * alignment;
  if (arena_used_ + bytes > kArena) {
    fail(Failure::too_big, {"the arena of the execution is full"});
    arena_used_ = 0;
  }
  void* const memory = arena_.get() + arena_used_;
  arena_used_ += bytes;
  return memory;
}

int World::next_core() {
  return static_cast<int>(core_count_);
}

void World::add_context(const char* name, int core, int priority, int raised, Callback body) {
  if (context_count_ == kContexts) {
    fail(Failure::too_big, {"too many contexts"});
    return;
  }
  Context& context = contexts_[context_count_];
  context.name = name;
  context.body = body;
  context.priority = priority;
  context.core = static_cast<std::uint8_t>(core);
  context.clock = Clock{};
  context.clock.at[context_count_] = 1;
  ++context_count_;
  if (static_cast<std::size_t>(core) >= core_count_)
    core_count_ = static_cast<std::size_t>(core) + 1;
  if (priority != 0) {
    context.interrupt = declare_shared(name, static_cast<std::uint16_t>(raised));
  }
}

std::uint8_t World::declare_shared(std::string_view name, std::uint16_t count) {
  if (shared_count_ == kShared) {
    fail(Failure::too_big, {"too many locks, parkers and interrupts"});
    return 0;
  }
  Shared& shared = shared_[shared_count_];
  shared.name = name;
  shared.count = count;
  shared.ends_left = static_cast<std::uint16_t>(ends_of_parks_);
  return static_cast<std::uint8_t>(shared_count_++);
}

void World::rename_word(const Cell& cell, std::string_view name) {
  if (cell.execution == execution_) word_names_[cell.word] = WordName{&cell, name};
}

// "first.word": the test's object, and the field without its class.
std::string World::word_name(WordId word) const {
  const WordName& name = word_names_[word];
  std::string text;
  for (const Object& object : objects_) {
    const auto* const begin = static_cast<const std::byte*>(object.at);
    const auto* const cell = static_cast<const std::byte*>(name.cell);
    if (cell >= begin && cell < begin + object.bytes) text = object.name;
  }
  std::string_view field = name.field;
  if (const auto colon = field.rfind(':'); colon != std::string_view::npos) {
    field.remove_prefix(colon + 1);
  }
  if (!text.empty() && !field.empty()) text += ".";
  text += field;
  return text.empty() ? "word" + std::to_string(word) : text;
}

std::string World::value_name(std::uint64_t value) const {
  if (value < 0x100000000) return std::to_string(value);
  for (const Object& object : objects_) {
    const auto begin = reinterpret_cast<std::uintptr_t>(object.at);
    if (value >= begin && value < begin + object.bytes) return std::string("&") + object.name;
  }
  return "&...";
}

// --- What may happen next. ---

bool World::interrupt_pending(std::uint8_t core) const {
  for (std::size_t i = 0; i < context_count_; ++i) {
    const Context& context = contexts_[i];
    if (context.core == core && context.priority != 0 && !context.active &&
        shared_[context.interrupt].count != 0) {
      return true;
    }
  }
  return false;
}

StoreId World::floor_of(const Context& context, const Request& request) const {
  const StoreId seen = cores_[context.core].view.oldest[request.object];
  const bool seq_cst = request.order == MemoryOrder::seq_cst;
  return seq_cst ? memory_.later(seen, seq_cst_view_.oldest[request.object]) : seen;
}

void World::offer_context(const Context& context, std::vector<Choice>& choices) const {
  const Request* const request = context.request;
  if (request == nullptr) return;
  Choice choice{request->kind,
                context.core,
                index_of(context),
                request->object,
                request->order == MemoryOrder::seq_cst,
                0};
  const auto add = [&](std::size_t pick) {
    choice.pick = static_cast<std::uint16_t>(pick);
    choices.push_back(choice);
  };
  switch (request->kind) {
    case Kind::load: {
      const std::size_t floor = memory_.rank(floor_of(context, *request));
      for (std::size_t i = memory_.length(request->object); i-- > floor;) {
        add(memory_.at(request->object, i));
      }
      return;
    }
    case Kind::store: {
      const std::size_t floor = memory_.rank(floor_of(context, *request));
      const std::size_t end = memory_.length(request->object);
      for (std::size_t i = end; i > floor; --i) {
        // Nothing comes between an RMW and what it has read.
        if (i == end || !memory_.store(memory_.at(request->object, i)).rmw) add(i);
      }
      return;
    }
    case Kind::rmw: {
      const std::size_t floor = memory_.rank(floor_of(context, *request));
      for (std::size_t i = memory_.length(request->object); i-- > floor;) {
        const StoreId id = memory_.at(request->object, i);
        const Store& store = memory_.store(id);
        std::uint64_t next = 0;
        if (!store.replaced || !request->change(request->self, store.value, next)) add(id);
      }
      return;
    }
    case Kind::lock:
      if (shared_[request->object].count == 0) add(0);
      return;
    case Kind::park:
      if (shared_[request->object].count != 0) add(kTakesToken);
      if (shared_[request->object].ends_left != 0) add(kEndsByItself);
      return;
    case Kind::wake: {
      const Core& core = cores_[context.core];
      if (core.masked_by != 0 ? interrupt_pending(context.core)
                              : core.handlers_run != core.asleep_since) {
        add(0);
      }
      return;
    }
    case Kind::choose:
      for (std::size_t i = 0; i < request->value; ++i) add(i);
      return;
    default:
      add(0);
  }
}

void World::offer(std::uint8_t index, std::vector<Choice>& choices) const {
  const Core& core = cores_[index];
  if (core.masked_by != 0) return offer_context(contexts_[core.masked_by - 1u], choices);
  int priority = 0;
  const std::size_t before = choices.size();
  if (core.active_count != 0) {
    const Context& top = contexts_[core.active[core.active_count - 1u]];
    offer_context(top, choices);
    if (core.fresh) return;
    priority = top.priority;
  } else {
    for (std::size_t i = 0; i < context_count_; ++i) {
      const Context& context = contexts_[i];
      if (context.core == index && context.priority == 0 && !context.done) {
        offer_context(context, choices);
      }
    }
  }
  // A choice of the test's is no point at which anything else could happen.
  if (choices.size() != before && choices.back().kind == Kind::choose) return;
  for (std::size_t i = 0; i < context_count_; ++i) {
    const Context& context = contexts_[i];
    if (context.core == index && context.priority > priority && !context.active &&
        shared_[context.interrupt].count != 0) {
      choices.push_back(Choice{Kind::fire, index, index_of(context), context.interrupt, false, 0});
    }
  }
}

std::uint16_t World::blocking_step(std::uint8_t core) const {
  for (std::size_t i = 0; i < context_count_; ++i) {
    const Context& context = contexts_[i];
    if (context.core == core && context.request != nullptr && context.request->kind == Kind::lock &&
        shared_[context.request->object].count != 0) {
      return shared_[context.request->object].last_lock;
    }
  }
  return 0;
}

// --- Steps. ---

void World::perform(Request& request) {
  Context& me = *running_;
  in_test_ = false;
  me.request = &request;
  if (starting_) {
    leave();
  } else {
    schedule();
  }
  me.request = nullptr;
  apply(me, request);
  in_test_ = true;
}

Event& World::begin_event(Context& me, Kind kind, std::uint8_t object, bool seq_cst) {
  Core& core = cores_[me.core];
  Event& event = events_[event_count_];
  event = Event{};
  event.choice = Choice{kind, me.core, index_of(me), object, seq_cst, choice_.pick};
  event.index = ++core.steps;
  event.before = core.order;
  event.clock = core.order;
  event.clock.at[me.core] = event.index;
  return event;
}

void World::end_event(Context& me, Event& event) {
  if (event.made != kNoStore) {
    Store& store = memory_.store(event.made);
    store.order = event.clock;
    store.core = me.core;
    store.context = index_of(me);
    store.step = event.index;
  }
  cores_[me.core].order = event.clock;
  ++me.clock.at[index_of(me)];
  ++event_count_;
}

void World::apply(Context& me, Request& request) {
  Core& core = cores_[me.core];
  if (me.priority != 0) core.fresh = false;
  const bool seq_cst = request.order == MemoryOrder::seq_cst;
  seq_cst_seen_ |= seq_cst;
  Event& event = begin_event(me, request.kind, request.object, seq_cst);
  switch (request.kind) {
    case Kind::load:
    case Kind::rmw:
      apply_load(me, request, event);
      break;
    case Kind::store:
      apply_store(me, request, event);
      break;
    case Kind::fence:
      apply_fence(me, request.order);
      if (seq_cst) order_seq_cst(me, event, true, 0);
      break;
    case Kind::mask:
      core.masked_by = static_cast<std::uint8_t>(index_of(me) + 1);
      me.clock.join(core.mask_clock);
      break;
    case Kind::unmask:
      core.masked_by = 0;
      core.mask_clock.join(me.clock);
      break;
    case Kind::fall_asleep:
      core.asleep_since = core.handlers_run;
      break;
    case Kind::wake:
      break;
    case Kind::choose:
      request.seen = choice_.pick;
      break;
    default:
      apply_shared(me, request, event);
  }
  end_event(me, event);
}

// Reading `id` with `order`: what its writer released is ours now, or after an acquire fence.
void World::learn(Context& me, StoreId id, MemoryOrder order) {
  const Store& store = memory_.store(id);
  if (!store.has_view) return;
  if (acquires(order)) {
    memory_.join(cores_[me.core].view, memory_.view_of(id));
    me.clock.join(store.clock);
    return;
  }
  if (!me.has_acquired) {
    me.has_acquired = true;
    me.acquired = View{};
    me.acquired_clock = Clock{};
  }
  memory_.join(me.acquired, memory_.view_of(id));
  me.acquired_clock.join(store.clock);
}

// What readers of the new store may learn. Since C++20 only RMWs carry on what the store they
// replace had released; a plain store, even of the same thread, ends that.
void World::publish(Context& me, StoreId id, MemoryOrder order, StoreId replaced) {
  Store& store = memory_.store(id);
  View& view = memory_.view_of(id);
  if (releases(order)) {
    store.has_view = true;
    view = cores_[me.core].view;
    store.clock = me.clock;
  } else if (me.has_released) {
    store.has_view = true;
    view = me.released;
    store.clock = me.released_clock;
  }
  if (replaced == kNoStore || !memory_.store(replaced).has_view) return;
  if (!store.has_view) view = View{};
  store.has_view = true;
  memory_.join(view, memory_.view_of(replaced));
  store.clock.join(memory_.store(replaced).clock);
}

void World::apply_load(Context& me, Request& request, Event& event) {
  Core& core = cores_[me.core];
  const WordId word = request.object;
  const StoreId id = choice_.pick;
  const StoreId floor = floor_of(me, request);
  event.reads = true;
  event.read = id;
  event.floor = floor;
  std::uint64_t next = 0;
  request.seen = memory_.store(id).value;
  request.changed = request.kind == Kind::rmw && request.change(request.self, request.seen, next);
  if (request.kind == Kind::rmw && !request.changed) {
    for (std::size_t i = memory_.rank(floor); i < memory_.length(word); ++i) {
      const Store& other = memory_.store(memory_.at(word, i));
      event.shut_out |= other.replaced && request.change(request.self, other.value, next);
    }
  }
  const MemoryOrder order =
      request.kind == Kind::load || request.changed ? request.order : request.order_if_unchanged;
  event.clock.join(memory_.store(id).order);
  core.view.oldest[word] = memory_.later(core.view.oldest[word], id);
  learn(me, id, order);
  if (request.changed) {
    const StoreId made = memory_.insert(word, memory_.rank(id) + 1, next);
    memory_.store(made).rmw = true;
    memory_.store(id).replaced = true;
    core.view.oldest[word] = made;
    publish(me, made, order, id);
    event.made = made;
  }
  if (request.order == MemoryOrder::seq_cst) {
    StoreId& global = seq_cst_view_.oldest[word];
    global = memory_.later(global, core.view.oldest[word]);
    order_seq_cst(me, event, false, word);
  }
}

void World::apply_store(Context& me, Request& request, Event& event) {
  Core& core = cores_[me.core];
  const WordId word = request.object;
  event.floor = floor_of(me, request);
  const StoreId made = memory_.insert(word, choice_.pick, request.value);
  core.view.oldest[word] = made;
  publish(me, made, request.order, kNoStore);
  event.made = made;
  if (request.order == MemoryOrder::seq_cst) {
    seq_cst_view_.oldest[word] = made;
    order_seq_cst(me, event, false, word);
  }
}

void World::apply_fence(Context& me, MemoryOrder order) {
  Core& core = cores_[me.core];
  if (acquires(order) && me.has_acquired) {
    memory_.join(core.view, me.acquired);
    me.clock.join(me.acquired_clock);
  }
  if (order == MemoryOrder::seq_cst) {
    memory_.join(core.view, seq_cst_view_);
    memory_.join(seq_cst_view_, core.view);
  }
  if (releases(order)) {
    me.has_released = true;
    me.released = core.view;
    me.released_clock = me.clock;
  }
}

// The single total order S is the order of execution: whatever could tell two of its members apart
// is ordered for the search.
void World::order_seq_cst(Context&, Event& event, bool fence, WordId word) {
  if (fence) {
    event.clock.join(seq_cst_all_);
    seq_cst_fences_ = event.clock;
  } else {
    event.clock.join(seq_cst_words_[word]);
    event.clock.join(seq_cst_fences_);
    seq_cst_words_[word] = event.clock;
  }
  seq_cst_all_.join(event.clock);
}

void World::use_shared(Context&, Event& event, std::uint8_t object) {
  Shared& shared = shared_[object];
  event.clock.join(shared.order);
  shared.order = event.clock;
  shared.last_event = static_cast<std::uint16_t>(event_count_ + 1);
}

void World::apply_shared(Context& me, Request& request, Event& event) {
  Core& core = cores_[me.core];
  Shared& shared = shared_[request.object];
  const bool gives =
      request.kind == Kind::unlock || request.kind == Kind::unpark || request.kind == Kind::raise;
  const bool by_itself = request.kind == Kind::park && choice_.pick == kEndsByItself;
  event.was_open = by_itself || (request.kind == Kind::park && shared.merged);
  use_shared(me, event, request.object);
  if (by_itself) {  // and nothing is learnt from anybody
    --shared.ends_left;
    return;
  }
  if (gives) {
    memory_.join(shared.view, core.view);
    shared.clock.join(me.clock);
  } else {
    memory_.join(core.view, shared.view);
    me.clock.join(shared.clock);
  }
  switch (request.kind) {
    case Kind::lock:
      shared.count = static_cast<std::uint16_t>(index_of(me) + 1);
      shared.last_lock = static_cast<std::uint16_t>(event_count_ + 1);
      break;
    case Kind::unlock:
      shared.count = 0;
      break;
    case Kind::park:
      shared.count = 0;
      shared.merged = false;
      break;
    case Kind::unpark:
      shared.merged = shared.count != 0;
      shared.count = 1;
      break;
    default:
      ++shared.count;
  }
}

void World::fire(Context& handler) {
  Core& core = cores_[handler.core];
  Shared& shared = shared_[handler.interrupt];
  Event& event = begin_event(handler, Kind::fire, handler.interrupt, false);
  event.was_open = shared.count > 1;
  use_shared(handler, event, handler.interrupt);
  memory_.join(core.view, shared.view);
  handler.clock.join(shared.clock);
  handler.clock.join(core.mask_clock);
  --shared.count;
  handler.active = true;
  core.active[core.active_count++] = index_of(handler);
  core.fresh = true;
  end_event(handler, event);
}

// --- What contexts call. ---

std::uint64_t World::choose(std::uint64_t count) {
  if (observing()) return 0;
  Request request;
  request.kind = Kind::choose;
  request.value = count;
  perform(request);
  return request.seen;
}

void World::mask() {
  Request request;
  request.kind = Kind::mask;
  perform(request);
}

void World::unmask() {
  Request request;
  request.kind = Kind::unmask;
  perform(request);
}

void World::wait_for_interrupt() {
  Request asleep;
  asleep.kind = Kind::fall_asleep;
  perform(asleep);
  Request awake;
  awake.kind = Kind::wake;
  perform(awake);
}

void World::raise(const char* interrupt_name) {
  for (std::size_t i = 0; i < context_count_; ++i) {
    if (contexts_[i].priority == 0 || std::strcmp(contexts_[i].name, interrupt_name) != 0) continue;
    Request request;
    request.kind = Kind::raise;
    request.object = contexts_[i].interrupt;
    perform(request);
    return;
  }
  fail(Failure::check, {"no interrupt is called ", interrupt_name});
}

void World::fence(MemoryOrder order) {
  if (observing()) return;
  Request request;
  request.kind = Kind::fence;
  request.order = order;
  perform(request);
}

WordId World::word_of(Cell& cell) {
  if (cell.retired) [[unlikely]] {
    fail(Failure::use_after_free, {"a word that is gone was used"});
  }
  if (cell.execution != execution_) [[unlikely]] {
    cell.execution = execution_;
    cell.word = memory_.declare(cell.initial);
    word_names_[cell.word] = WordName{&cell, cell.name != nullptr ? cell.name : ""};
  }
  return cell.word;
}

std::uint64_t World::load(Cell& cell, MemoryOrder order) {
  const WordId word = word_of(cell);
  if (observing()) return newest_value(word);
  Request request;
  request.kind = Kind::load;
  request.order = order;
  request.object = word;
  perform(request);
  return request.seen;
}

void World::store(Cell& cell, std::uint64_t value, MemoryOrder order) {
  const WordId word = word_of(cell);
  if (observing()) {
    memory_.store(memory_.newest(word)).value = value;
    return;
  }
  Request request;
  request.kind = Kind::store;
  request.order = order;
  request.object = word;
  request.value = value;
  perform(request);
}

void World::change(Cell& cell, Request& request) {
  const WordId word = word_of(cell);
  if (observing()) {
    Store& newest = memory_.store(memory_.newest(word));
    std::uint64_t next = 0;
    request.seen = newest.value;
    request.changed = request.change(request.self, request.seen, next);
    if (request.changed) newest.value = next;
    return;
  }
  request.kind = Kind::rmw;
  request.object = word;
  perform(request);
}

void World::retire(Cell& cell) {
  cell.retired = true;
}

void World::plain_read(PlainRecord& record) {
  if (record.retired) [[unlikely]]
    fail(Failure::use_after_free, {"plain data that is gone was used"});
  if (observing()) return;
  if (record.execution != execution_) {
    record = PlainRecord{};
    record.execution = execution_;
  }
  const Context& me = *running_;
  if (record.written > me.clock.at[record.writer]) {
    race_seen_ = true;
    if (stops_at_race_) {
      fail(Failure::race,
           {"'",
            me.name,
            "' reads plain data that '",
            contexts_[record.writer].name,
            "' writes, and nothing orders the two"});
    }
  }
  record.reads.at[index_of(me)] = me.clock.at[index_of(me)];
}

void World::plain_write(PlainRecord& record) {
  plain_read(record);
  if (observing()) return;
  Context& me = *running_;
  for (std::size_t i = 0; i < context_count_; ++i) {
    if (record.reads.at[i] > me.clock.at[i]) {
      race_seen_ = true;
      if (stops_at_race_) {
        fail(Failure::race,
             {"'",
              me.name,
              "' writes plain data that '",
              contexts_[i].name,
              "' reads, and nothing orders the two"});
      }
    }
  }
  record.writer = index_of(me);
  record.written = me.clock.at[record.writer];
}

void World::park(std::uint8_t parker) {
  Request request;
  request.kind = Kind::park;
  request.object = parker;
  perform(request);
}

void World::unpark(std::uint8_t parker) {
  if (observing()) {
    shared_[parker].count = 1;
    return;
  }
  Request request;
  request.kind = Kind::unpark;
  request.object = parker;
  perform(request);
}

void World::lock(std::uint8_t lock) {
  if (observing()) return;
  Request request;
  request.kind = Kind::lock;
  request.object = lock;
  perform(request);
}

void World::unlock(std::uint8_t lock) {
  if (observing()) return;
  Request request;
  request.kind = Kind::unlock;
  request.object = lock;
  perform(request);
}

std::uint64_t World::graph_hash() const {
  const auto mix = [](std::uint64_t hash, std::uint64_t value) {
    hash = (hash ^ value) * 0x9e3779b97f4a7c15;
    return hash ^ (hash >> 29);
  };
  const auto origin = [&](StoreId id) -> std::uint64_t {
    const Store& store = memory_.store(id);
    return store.step == 0 ? 0 : (std::uint64_t{store.core} + 1) << 16 | store.step;
  };
  std::array<std::uint64_t, kContexts> cores{};
  for (std::size_t i = 0; i < event_count_; ++i) {
    const Event& event = events_[i];
    std::uint64_t& hash = cores[event.choice.core];
    hash = mix(hash,
               std::uint64_t{event.choice.context} << 16 |
                   static_cast<std::uint64_t>(event.choice.kind) << 8 | event.choice.object);
    if (event.read != kNoStore) hash = mix(hash, origin(event.read) + 1);
    if (event.choice.kind == Kind::choose) hash = mix(hash, event.choice.pick);
  }
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < core_count_; ++i) all = mix(all, cores[i]);
  for (std::size_t word = 0; word < memory_.word_count(); ++word) {
    const auto id = static_cast<WordId>(word);
    for (std::size_t i = 0; i < memory_.length(id); ++i) all = mix(all, origin(memory_.at(id, i)));
  }
  return all;
}

}  // namespace chappe::explore
