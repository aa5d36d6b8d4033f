#include "small_answer.h"

#include <cstdint>
#include <limits>
#include <optional>

#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include "cam/model/prefix.h"

#include "event_answer.h"

namespace cam::cloudflare {
namespace {

using nlohmann::json;

constexpr int kMostDepth = 64;
constexpr std::size_t kMostAvailableFields = 1'000;
/// Longer than any limit that means something, and far from overflowing a window.
constexpr std::uint64_t kMostSeconds = 100ULL * 366 * 86'400;

/// An object, or nullopt if the body is none or not intact.
std::optional<json> parse_object(std::string_view body) {
    bool too_deep = false;
    const auto watch_depth = [&](int depth, json::parse_event_t, const json&) {
        too_deep = too_deep || depth > kMostDepth;
        return !too_deep;
    };
    json root = json::parse(body, watch_depth, false);
    if (too_deep || !root.is_object()) return std::nullopt;
    return root;
}

/// The member of that name, or nullptr if `value` is no object or has none.
const json* member(const json* value, std::string_view name) {
    if (value == nullptr || !value->is_object()) return nullptr;
    const auto found = value->find(name);
    return found == value->end() ? nullptr : &*found;
}

std::string text_of(const json* value) {
    if (value == nullptr) return {};
    if (value->is_string()) return value->get<std::string>();
    if (value->is_number_integer()) return value->dump();
    return {};
}

ToldError told_error(const json& entry) {
    if (entry.is_string()) return {entry.get<std::string>(), {}};
    std::string code = text_of(member(member(&entry, "extensions"), "code"));
    if (code.empty()) code = text_of(member(&entry, "code"));
    return {text_of(member(&entry, "message")), std::move(code)};
}

/// The answer's `errors`; none for null, `[]` and a missing one.
std::vector<ToldError> told_errors(const json& root) {
    const json* const errors = member(&root, "errors");
    if (errors == nullptr || errors->is_null()) return {};
    if (!errors->is_array()) return {told_error(*errors)};
    std::vector<ToldError> told;
    for (const json& entry : *errors) {
        if (told.size() == kMostToldErrors) break;
        told.push_back(told_error(entry));
    }
    return told;
}

/// The body as an object that tells neither errors nor, by its status, a refusal.
Result<json, QueryFailure> read_good(std::string_view body, const AnswerContext& context,
                                     const Secret& secret) {
    std::optional<json> root = parse_object(body);
    if (!root) return unreadable_failure(context);
    if (const std::vector<ToldError> errors = told_errors(*root); !errors.empty()) {
        return told_failure(context, errors, secret);
    }
    if (std::optional<QueryFailure> refused = status_failure(context)) return std::move(*refused);
    return std::move(*root);
}

/// The `result` list of the REST API's envelope; null stands for an empty one.
Result<json, QueryFailure> read_list(std::string_view body, const AnswerContext& context,
                                     const Secret& secret) {
    Result<json, QueryFailure> root = read_good(body, context, secret);
    if (!root) return std::move(root).error();
    const json* const success = member(&*root, "success");
    if (success == nullptr || *success != true) {
        return missing_failure(context, FailureKind::kNoData, "answer does not say success");
    }
    const json* const result = member(&*root, "result");
    if (result == nullptr || !(result->is_array() || result->is_null())) {
        return missing_failure(context, FailureKind::kNoData, "answer has no result list");
    }
    const json* const total = member(member(&*root, "result_info"), "total_count");
    if (total != nullptr && total->is_number_unsigned() && total->get<std::uint64_t>() > result->size()) {
        return missing_failure(context, FailureKind::kNoData, "answer has only a part of the list");
    }
    return result->is_null() ? json::array() : *result;
}

/// A positive number of the settings node, at most `most`; nullopt for anything else.
std::optional<std::uint64_t> positive(const json& settings, std::string_view name, std::uint64_t most) {
    const json* const value = member(&settings, name);
    if (value == nullptr || !value->is_number()) return std::nullopt;
    const double told = value->get<double>();
    if (!(told >= 1)) return std::nullopt;
    return told >= static_cast<double>(most) ? most : static_cast<std::uint64_t>(told);
}

AccountLimits limits_of(const json& settings) {
    constexpr std::uint64_t kMostCount = std::numeric_limits<std::uint32_t>::max();
    AccountLimits limits;
    const json* const enabled = member(&settings, "enabled");
    if (enabled != nullptr && enabled->is_boolean()) limits.enabled = enabled->get<bool>();
    if (const auto told = positive(settings, "maxPageSize", kMostCount)) {
        limits.max_page_size = static_cast<std::uint32_t>(*told);
    }
    if (const auto told = positive(settings, "maxNumberOfFields", kMostCount)) {
        limits.max_fields = static_cast<std::uint32_t>(*told);
    }
    if (const auto told = positive(settings, "maxDuration", kMostSeconds)) {
        limits.max_duration = std::chrono::seconds{*told};
    }
    if (const auto told = positive(settings, "notOlderThan", kMostSeconds)) {
        limits.not_older_than = std::chrono::seconds{*told};
    }
    const json* const fields = member(&settings, "availableFields");
    if (fields == nullptr || !fields->is_array()) return limits;
    for (const json& field : *fields) {
        if (limits.available_fields.size() == kMostAvailableFields) break;
        if (field.is_string()) limits.available_fields.push_back(field.get<std::string>());
    }
    return limits;
}

/// The entry's `cidr`; empty if it is none.
std::string cidr_of(const json& entry) {
    const json* const cidr = member(&entry, "cidr");
    if (cidr == nullptr || !cidr->is_string()) return {};
    const auto& text = cidr->get_ref<const std::string&>();
    return Prefix::parse(text) ? text : std::string{};
}

}  // namespace

Result<AccountLimits, QueryFailure> read_limits(std::string_view body, const AnswerContext& context,
                                                const Secret& secret) {
    const Result<json, QueryFailure> root = read_good(body, context, secret);
    if (!root) return root.error();
    const json* const accounts = member(member(member(&*root, "data"), "viewer"), "accounts");
    if (accounts == nullptr || !accounts->is_array()) {
        return missing_failure(context, FailureKind::kNoData, "answer has no data");
    }
    if (accounts->empty()) {
        return missing_failure(context, FailureKind::kUnknownAccount, "answer has no account of this id");
    }
    const json* const settings = member(member(&accounts->front(), "settings"), kDataset);
    if (settings == nullptr || !settings->is_object()) {
        return missing_failure(context, FailureKind::kNoData, "answer has no settings of the dataset");
    }
    return limits_of(*settings);
}

Result<std::vector<ListedPrefix>, QueryFailure> read_prefixes(std::string_view body,
                                                              const AnswerContext& context,
                                                              const Secret& secret) {
    const Result<json, QueryFailure> list = read_list(body, context, secret);
    if (!list) return list.error();
    std::vector<ListedPrefix> prefixes;
    for (const json& prefix : *list) {
        const json* const id = member(&prefix, "id");
        prefixes.push_back({.id = id != nullptr && id->is_string() ? id->get<std::string>() : std::string{},
                            .cidr = cidr_of(prefix)});
    }
    return prefixes;
}

Result<BgpStatus, QueryFailure> read_bgp_prefixes(std::string_view body, const AnswerContext& context,
                                                  const Secret& secret) {
    const Result<json, QueryFailure> list = read_list(body, context, secret);
    if (!list) return list.error();
    BgpStatus status;
    for (const json& prefix : *list) {
        const json* const advertised = member(member(&prefix, "on_demand"), "advertised");
        std::optional<bool> told;
        if (advertised != nullptr && advertised->is_boolean()) told = advertised->get<bool>();
        ++status.total;
        if (!told) ++status.unknown;
        if (told.value_or(false)) ++status.advertised;
        if (status.prefixes.size() == BgpStatus::kMostListed) continue;
        status.prefixes.push_back({.prefix = cidr_of(prefix), .advertised = told});
    }
    return status;
}

}  // namespace cam::cloudflare
