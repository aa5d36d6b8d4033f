#pragma once

#include <string>

#include "cam/base/result.h"

namespace cam::store {

/// Whether SqliteStore::open() for writing could use what lies at `path`, judged by the rights and the file's
/// header alone: nothing is changed and SQLite does not see the file. A missing or empty file is fine if it
/// can be made. kReadOnly, kInvalid (not a regular file), kCorrupt (not SQLite), kNewer, kInternal; the text
/// names the path. Not for a file that this process has open as a database: closing it here would drop
/// SQLite's locks. Safe from any thread.
Status could_open(const std::string& path);

}  // namespace cam::store
