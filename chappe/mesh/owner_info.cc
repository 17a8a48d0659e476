#include "chappe/mesh/owner_info.h"

#include "chappe/mesh/utf8.h"

namespace chappe::mesh {

Answer owner_info_answer(std::uint32_t tag,
                         std::string_view version,
                         std::string_view name,
                         std::string_view owner) {
  Answer answer;
  answer.append_le32(tag);
  answer.append(cut_to_characters(version, answer.room()));
  for (const std::string_view words : {name, owner}) {
    if (answer.room() == 0) break;
    answer.append(static_cast<std::uint8_t>('\n'));
    answer.append(cut_to_characters(words, answer.room()));
  }
  return answer;
}

}  // namespace chappe::mesh
