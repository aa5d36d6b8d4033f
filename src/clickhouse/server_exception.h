#pragma once

#include <optional>
#include <string>

#include "cam/base/result.h"
#include "cam/net/http_client.h"

namespace cam::clickhouse {

/// What ClickHouse said when it failed.
struct ServerException {
    std::optional<int> code;  ///< of src/Common/ErrorCodes.cpp; none: not told
    std::string text;         ///< its own words, one line, shortened; may quote parts of the statement
    bool after_rows = false;  ///< the answer had begun with status 200
};

/// The failure that an answer holds, in every form that ClickHouse gives it: another status than 200, with or
/// without X-ClickHouse-Exception-Code; the same header with status 200; an exception's text at the end of a
/// body with status 200, alone or after rows; the block `__exception__` that servers from 25.11 on put there
/// instead. nullopt: success. The text of an answer that is not ClickHouse's is empty.
[[nodiscard]] std::optional<ServerException> find_exception(const net::HttpResponse& response);

/// The exception as an Error of Client::run; `user` and `database` are named where they matter.
[[nodiscard]] Error explain(const ServerException& exception, int status, const std::string& user,
                            const std::string& database);

}  // namespace cam::clickhouse
