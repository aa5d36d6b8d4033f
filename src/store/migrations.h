#pragma once

#include <cstdint>

#include "cam/base/result.h"
#include "sqlite_database.h"

namespace cam::store {

/// PRAGMA user_version of a file that this program has migrated.
[[nodiscard]] std::int64_t schema_version();
/// The file's PRAGMA user_version; kNewer if this program does not know it.
Result<std::int64_t> known_version(Database& database);
/// Brings the file to schema_version(), all steps in one transaction. Nothing to do: takes no lock.
Status migrate(Database& database);

}  // namespace cam::store
