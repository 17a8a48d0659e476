#include "chappe/base/result.h"

enum class Trouble { deep };

chappe::Result<int, Trouble> ask();

int control() {
  const auto answer = ask();
  return answer ? 1 : 0;
}

#ifdef DROPPED_RESULT  // expect: nodiscard | unused-result
void drops_the_answer() {
  ask();
}
#endif

#ifdef RESULT_AS_VALUE  // expect: no viable conversion | cannot convert
int forgets_the_error() {
  return ask();
}
#endif

#ifdef BARE_ERROR  // expect: no viable conversion | could not convert
chappe::Result<int, Trouble> returns_a_bare_error() {
  return Trouble::deep;
}
#endif
