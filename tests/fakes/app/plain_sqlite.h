#pragma once

#include <stdexcept>
#include <string>

#include <sqlite3.h>

namespace cam::app {

/// A second program on the same database file, as a user's sqlite3 or a backup would be. One thread at a
/// time.
class PlainSqlite {
public:
    explicit PlainSqlite(const std::string& path) {
        if (sqlite3_open(path.c_str(), &handle_) != SQLITE_OK)
            throw std::runtime_error("cannot open " + path);
        sqlite3_busy_timeout(handle_, 5'000);
    }
    ~PlainSqlite() { sqlite3_close(handle_); }
    PlainSqlite(const PlainSqlite&) = delete;
    PlainSqlite& operator=(const PlainSqlite&) = delete;

    /// Runs statements; the first column of all rows, a line each.
    std::string run(const std::string& sql) {
        std::string rows;
        char* problem = nullptr;
        const auto add = [](void* to, int, char** values, char**) {
            *static_cast<std::string*>(to) += std::string(values[0] == nullptr ? "NULL" : values[0]) + "\n";
            return 0;
        };
        if (sqlite3_exec(handle_, sql.c_str(), add, &rows, &problem) != SQLITE_OK) {
            const std::string why = sql + ": " + (problem == nullptr ? "" : problem);
            sqlite3_free(problem);
            throw std::runtime_error(why);
        }
        if (!rows.empty()) rows.pop_back();
        return rows;
    }

private:
    sqlite3* handle_ = nullptr;
};

}  // namespace cam::app
