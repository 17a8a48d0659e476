#pragma once

#include <cstdint>

#include "chappe/mesh/neighbours.h"
#include "chappe/node/board.h"
#include "chappe/node/console_text.h"
#include "chappe/node/repeater.h"

/// Replies that are tables and statistics (protocol 13.1, 15).
namespace chappe::node {

/// Newest first, a line each: eight digits of the key, seconds since it was heard, SNR in quarters.
void append_neighbours(Reply& out, const mesh::Neighbours& neighbours, std::uint32_t unix_now);

void append_core_statistics(Reply& out, Repeater& repeater, const Board& board);
void append_radio_statistics(Reply& out, Repeater& repeater, const Board& board);
void append_packet_statistics(Reply& out, Repeater& repeater, const Board& board);

}  // namespace chappe::node
