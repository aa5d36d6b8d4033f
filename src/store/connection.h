#pragma once

#include <memory>
#include <string_view>

#include "cam/store/sqlite_store.h"
#include "sqlite_database.h"

namespace cam::store {

/// A connection to the one file as the stores open it: checked, migrated, ready. One thread at a time.
struct Connection {
    SqliteStore::Options options;
    std::unique_ptr<Database> database;

    /// As SqliteStore::open says.
    static Result<Connection> open(const SqliteStore::Options& options);

    /// To be called before reading. A read-only store looks again how the file must be read now: a writer may
    /// have come or gone.
    Status ready_to_read();
    /// kReadOnly unless the store was opened for writing.
    Status ready_to_write();
    /// False only for a file that was opened read-only and is older than the table.
    Result<bool> has_table(std::string_view name);
    /// ready_to_read() and has_table() in one.
    Result<bool> ready_to_read(std::string_view table);
};

}  // namespace cam::store
