// What tools/lint_natives must refuse, marked where it must say so. Never compiled.
#include <unistd.h>   // bad
#include <sys/epoll.h>  // bad
#include <mutex>      // bad
#include <vector>     // bad

namespace chappe::tx {
namespace {

int count = 0;                   // bad
static State state;              // bad
std::array<int, 3> table{};      // bad
thread_local Waiter* current;    // bad
const char* name = "x";          // bad

}  // namespace

struct Gate {
  sync::Word<std::uint32_t> word_{0};        // bad
  sync::Plain<int> box_;                     // bad
  static int count_;                         // bad
};

inline Registry registry = {};   // bad

void sins() {
  std::mutex mutex;                          // bad
  std::lock_guard<Mutex> hold(mutex);        // bad
  pthread_mutex_lock(&mutex);                // bad
  std::atomic<int> word;                     // bad
  word.load(std::memory_order_relaxed);      // bad
  static int calls = 0;                      // bad
  volatile int* reg = nullptr;               // bad
  std::thread thread([] {});                 // bad
  auto* p = new Waiter();                    // bad
  delete p;                                  // bad
  void* q = malloc(3);                       // bad
  free(q);                                   // bad
  std::function<void()> f;                   // bad
  std::vector<int> v;                        // bad
  std::string s;                             // bad
  std::unique_ptr<int> u = std::make_unique<int>(3);  // bad
  try {                                      // bad
    throw 3;                                 // bad
  } catch (...) {                            // bad
  }
  dynamic_cast<A*>(b);                       // bad
}

}  // namespace chappe::tx
