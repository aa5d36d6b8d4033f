#include "api/query_reader.h"

#include <algorithm>
#include <charconv>

#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include "api/envelope.h"
#include "cam/base/log.h"
#include "cam/base/time_text.h"

namespace cam::api {
namespace {

constexpr std::size_t kShownBytes = 60;

/// A plus that was not percent-encoded (`…T22:51:50+01:00` typed as it is) arrives as a blank; it is meant
/// all the same.
std::optional<WallTime> parse_typed_time(std::string text) {
    if (const auto time = parse_time(text)) return time;
    constexpr std::size_t kOffset = std::string_view{" 01:00"}.size();
    if (text.size() <= kOffset || text[text.size() - kOffset] != ' ') return std::nullopt;
    text[text.size() - kOffset] = '+';
    return parse_time(text);
}

}  // namespace

std::optional<std::string> QueryReader::find(std::string_view name) {
    asked_.emplace_back(name);
    const auto [begin, end] = request_.query.equal_range(std::string{name});
    if (begin == end) return std::nullopt;
    if (std::next(begin) != end) {
        problems_.push_back(fmt::format("{} is given twice", name));
        return std::nullopt;
    }
    return begin->second;
}

void QueryReader::wrong(std::string_view name, std::string_view expected) {
    problems_.push_back(fmt::format("{}: {} is expected", name, expected));
}

std::optional<std::string> QueryReader::text(std::string_view name) {
    auto value = find(name);
    if (!value || !value->empty()) return value;
    problems_.push_back(fmt::format("{}: it is empty", name));
    return std::nullopt;
}

std::optional<WallTime> QueryReader::time(std::string_view name) {
    const auto value = find(name);
    if (!value) return std::nullopt;
    const auto time = parse_typed_time(*value);
    if (!time) wrong(name, "an RFC 3339 time such as 2026-01-19T22:51:50Z");
    return time;
}

std::optional<bool> QueryReader::flag(std::string_view name) {
    const auto value = find(name);
    if (!value) return std::nullopt;
    if (*value == "true") return true;
    if (*value == "false") return false;
    wrong(name, "true or false");
    return std::nullopt;
}

std::optional<std::uint32_t> QueryReader::number(std::string_view name, std::uint32_t least,
                                                 std::uint32_t most) {
    const auto value = find(name);
    if (!value) return std::nullopt;
    std::uint32_t number = 0;
    const auto [end, fault] = std::from_chars(value->data(), value->data() + value->size(), number);
    const bool is_number = fault == std::errc{} && end == value->data() + value->size();
    if (is_number && number >= least && number <= most) return number;
    wrong(name, fmt::format("a number from {} to {}", least, most));
    return std::nullopt;
}

std::optional<std::int64_t> QueryReader::cursor(std::string_view name) {
    const auto value = find(name);
    if (!value) return std::nullopt;
    std::int64_t id = 0;
    const auto [end, fault] = std::from_chars(value->data(), value->data() + value->size(), id);
    if (fault == std::errc{} && end == value->data() + value->size() && id > 0) return id;
    wrong(name, "what next_cursor of an earlier answer says");
    return std::nullopt;
}

std::optional<Prefix> QueryReader::prefix(std::string_view name) {
    const auto value = find(name);
    if (!value) return std::nullopt;
    if (const auto address = IpAddress::parse(*value)) return Prefix::covering(*address, address->width());
    Prefix::Fault why{};
    if (const auto prefix = Prefix::parse(*value, &why)) return prefix;
    if (why == Prefix::Fault::kHostBits) {
        wrong(name, "a prefix without host bits, such as 192.0.2.0/24");
    } else {
        wrong(name, "a prefix such as 192.0.2.0/24 or 2001:db8::/32, or an address");
    }
    return std::nullopt;
}

std::optional<std::size_t> QueryReader::choice(std::string_view name,
                                               std::initializer_list<std::string_view> choices) {
    const auto value = find(name);
    if (!value) return std::nullopt;
    const auto* const chosen = std::find(choices.begin(), choices.end(), *value);
    if (chosen != choices.end()) return static_cast<std::size_t>(chosen - choices.begin());
    wrong(name, fmt::format("one of {}", fmt::join(choices, ", ")));
    return std::nullopt;
}

std::optional<HttpAnswer> QueryReader::refusal() {
    for (const auto& parameter : request_.query) {
        const std::string& name = parameter.first;
        if (std::find(asked_.begin(), asked_.end(), name) != asked_.end()) continue;
        problems_.push_back(asked_.empty()
                                ? fmt::format("unknown parameter {}; there is none", quote(name, kShownBytes))
                                : fmt::format("unknown parameter {}; there are {}", quote(name, kShownBytes),
                                              fmt::join(asked_, ", ")));
        break;  // one says it; a query of thousands must not make an answer of thousands
    }
    if (problems_.empty()) return std::nullopt;
    return envelope(422, nullptr, problems_);
}

}  // namespace cam::api
