#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cam/base/result.h"

namespace cam::app {

/// The whole of a regular file of at most `most` bytes. kNotFound, kTooLarge, kInvalid (not a regular file),
/// kInternal.
Result<std::string> read_file(const std::string& path, std::size_t most);

/// Which file lies at a path, whatever it holds.
struct FileIdentity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};
/// nullopt: none. An error: it cannot be examined, so that nobody knows.
[[nodiscard]] Result<std::optional<FileIdentity>> file_at(const std::string& path);

/// True if every user of this machine can read the file: its mode and those of all folders above it say so.
/// False also for a file that is not there.
[[nodiscard]] bool everybody_can_read(const std::string& path);

/// Replaces the file in one step: written and synced beside it, then renamed; a reader sees the old or the
/// new text. Keeps the mode of the file that was there (0640 if none was).
Status write_file_atomically(const std::string& path, std::string_view text);

}  // namespace cam::app
