#include <sqlite3.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "cam/base/check.h"
#include "sqlite_database.h"

namespace cam::store {
namespace {

// A null pointer would bind NULL.
const char* bytes_of(std::string_view value) {
    return value.data() == nullptr ? "" : value.data();
}

}  // namespace

Query::Query(Query&& other) noexcept
    : database_(other.database_),
      statement_(std::exchange(other.statement_, nullptr)),
      kept_(other.kept_),
      failed_(other.failed_) {}

Query::~Query() {
    if (statement_ == nullptr) return;
    if (!kept_) {
        sqlite3_finalize(statement_);
        return;
    }
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
}

void Query::note(int rc) {
    if (rc != SQLITE_OK && failed_ == SQLITE_OK) failed_ = rc;
}

Query& Query::text(int at, std::string_view value) {
    note(sqlite3_bind_text64(statement_, at, bytes_of(value), value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
    return *this;
}

Query& Query::view(int at, std::string_view value) {
    note(sqlite3_bind_text64(statement_, at, bytes_of(value), value.size(), SQLITE_STATIC, SQLITE_UTF8));
    return *this;
}

Query& Query::maybe_view(int at, MaybeText value) {
    return value ? view(at, *value) : nothing(at);
}

Query& Query::number(int at, std::int64_t value) {
    note(sqlite3_bind_int64(statement_, at, value));
    return *this;
}

Query& Query::count(int at, std::uint64_t value) {
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    return number(at, static_cast<std::int64_t>(std::min(value, kMost)));
}

Query& Query::real(int at, double value) {
    note(sqlite3_bind_double(statement_, at, std::isnan(value) ? 0 : value));
    return *this;
}

Query& Query::blob_view(int at, std::string_view bytes) {
    note(sqlite3_bind_blob64(statement_, at, bytes_of(bytes), bytes.size(), SQLITE_STATIC));
    return *this;
}

Query& Query::nothing(int at) {
    note(sqlite3_bind_null(statement_, at));
    return *this;
}

Result<bool> Query::step() {
    if (failed_ != SQLITE_OK) return database_->error(failed_);
    const int rc = sqlite3_step(statement_);
    if (rc == SQLITE_ROW) return true;
    if (rc == SQLITE_DONE) return false;
    return database_->error(rc);
}

Status Query::run() {
    for (;;) {
        const Result<bool> row = step();
        if (!row) return row.error();
        if (!*row) break;
    }
    rewind();
    return Done{};
}

void Query::rewind() {
    sqlite3_reset(statement_);
}

int Query::columns() const {
    return sqlite3_column_count(statement_);
}
bool Query::is_null(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

bool Query::is_number(int column) const {
    const int type = sqlite3_column_type(statement_, column);
    return type == SQLITE_INTEGER || type == SQLITE_FLOAT;
}

std::int64_t Query::integer(int column) const {
    return sqlite3_column_int64(statement_, column);
}
std::uint64_t Query::count(int column) const {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(integer(column), 0));
}
double Query::real(int column) const {
    return sqlite3_column_double(statement_, column);
}

std::string_view Query::peek(int column) const {
    // Text, never blob: a number comes as its digits, and the text of a UTF-16 file as UTF-8.
    const unsigned char* bytes = sqlite3_column_text(statement_, column);
    if (bytes == nullptr) return {};
    return {reinterpret_cast<const char*>(bytes),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string_view Query::peek_blob(int column) const {
    const void* bytes = sqlite3_column_blob(statement_, column);
    if (bytes == nullptr) return {};
    return {static_cast<const char*>(bytes),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::optional<std::string> Query::text(int column) const {
    if (is_null(column)) return std::nullopt;
    return std::string(peek(column));
}

std::optional<std::int64_t> Query::maybe_integer(int column) const {
    if (is_null(column)) return std::nullopt;
    return integer(column);
}

}  // namespace cam::store
