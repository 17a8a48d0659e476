#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "chappe/base/bytes.h"
#include "chappe/mesh/envelope.h"

namespace chappe::mesh {

// Two hashes, a MAC and padding to whole blocks have to fit as well (protocol 5).
inline constexpr std::size_t kAnswerMax = kPayloadMax - 2 - (crypto::kBlock - 1);
using Answer = ByteBuffer<kAnswerMax>;

/// The plaintext of the answer to "who owns you" (request 7): the tag of the question, then
/// "version\nname\nowner". The owner's part is cut at a character's end where it does not fit; the
/// firmware gives no answer at all then.
Answer owner_info_answer(std::uint32_t tag,
                         std::string_view version,
                         std::string_view name,
                         std::string_view owner);

}  // namespace chappe::mesh
