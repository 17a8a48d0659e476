#include "chappe/sync/section.h"

#include "chappe/base/panic.h"
#include "chappe/base/text.h"

namespace chappe::sync {

constinit thread_local const Section* Section::inside_ = nullptr;

void Section::fail_inside(const char* what, const char* name, Site site) {
  const Section* const outer = inside_;
  inside_ = nullptr;  // the panic's own words may need a section
  Text<360> words;
  words.add(what).add(" '").add(name).add("' at ").add(site).add(" inside section '");
  words.add(outer->class_.name).add("', entered at ").add(outer->site_.read());
  words.add(": a section never nests");
  panic(words.view(), site);
}

void Section::enter(Site site) noexcept {
  check_outside("section", class_.name, site);
  for (std::uint32_t tries = 1; taken_.exchange(1, Order::acquire) != 0; ++tries) {
    if (tries == kPatience) {
      Text<360> words;
      words.add("section '").add(class_.name).add("' awaited at ").add(site);
      words.add(" is not left by who entered it at ").add(site_.read());
      panic(words.view(), site);
    }
    spin_pause(tries);
  }
  inside_ = this;
  site_.write(site);
}

void Section::leave() noexcept {
  inside_ = nullptr;
  taken_.store(0, Order::release);
}

}  // namespace chappe::sync
