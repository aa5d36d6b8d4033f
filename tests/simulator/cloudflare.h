#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "simulator/event_table.h"
#include "simulator/fault.h"
#include "simulator/graphql.h"
#include "simulator/http_message.h"
#include "simulator/request_record.h"

namespace cam::simulator {

/// What the account's plan allows; the `settings` node tells it.
struct DatasetLimits {
    bool enabled = true;
    std::int64_t max_duration_seconds = 259200;
    std::int64_t max_number_of_fields = 30;
    std::int64_t max_page_size = 10000;
    std::int64_t not_older_than_seconds = 7776000;
};

struct BgpPrefix {
    std::string id{};
    std::string cidr{};
    std::optional<bool> advertised = false;  ///< null on the wire when unset
    bool on_demand_enabled = true;
    bool on_demand_locked = false;
};

struct IpPrefix {
    std::string id{};
    std::string cidr{};
    std::string description{};
    std::int64_t asn = 13335;
    std::vector<BgpPrefix> bgp_prefixes{};
    std::optional<bool> advertised = false;  ///< the deprecated flag of the parent
};

struct CloudflareSettings {
    /// A token and accounts that the simulator accepts.
    std::string api_token = "simulatedCloudflareApiToken0000000000001";
    std::string token_status = "active";
    std::vector<std::string> account_ids{"0123456789abcdef0123456789abcdef"};
    enum class UnknownAccount { kEmptyList, kForbidden } unknown_account = UnknownAccount::kEmptyList;
    int unknown_field_status = 400;
    bool gzip = true;  ///< compress for clients that ask for it
    DatasetLimits limits;
    /// Dimensions and sums the account's schema lacks.
    std::vector<std::string> unavailable_fields{};
    std::vector<IpPrefix> prefixes{};
};

/// Cloudflare's part: GraphQL analytics, prefixes, token check. Guarded by its owner.
class Cloudflare {
public:
    CloudflareSettings settings;
    EventTable events;

    /// Which fault target a request is, from its path below the API's base and its body.
    [[nodiscard]] static Target target(const HttpRequest& request, const std::string& path);
    /// Answers a request; `path` is the part below the API's base. Fills in what `record` says of a query.
    HttpResponse answer(const HttpRequest& request, const std::string& path, Moment now,
                        RequestRecord& record);

private:
    struct Refusal;

    HttpResponse answer_graphql(const HttpRequest& request, Moment now, RequestRecord& record);
    HttpResponse answer_rest(const std::string& path, RequestRecord& record);
    static HttpResponse rest_answer(int status, nlohmann::json result, const std::string& error = {});
    std::string run(const graphql::Query& query, const nlohmann::json& bound, Moment now,
                    RequestRecord& record);
    void append_account(std::string& out, const graphql::Field& accounts, const nlohmann::json& bound,
                        Moment now, RequestRecord& record);
    void append_settings(std::string& out, const graphql::Field& field);
    void append_dataset(std::string& out, const graphql::Field& field, const nlohmann::json& bound,
                        Moment now, RequestRecord& record);
    RowSelection selection_of(const graphql::Field& field, const nlohmann::json& bound) const;
    RowSelection::Part part_of(const graphql::Field& field) const;
    void read_order(RowSelection& selection, const graphql::Field& field, const nlohmann::json& bound) const;
    void check_window(Moment from, Moment to, Moment now) const;
    [[nodiscard]] bool is_available(const std::string& field) const;
    [[nodiscard]] bool knows_account(const std::string& id) const;
};

}  // namespace cam::simulator
