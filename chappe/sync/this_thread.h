#pragma once

namespace chappe::sync {

/// A name for the thread of execution that calls: the same for all its calls, another for every
/// other living one. On a single core all are one. Context: any.
const void* this_thread() noexcept;

}  // namespace chappe::sync
