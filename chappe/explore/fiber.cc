#include "chappe/explore/fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

#if !defined(__x86_64__) && !defined(__aarch64__)
#include <ucontext.h>
#define CHAPPE_FIBER_UCONTEXT 1
#endif

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CHAPPE_FIBER_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define CHAPPE_FIBER_ASAN 1
#endif

#ifdef CHAPPE_FIBER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

// An abandoned fiber would leak the fake frames that this check makes, once per execution.
extern "C" const char* __asan_default_options() {
  return "detect_stack_use_after_return=0";
}
#endif

namespace chappe::explore {
namespace {

constexpr std::size_t kStackBytes = 64 * 1024;

}  // namespace

#ifdef CHAPPE_FIBER_UCONTEXT
struct Fiber::State {
  ucontext_t context;
};
#else
struct Fiber::State {};

// Saves what a call must keep, exchanges the stack pointers, and jumps where the other one stopped.
extern "C" void chappe_explore_switch(void** saved, void* target);

#if defined(__x86_64__)
asm(R"(
.text
.globl chappe_explore_switch
.type chappe_explore_switch, @function
chappe_explore_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  popq %rcx
  jmpq *%rcx
.size chappe_explore_switch, .-chappe_explore_switch
)");
constexpr std::size_t kSavedWords = 6;  // and the address to jump to
#else
asm(R"(
.text
.globl chappe_explore_switch
.type chappe_explore_switch, %function
chappe_explore_switch:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  br x30
.size chappe_explore_switch, .-chappe_explore_switch
)");
#endif
#endif

// A fiber begins with no argument in a register we could set: who begins is left here.
static Fiber* beginning = nullptr;

void fiber_start(void* self) {
  Fiber::start(self);
}

extern "C" void chappe_explore_begin() {
  fiber_start(beginning);
}

void Fiber::start(void* self) {
  Fiber& fiber = *static_cast<Fiber*>(self);
  fiber.arrived();
  fiber.entry_(fiber.argument_);
  std::abort();
}

Fiber::Fiber() : bytes_(kStackBytes) {
  const std::size_t page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* const memory =
      ::mmap(nullptr, bytes_ + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) std::abort();
  memory_ = static_cast<std::byte*>(memory);
  bottom_ = memory_ + page;
  if (::mprotect(memory_, page, PROT_NONE) != 0) std::abort();
#ifdef CHAPPE_FIBER_UCONTEXT
  state_ = new State;
#endif
}

Fiber::Fiber(Main) {
#ifdef CHAPPE_FIBER_UCONTEXT
  state_ = new State;
#endif
}

Fiber::~Fiber() {
  if (memory_ != nullptr) {
    ::munmap(memory_, bytes_ + static_cast<std::size_t>(bottom_ - memory_));
  }
  delete state_;
}

void Fiber::arrived() {
#ifdef CHAPPE_FIBER_ASAN
  const void* bottom = nullptr;
  std::size_t size = 0;
  __sanitizer_finish_switch_fiber(nullptr, &bottom, &size);
  // The main stack is learnt from the first fiber that is entered from it.
  if (arrived_from_ != nullptr && arrived_from_->memory_ == nullptr) {
    arrived_from_->bottom_ = static_cast<std::byte*>(const_cast<void*>(bottom));
    arrived_from_->bytes_ = size;
  }
#endif
}

void Fiber::begin(Entry entry, void* argument) {
  entry_ = entry;
  argument_ = argument;
#ifdef CHAPPE_FIBER_ASAN
  // What was abandoned left its frames' borders behind, from where it stopped up to the top.
  auto* const stopped = static_cast<std::byte*>(sp_);
  if (stopped != nullptr) {
    __asan_unpoison_memory_region(stopped, static_cast<std::size_t>(bottom_ + bytes_ - stopped));
  }
#endif
#ifdef CHAPPE_FIBER_UCONTEXT
  ::getcontext(&state_->context);
  state_->context.uc_stack.ss_sp = bottom_;
  state_->context.uc_stack.ss_size = bytes_;
  state_->context.uc_link = nullptr;
  ::makecontext(&state_->context, &chappe_explore_begin, 0);
#else
  auto** top = reinterpret_cast<void**>(bottom_ + bytes_);
#if defined(__x86_64__)
  *--top = nullptr;  // where a caller's address would be, for alignment and for debuggers
  *--top = reinterpret_cast<void*>(&chappe_explore_begin);
  for (std::size_t i = 0; i < kSavedWords; ++i) *--top = nullptr;
#else
  top -= 20;
  for (std::size_t i = 0; i < 20; ++i) top[i] = nullptr;
  top[11] = reinterpret_cast<void*>(&chappe_explore_begin);
#endif
  sp_ = top;
#endif
}

void Fiber::enter(Fiber& from) {
  beginning = this;
#ifdef CHAPPE_FIBER_ASAN
  arrived_from_ = &from;
  void* fake_stack = nullptr;
  __sanitizer_start_switch_fiber(&fake_stack, bottom_, bytes_);
#endif
#ifdef CHAPPE_FIBER_UCONTEXT
  ::swapcontext(&from.state_->context, &state_->context);
#else
  chappe_explore_switch(&from.sp_, sp_);
#endif
#ifdef CHAPPE_FIBER_ASAN
  __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
#endif
}

}  // namespace chappe::explore
