#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "cam/base/result.h"

namespace cam::app {

/// The whole of a regular file of at most `most` bytes. kNotFound, kTooLarge, kInvalid (not a regular file),
/// kInternal.
Result<std::string> read_file(const std::string& path, std::size_t most);

/// Replaces the file in one step: written and synced beside it, then renamed; a reader sees the old or the
/// new text. Keeps the mode of the file that was there (0640 if none was).
Status write_file_atomically(const std::string& path, std::string_view text);

}  // namespace cam::app
