// What tools/lint_natives lets pass, as in a core room. Never compiled.
#include <coroutine>
#include <cstdint>

namespace chappe::tx {
namespace {

constexpr int kLimit = 3;
const int kOther = 4;
inline constexpr std::array<int, 2> kTable = {1, 2};
const char* const kName = "std::mutex";
// std::atomic in a comment

constinit sync::SharedWord<Hook, kHookState> hook{nullptr};
static constinit sync::Owned<Told, kToldState, Panic> told_;

struct State {
  sync::SharedWord<std::uint32_t, kWordState> word_{0};
  static constexpr std::uint32_t kOwed = 1;
  static const Setting kSettings[];
  static State* held_mark() noexcept;

  int count = 0;
  State* next = nullptr;
};

int helper(int x, int y = 3);
extern const int kElsewhere;
using Word = std::uint32_t;
enum class Trouble { none, deep };

}  // namespace

State& at(State& state) {
  int local = 3;
  static_cast<void>(local);
  std::construct_at(&state);
  ::new (&state) State();
  new_frame(state);
  state.try_take();
  state.free(3);
  return state;
}

class Line {
 public:
  Line(const Line&) = delete;
  static void operator delete(void* frame);
  static void* operator new(std::size_t size) noexcept;
  void wait() { asm volatile("wfi"); }

 private:
  int count_ = 0;
};

bool operator==(const Line& a, const Line& b) { return &a == &b; }
constexpr State kZero{.count = 0, .next = nullptr};

}  // namespace chappe::tx

void FrameArena::free(void* frame) noexcept { FrameArena::free(frame); }
