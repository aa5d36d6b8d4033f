#include "list_page.h"

#include <cstdint>
#include <limits>

#include <spdlog/fmt/fmt.h>

namespace cam::store {
namespace {

Result<std::int64_t> rowid_of(Database& database, std::string_view table, std::string_view id) {
    Result<Query> query = database.query(fmt::format("SELECT rowid FROM {} WHERE id = ?1", table));
    if (!query) return query.error();
    const Result<bool> row = query->view(1, id).step();
    if (!row) return row.error();
    if (!*row) return Error{ErrorCode::kNotFound, fmt::format("no row of {} has that id", table)};
    return query->integer(0);
}

}  // namespace

Result<Query> list_page(Database& database, std::string_view select, std::string_view table,
                        const ListQuery& asked) {
    std::int64_t behind = std::numeric_limits<std::int64_t>::min();
    if (asked.after) {
        const Result<std::int64_t> found = rowid_of(database, table, *asked.after);
        if (!found) return found.error();
        behind = *found;
    }
    constexpr std::int64_t kAll = -1;  // a negative LIMIT is none
    Result<Query> query = database.query(fmt::format("{} WHERE rowid > ?1 ORDER BY rowid LIMIT ?2", select));
    if (!query) return query.error();
    query->number(1, behind).number(2, asked.limit ? std::int64_t{*asked.limit} : kAll);
    return query;
}

}  // namespace cam::store
