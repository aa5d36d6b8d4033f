#include "simulator/cloudflare.h"

#include <algorithm>
#include <stdexcept>
#include <string_view>

#include "simulator/event_filter.h"

namespace cam::simulator {

using nlohmann::json;

namespace {

constexpr std::string_view kDataset = "dosdNetworkAnalyticsAdaptiveGroups";

std::string quote(std::string_view text) {
    return json(text).dump();
}

/// One error object; `at_dataset` gives it the path of the dataset's node.
json error_json(const std::string& message, bool at_dataset, Moment now) {
    json path = nullptr;
    if (at_dataset) path = json::array({"viewer", "accounts", "0", kDataset});
    return {{"message", message}, {"path", path}, {"extensions", {{"timestamp", moment_text(now)}}}};
}

}  // namespace

/// Thrown while a query runs; answer_graphql() turns it into the answer.
struct Cloudflare::Refusal : std::runtime_error {
    Refusal(int http_status, const std::string& message, bool is_at_dataset = false)
        : std::runtime_error(message), status(http_status), at_dataset(is_at_dataset) {}
    int status;
    bool at_dataset;
};

Target Cloudflare::target(const HttpRequest& request, const std::string& path) {
    if (path == "/graphql") {
        const bool asks_settings = request.body.find("settings") != std::string::npos;
        const bool asks_rows = request.body.find("dimensions{") != std::string::npos ||
                               request.body.find("dimensions {") != std::string::npos;
        return asks_settings && !asks_rows ? Target::kSettings : Target::kGraphql;
    }
    if (path.find("/addressing/prefixes") != std::string::npos) return Target::kPrefixes;
    if (path.ends_with("/tokens/verify")) return Target::kToken;
    return Target::kUnknown;
}

HttpResponse Cloudflare::answer(const HttpRequest& request, const std::string& path, Moment now,
                                RequestRecord& record) {
    const bool is_graphql = path == "/graphql";
    HttpResponse response;
    if (request.header("Authorization") != "Bearer " + settings.api_token) {
        record.error = "Unauthorized";
        if (is_graphql) {
            const json body{{"data", nullptr}, {"errors", {error_json("Unauthorized", false, now)}}};
            response = {.status = 401, .body = body.dump()};
        } else {
            response = rest_answer(401, nullptr, "Authentication error");
        }
    } else if (is_graphql && request.method != "POST") {
        response = rest_answer(405, nullptr, "method not allowed");
    } else if (is_graphql) {
        response = answer_graphql(request, now, record);
    } else {
        response = answer_rest(path, record);
    }
    response.headers.emplace_back("cf-ray", "simulated" + std::to_string(record.connection) + "-ZRH");
    response.delivery.may_compress = settings.gzip;
    return response;
}

HttpResponse Cloudflare::answer_graphql(const HttpRequest& request, Moment now, RequestRecord& record) {
    try {
        const json body = json::parse(request.body, nullptr, false);
        if (!body.is_object() || !body.contains("query") || !body.at("query").is_string()) {
            throw Refusal(400, "error parsing request: expected a JSON object with a query");
        }
        record.query = body.at("query").get<std::string>();
        record.variables = body.value("variables", json::object());
        const auto parsed = graphql::parse(record.query);
        if (const auto* error = std::get_if<graphql::SyntaxError>(&parsed)) throw Refusal(400, error->text());
        const auto& query = std::get<graphql::Query>(parsed);
        const auto bound = graphql::bind_variables(query, record.variables);
        if (const auto* error = std::get_if<std::string>(&bound)) throw Refusal(400, *error);
        return {.body =
                    R"({"data":)" + run(query, std::get<json>(bound), now, record) + R"(,"errors":null})"};
    } catch (const Refusal& refusal) {
        record.error = refusal.what();
        const json body{{"data", nullptr}, {"errors", {error_json(refusal.what(), refusal.at_dataset, now)}}};
        return {.status = refusal.status, .body = body.dump()};
    }
}

std::string Cloudflare::run(const graphql::Query& query, const json& bound, Moment now,
                            RequestRecord& record) {
    std::string out = "{";
    for (const auto& viewer : query.selections) {
        if (viewer.name != "viewer")
            throw Refusal(settings.unknown_field_status, "unknown field " + quote(viewer.name));
        if (viewer.selections.empty()) throw Refusal(400, "object field must have selections");
        if (out.size() > 1) out += ',';
        out += quote(viewer.key) + ":{";
        const char* between = "";
        for (const auto& scope : viewer.selections) {
            if (scope.name != "accounts") {
                throw Refusal(settings.unknown_field_status, "unknown field " + quote(scope.name));
            }
            out.append(between).append(quote(scope.key)) += ":[";
            between = ",";
            append_account(out, scope, bound, now, record);
            out += ']';
        }
        out += '}';
    }
    return out + "}";
}

void Cloudflare::append_account(std::string& out, const graphql::Field& accounts, const json& bound,
                                Moment now, RequestRecord& record) {
    const auto* filter_value = accounts.argument("filter");
    const auto filter = filter_value != nullptr ? graphql::resolve(*filter_value, bound) : json(nullptr);
    if (const auto* error = std::get_if<std::string>(&filter)) throw Refusal(400, *error);
    const json& account = std::get<json>(filter);
    if (!account.is_object() || !account.contains("accountTag") || !account.at("accountTag").is_string()) {
        throw Refusal(400, "error parsing args for \"accounts\": filter: accountTag must be a string");
    }
    if (accounts.selections.empty()) throw Refusal(400, "object field must have selections");
    if (!knows_account(account.at("accountTag").get<std::string>())) {
        if (settings.unknown_account == CloudflareSettings::UnknownAccount::kEmptyList) return;
        throw Refusal(403, "not authorized for that account");
    }
    const char* between = "{";
    for (const auto& node : accounts.selections) {
        out.append(between).append(quote(node.key)) += ':';
        between = ",";
        if (node.name == "settings") {
            append_settings(out, node);
        } else if (node.name == kDataset) {
            append_dataset(out, node, bound, now, record);
        } else if (node.name == "accountTag") {
            out += account.at("accountTag").dump();
        } else {
            throw Refusal(settings.unknown_field_status, "unknown field " + quote(node.name));
        }
    }
    out += '}';
}

void Cloudflare::append_settings(std::string& out, const graphql::Field& field) {
    json available = json::array();
    for (const EventField& one : event_fields()) {
        if (is_available(std::string(one.name))) available.push_back("dimensions_" + std::string(one.name));
    }
    for (const char* sum : {"packets", "bits"}) {
        if (is_available(sum)) available.push_back("sum_" + std::string(sum));
    }
    const json all{{"enabled", settings.limits.enabled},
                   {"availableFields", available},
                   {"maxDuration", settings.limits.max_duration_seconds},
                   {"maxNumberOfFields", settings.limits.max_number_of_fields},
                   {"maxPageSize", settings.limits.max_page_size},
                   {"notOlderThan", settings.limits.not_older_than_seconds}};
    json answer = json::object();
    for (const auto& dataset : field.selections) {
        if (dataset.name != kDataset)
            throw Refusal(settings.unknown_field_status, "unknown field " + quote(dataset.name));
        json& values = answer[dataset.key] = json::object();
        for (const auto& value : dataset.selections) {
            if (!all.contains(value.name)) {
                throw Refusal(settings.unknown_field_status, "unknown field " + quote(value.name));
            }
            values[value.key] = all.at(value.name);
        }
    }
    out += answer.dump();
}

void Cloudflare::append_dataset(std::string& out, const graphql::Field& field, const json& bound, Moment now,
                                RequestRecord& record) {
    if (!settings.limits.enabled) {
        throw Refusal(403, "account does not have access to the path " + std::string(kDataset), true);
    }
    const RowSelection selection = selection_of(field, bound);
    const auto* filter_value = field.argument("filter");
    const auto resolved = filter_value != nullptr ? graphql::resolve(*filter_value, bound) : json(nullptr);
    if (const auto* error = std::get_if<std::string>(&resolved)) throw Refusal(400, *error, true);
    try {
        const EventFilter filter(std::get<json>(resolved));
        const Moment from = filter.from().value_or(Moment{});
        const Moment to = filter.to().value_or(now);
        record.from = filter.from();
        record.to = filter.to();
        record.limit = selection.limit;
        check_window(from, to, now);
        record.rows += events.append_answer(out, selection, from, to, now,
                                            [&](const EventRow& row) { return filter.accepts(events, row); });
    } catch (const std::invalid_argument& error) {
        throw Refusal(400, "error parsing args for " + quote(kDataset) + ": " + error.what(), true);
    }
}

void Cloudflare::check_window(Moment from, Moment to, Moment now) const {
    const DatasetLimits& limits = settings.limits;
    // A few seconds of grace: the query was on its way meanwhile.
    constexpr std::chrono::seconds kGrace{5};
    if (from + kGrace < now - std::chrono::seconds{limits.not_older_than_seconds}) {
        throw Refusal(400,
                      "cannot request data older than " + std::to_string(limits.not_older_than_seconds) + "s",
                      true);
    }
    const auto width = std::chrono::ceil<std::chrono::seconds>(to - from);
    if (width.count() > limits.max_duration_seconds) {
        throw Refusal(400,
                      "query time range is too large: " + std::to_string(width.count()) +
                          "s requested, cannot request a time range wider than " +
                          std::to_string(limits.max_duration_seconds) + "s",
                      true);
    }
}

RowSelection Cloudflare::selection_of(const graphql::Field& field, const json& bound) const {
    RowSelection selection;
    std::int64_t fields = 0;
    if (field.selections.empty()) throw Refusal(400, "object field must have selections", true);
    for (const auto& part : field.selections) {
        selection.parts.push_back(part_of(part));
        fields += static_cast<std::int64_t>(selection.parts.back().columns.size());
    }
    if (fields > settings.limits.max_number_of_fields) {
        throw Refusal(
            400,
            "number of fields can't be more than " + std::to_string(settings.limits.max_number_of_fields),
            true);
    }
    for (const auto& [name, value] : field.arguments) {
        if (name != "filter" && name != "limit" && name != "orderBy") {
            throw Refusal(
                400, "error parsing args for " + quote(kDataset) + ": unknown argument " + quote(name), true);
        }
    }
    const auto* limit_value = field.argument("limit");
    const auto limit = limit_value != nullptr ? graphql::resolve(*limit_value, bound) : json(nullptr);
    if (const auto* error = std::get_if<std::string>(&limit)) throw Refusal(400, *error, true);
    const json& wanted = std::get<json>(limit);
    if (!wanted.is_number_integer() || wanted.get<std::int64_t>() < 1 ||
        wanted.get<std::int64_t>() > settings.limits.max_page_size) {
        throw Refusal(400,
                      "limit must be positive number and not greater than " +
                          std::to_string(settings.limits.max_page_size),
                      true);
    }
    selection.limit = wanted.get<std::size_t>();
    read_order(selection, field, bound);
    return selection;
}

RowSelection::Part Cloudflare::part_of(const graphql::Field& field) const {
    using Kind = RowSelection::Part::Kind;
    RowSelection::Part part{.key = quote(field.key) + ":", .kind = Kind::kDimensions, .columns = {}};
    if (field.name == "__typename") {
        part.kind = Kind::kTypeName;
        return part;
    }
    if (field.name != "dimensions" && field.name != "sum") {
        throw Refusal(settings.unknown_field_status, "unknown field " + quote(field.name), true);
    }
    if (field.selections.empty()) throw Refusal(400, "object field must have selections", true);
    if (field.name == "sum") part.kind = Kind::kSum;
    for (const auto& one : field.selections) {
        std::optional<std::size_t> column;
        if (part.kind == Kind::kDimensions) column = find_event_field(one.name);
        if (part.kind == Kind::kSum && one.name == "packets") column = 0;
        if (part.kind == Kind::kSum && one.name == "bits") column = 1;
        if (!column || !is_available(one.name)) {
            throw Refusal(settings.unknown_field_status, "unknown field " + quote(one.name), true);
        }
        if (!one.selections.empty()) throw Refusal(400, "scalar fields must have no selections", true);
        part.columns.push_back({quote(one.key) + ":", *column});
    }
    return part;
}

void Cloudflare::read_order(RowSelection& selection, const graphql::Field& field, const json& bound) const {
    const auto* value = field.argument("orderBy");
    if (value == nullptr) return;
    const auto refuse = [](const std::string& what) {
        throw Refusal(400, "error parsing args for " + quote(kDataset) + ": orderBy: " + what, true);
    };
    for (const auto& item : value->items) {
        if (item.kind == graphql::Value::Kind::kString) refuse("expected an enum value, found a string");
    }
    const auto resolved = graphql::resolve(*value, bound);
    if (const auto* error = std::get_if<std::string>(&resolved)) throw Refusal(400, *error, true);
    const json& given = std::get<json>(resolved);
    if (given.is_null()) return;
    for (const json& one : given.is_array() ? given : json::array({given})) {
        const std::string name = one.is_string() ? one.get<std::string>() : one.dump();
        RowSelection::Order order{.by = RowSelection::Order::By::kDimension};
        order.descending = name.ends_with("_DESC");
        if (!order.descending && !name.ends_with("_ASC")) refuse("unknown value " + quote(name));
        const std::string key = name.substr(0, name.rfind('_'));
        if (key == "sum_packets") {
            order.by = RowSelection::Order::By::kPackets;
        } else if (key == "sum_bits") {
            order.by = RowSelection::Order::By::kBits;
        } else if (const auto column = find_event_field(key)) {
            order.column = *column;
        } else {
            refuse("unknown value " + quote(name));
        }
        selection.order.push_back(order);
    }
}

bool Cloudflare::is_available(const std::string& field) const {
    const auto& lacking = settings.unavailable_fields;
    return std::find(lacking.begin(), lacking.end(), field) == lacking.end();
}

bool Cloudflare::knows_account(const std::string& id) const {
    return std::find(settings.account_ids.begin(), settings.account_ids.end(), id) !=
           settings.account_ids.end();
}

}  // namespace cam::simulator
