#include "api/rule_fields.h"

#include <initializer_list>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include "api/field_reader.h"
#include "api/name_field.h"
#include "cam/base/log.h"
#include "cam/base/time_text.h"

namespace cam::api {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostPrefixes = 5000;
constexpr std::uint64_t kMostMinutes = 60;
/// What the database can hold.
constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max();

constexpr const char* kTypes = "threshold, zscore or advanced_ddos";
constexpr const char* kSensitivities = "low, medium or high";
constexpr const char* kTargets = "bits or packets";
constexpr const char* kScopes = "per_prefix or aggregate";

template <typename T>
Json or_null(const std::optional<T>& value) {
    return value ? Json(*value) : Json(nullptr);
}

template <typename T>
Json name_or_null(const std::optional<T>& value) {
    return value ? Json(name(*value)) : Json(nullptr);
}

/// What is wrong with a text that is no prefix, and what was probably meant.
std::string prefix_problem(const std::string& text, Prefix::Fault fault) {
    const std::string shown = quote(text, 60);
    const std::size_t slash = text.find('/');
    const auto address = IpAddress::parse(std::string_view{text}.substr(0, slash));
    if (!address)
        return fmt::format("a prefix such as 192.0.2.0/24 or 2001:db8::/32 is expected, not {}", shown);
    switch (fault) {
        case Prefix::Fault::kLength:
            return fmt::format("the length after / is 0 to {}, not as in {}", address->width(), shown);
        case Prefix::Fault::kHostBits:
            for (unsigned length = 0; length <= address->width(); ++length) {
                const Prefix whole = Prefix::covering(*address, length);
                if (fmt::format("/{}", length) == text.substr(slash)) {
                    return fmt::format("{} has bits beyond its length; the prefix is {}", shown,
                                       whole.text());
                }
            }
            return fmt::format("{} has bits beyond its length", shown);
        case Prefix::Fault::kSyntax:
            break;
    }
    if (slash != std::string::npos)
        return fmt::format("the length after / is a plain number, not as in {}", shown);
    return fmt::format("{} has no length; one address is {}/{}", shown, address->text(), address->width());
}

std::vector<Prefix> read_prefixes(FieldReader& fields) {
    constexpr const char* kField = "prefixes";
    std::vector<Prefix> prefixes;
    const auto given = fields.texts(kField, kMostPrefixes);
    fields.require(kField, "a list of prefixes such as [\"192.0.2.0/24\"]");
    if (!given) return prefixes;
    if (given->empty()) fields.problem(kField, "at least one prefix is expected");
    std::map<Prefix, std::size_t> seen;
    for (std::size_t at = 0; at < given->size(); ++at) {
        const std::string place = fmt::format("{}[{}]", kField, at);
        Prefix::Fault fault{};
        const auto prefix = Prefix::parse((*given)[at], &fault);
        if (!prefix) {
            fields.problem(place, prefix_problem((*given)[at], fault));
            continue;
        }
        const auto [first, is_new] = seen.emplace(*prefix, at);
        if (is_new) {
            prefixes.push_back(*prefix);
        } else {
            fields.problem(place,
                           fmt::format("{} is in {}[{}] already", prefix->text(), kField, first->second));
        }
    }
    return prefixes;
}

void refuse_fields(FieldReader& fields, RuleType type, std::initializer_list<const char*> foreign) {
    for (const char* field : foreign) {
        if (fields.has(field)) fields.problem(field, fmt::format("a rule of type {} has none", name(type)));
    }
}

/// Whether the fields that are there are those of the rule's type.
void hold_against_type(FieldReader& fields, const Rule& rule) {
    switch (rule.type) {
        case RuleType::kThreshold:
            if (!fields.has("bandwidth_threshold") && !fields.has("packet_threshold")) {
                fields.problem("bandwidth_threshold",
                               "a rule of type threshold needs it (bits/s), or packet_threshold (packets/s)");
            }
            refuse_fields(fields, rule.type, {"zscore_sensitivity", "zscore_target"});
            return;
        case RuleType::kZscore:
            fields.require("zscore_sensitivity", kSensitivities);
            fields.require("zscore_target", kTargets);
            refuse_fields(fields, rule.type, {"bandwidth_threshold", "packet_threshold"});
            break;
        case RuleType::kAdvancedDdos:
            refuse_fields(fields, rule.type,
                          {"bandwidth_threshold", "packet_threshold", "zscore_sensitivity", "zscore_target"});
            break;
    }
    if (rule.duration.count() != 1) {
        fields.problem("duration",
                       fmt::format("a rule of type {} judges each minute; leave it out", name(rule.type)));
    }
}

}  // namespace

Json json(const Rule& rule) {
    Json prefixes = Json::array();
    for (const Prefix& prefix : rule.prefixes) prefixes.push_back(prefix.text());
    return {{"id", rule.id},
            {"name", rule.name},
            {"prefixes", std::move(prefixes)},
            {"type", name(rule.type)},
            {"bandwidth_threshold", or_null(rule.bandwidth_threshold)},
            {"packet_threshold", or_null(rule.packet_threshold)},
            {"duration", rule.duration.count()},
            {"zscore_sensitivity", name_or_null(rule.zscore_sensitivity)},
            {"zscore_target", name_or_null(rule.zscore_target)},
            {"scope", name(rule.scope)},
            {"created_at", rfc3339(rule.created_at)},
            {"updated_at", rfc3339(rule.updated_at)}};
}

Result<Rule, HttpAnswer> parse_rule(std::string_view body) {
    Result<FieldReader, HttpAnswer> parsed = FieldReader::parse(body);
    if (!parsed) return std::move(parsed).error();
    FieldReader& fields = parsed.value();
    for (const char* ours : {"id", "created_at", "updated_at"}) fields.leave_out(ours);
    Rule rule;
    rule.name = read_name(fields);
    rule.prefixes = read_prefixes(fields);
    const auto type = fields.choice("type", rule_type, kTypes);
    fields.require("type", kTypes);
    rule.bandwidth_threshold = fields.number("bandwidth_threshold", 1, kLargest, "bits/s");
    rule.packet_threshold = fields.number("packet_threshold", 1, kLargest, "packets/s");
    const auto minutes = fields.number("duration", 1, kMostMinutes, "minutes");
    rule.duration = std::chrono::minutes{minutes.value_or(1)};
    rule.zscore_sensitivity = fields.choice("zscore_sensitivity", sensitivity, kSensitivities);
    rule.zscore_target = fields.choice("zscore_target", zscore_target, kTargets);
    rule.scope = fields.choice("scope", rule_scope, kScopes).value_or(RuleScope::kPerPrefix);
    if (type) {
        rule.type = *type;
        hold_against_type(fields, rule);
    }
    if (auto refused = fields.refusal()) return *refused;
    return rule;
}

}  // namespace cam::api
