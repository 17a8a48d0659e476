// Any bytes as a configuration file: either mistakes with a place in the file, or a configuration
// that its own print-out describes exactly.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "chappe/base/check.h"
#include "chappe/config/document.h"
#include "chappe/config/load.h"
#include "chappe/config/print.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chappe::config;

  const std::string text(data, data + size);
  const Loaded loaded = parse(text);
  if (!loaded) {
    CHAPPE_CHECK(!loaded.error().empty());
    for (const Mistake& mistake : loaded.error()) {
      CHAPPE_CHECK(!mistake.what.empty());
      const bool too_large = size > kDocumentBytesMax;
      CHAPPE_CHECK((mistake.place.line == 0) == too_large);
      CHAPPE_CHECK((mistake.place.column == 0) == too_large);
    }
    return 0;
  }
  CHAPPE_CHECK(contradictions(*loaded).empty());
  const std::string printed = to_toml(*loaded, Secrets::shown);
  const Loaded again = parse(printed);
  CHAPPE_CHECK(again.has_value());
  CHAPPE_CHECK(*again == *loaded);
  return 0;
}
