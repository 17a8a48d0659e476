#include "chappe/base/units.h"

constexpr chappe::Dbm kFloor{-480};
constexpr chappe::Dbm kSignal{-400};

constexpr chappe::Decibels control() {
  return kSignal - kFloor;
}
static_assert(control().quarters == 80);

#ifdef SUM_OF_LEVELS  // expect: invalid operands | no match for
auto adds_two_levels() {
  return kSignal + kFloor;
}
#endif

#ifdef BARE_NUMBER_AS_TIME  // expect: no viable conversion | could not convert
chappe::Time forgets_the_unit() {
  return 5000;
}
#endif

#ifdef LEVEL_AS_FREQUENCY  // expect: invalid operands | no match for
bool compares_apples_with_pears() {
  return kSignal < chappe::Hertz{868};
}
#endif
