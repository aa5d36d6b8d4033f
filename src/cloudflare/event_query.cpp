#include "event_query.h"

#include <algorithm>
#include <array>

#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include "cam/base/time_text.h"
#include "event_answer.h"

namespace cam::cloudflare {
namespace {

constexpr std::size_t kSums = 2;
constexpr unsigned kNeverGivenUp = 0;

struct AskedDimension {
    std::string_view name;
    /// 1 is given up first.
    unsigned given_up;
};

// `outcome` is only asked to be sure, as the filter names it; what GeoIP or nobody's message needs goes
// first.
constexpr std::array kAsked{
    AskedDimension{"datetime", kNeverGivenUp},
    AskedDimension{"attackId", kNeverGivenUp},
    AskedDimension{"attackVector", 15},
    AskedDimension{"ruleName", 14},
    AskedDimension{"ruleId", 10},
    AskedDimension{"mitigationReason", 9},
    AskedDimension{"outcome", 3},
    AskedDimension{"verdict", 1},
    AskedDimension{"ipSourceAddress", kNeverGivenUp},
    AskedDimension{"sourcePort", 8},
    AskedDimension{"sourceAsn", 5},
    AskedDimension{"sourceAsnName", 4},
    AskedDimension{"sourceCountry", 2},
    AskedDimension{"ipDestinationAddress", kNeverGivenUp},
    AskedDimension{"destinationPort", kNeverGivenUp},
    AskedDimension{"ipProtocolName", 13},
    AskedDimension{"tcpFlagsString", 7},
    AskedDimension{"coloCode", 12},
    AskedDimension{"coloCountry", 11},
    AskedDimension{"coloCity", 6},
    AskedDimension{"direction", 16},
};

bool is_available(const PageOptions& options, std::string_view dimension) {
    return std::any_of(options.available_fields.begin(), options.available_fields.end(),
                       [&](std::string_view field) {
                           constexpr std::string_view kGroup = "dimensions_";
                           return field.starts_with(kGroup) && field.substr(kGroup.size()) == dimension;
                       });
}

/// `{"query": …, "variables": …}`. Nothing in it can fail to be written: what is no UTF-8 is replaced.
std::string graphql_body(std::string query, nlohmann::json variables) {
    const nlohmann::json body{{"query", std::move(query)}, {"variables", std::move(variables)}};
    return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::vector<std::string_view> asked_dimensions(const PageOptions& options) {
    // A list without our indispensable fields speaks of them in a way that we do not know: better not believe
    // it.
    const bool listed = std::all_of(kAsked.begin(), kAsked.end(), [&](const AskedDimension& dimension) {
        return dimension.given_up != kNeverGivenUp || is_available(options, dimension.name);
    });
    std::vector<AskedDimension> asked;
    for (const AskedDimension& dimension : kAsked) {
        if (dimension.given_up == kNeverGivenUp || !listed || is_available(options, dimension.name)) {
            asked.push_back(dimension);
        }
    }
    while (options.max_fields != 0 && asked.size() + kSums > options.max_fields) {
        const auto least = std::min_element(asked.begin(), asked.end(), [](const auto& a, const auto& b) {
            return a.given_up - 1 < b.given_up - 1;  // kNeverGivenUp becomes the largest
        });
        if (least->given_up == kNeverGivenUp) break;
        asked.erase(least);
    }
    std::vector<std::string_view> names;
    names.reserve(asked.size());
    for (const AskedDimension& dimension : asked) names.push_back(dimension.name);
    return names;
}

std::string event_query(std::string_view account_id, const TimeWindow& window, const PageOptions& options) {
    constexpr std::string_view kQuery =
        "query MitigationEvents($accountTag: String!, $datetimeStart: Time!, $datetimeEnd: Time!) {{"
        " viewer {{ accounts(filter: {{accountTag: $accountTag}}) {{"
        " {}(limit: {}, filter: {{datetime_geq: $datetimeStart, datetime_lt: $datetimeEnd, outcome: "
        "\"drop\"}},"
        " orderBy: [datetime_ASC]) {{ dimensions {{ {} }} sum {{ packets bits }} }} }} }} }}";
    return graphql_body(fmt::format(kQuery, kDataset, std::max(options.limit, std::uint32_t{1}),
                                    fmt::join(asked_dimensions(options), " ")),
                        {{"accountTag", account_id},
                         {"datetimeStart", rfc3339(window.from)},
                         {"datetimeEnd", rfc3339(window.to)}});
}

std::string limits_query(std::string_view account_id) {
    constexpr std::string_view kQuery =
        "query Limits($accountTag: String!) {{ viewer {{ accounts(filter: {{accountTag: $accountTag}}) {{"
        " settings {{ {} {{ enabled availableFields maxDuration maxNumberOfFields maxPageSize notOlderThan"
        " }} }} }} }} }}";
    return graphql_body(fmt::format(kQuery, kDataset), {{"accountTag", account_id}});
}

}  // namespace cam::cloudflare
