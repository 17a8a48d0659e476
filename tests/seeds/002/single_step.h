#pragma once

#include <csignal>
#include <cstdint>
#include <utility>

namespace chappe::seeds {

#if defined(__x86_64__) && defined(__linux__)
#define CHAPPE_CAN_SINGLE_STEP 1
#else
#define CHAPPE_CAN_SINGLE_STEP 0
#endif
// The thread sanitizer's own runtime cannot be interrupted at any instruction.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#undef CHAPPE_CAN_SINGLE_STEP
#define CHAPPE_CAN_SINGLE_STEP 0
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#undef CHAPPE_CAN_SINGLE_STEP
#define CHAPPE_CAN_SINGLE_STEP 0
#endif

/// Interrupts a piece of code after each single instruction, as the worst interrupt line could: by
/// the processor's trap flag. One at a time.
class SingleStep {
 public:
  /// Called with the number of instructions run so far: 1, 2, 3 … As in any interrupt, it may only
  /// do what is safe at any instant.
  using Strike = void (*)(void* context, std::uint64_t instruction);

  static constexpr bool kAvailable = CHAPPE_CAN_SINGLE_STEP != 0;

  /// Runs `code` and returns how many instructions that took.
  template <class Code>
  static std::uint64_t run(Code code, Strike strike, void* context) {
    strike_ = strike;
    context_ = context;
    count_ = 0;
    struct sigaction ours{};
    struct sigaction before{};
    ours.sa_handler = &trapped;
    ::sigaction(SIGTRAP, &ours, &before);
    step_on();
    code();
    step_off();
    ::sigaction(SIGTRAP, &before, nullptr);
    return count_;
  }

 private:
  static void trapped(int) {
    count_ = count_ + 1;
    strike_(context_, count_);
  }
#if CHAPPE_CAN_SINGLE_STEP
  // Steps over the 128 bytes below the stack pointer, which a leaf function may be using.
  static void step_on() {
    asm volatile(
        "leaq -128(%%rsp), %%rsp\n pushfq\n orq $0x100, (%%rsp)\n popfq\n leaq 128(%%rsp), %%rsp" ::
            : "memory", "cc");
  }
  static void step_off() {
    asm volatile(
        "leaq -128(%%rsp), %%rsp\n pushfq\n andq $~0x100, (%%rsp)\n popfq\n leaq 128(%%rsp), "
        "%%rsp" ::
            : "memory", "cc");
  }
#else
  static void step_on() {}
  static void step_off() {}
#endif

  static inline Strike strike_ = nullptr;
  static inline void* context_ = nullptr;
  static inline volatile std::uint64_t count_ = 0;
};

}  // namespace chappe::seeds
