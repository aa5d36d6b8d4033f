#pragma once

#include <string_view>

#include "cam/base/result.h"
#include "cam/model/list_query.h"
#include "sqlite_database.h"

namespace cam::store {

/// The rows of `table` (with `id`) that are asked for, oldest first, ready to step; `select` is the statement
/// up to its conditions. kNotFound: no row has the id `after`.
Result<Query> list_page(Database& database, std::string_view select, std::string_view table,
                        const ListQuery& asked);

}  // namespace cam::store
