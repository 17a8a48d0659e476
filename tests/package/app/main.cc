#include <chappe/base/check.h>
#include <chappe/base/text.h>

int main() {
  chappe::Text<16> text;
  text.add("runtime ").add(1);
  CHAPPE_CHECK(text.view() == "runtime 1");
}
