#include "api/field_reader.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <spdlog/fmt/fmt.h>

#include "api/envelope.h"
#include "cam/base/edit_distance.h"
#include "cam/base/log.h"

namespace cam::api {
namespace {

constexpr std::size_t kShownBytes = 60;
constexpr std::size_t kMostProblems = 20;
constexpr std::size_t kLongestGuess = 64;  ///< of a name for which a known one is looked for

/// What was given, for a person.
std::string shown(const nlohmann::ordered_json& value) {
    if (value.is_object()) return "an object";
    if (value.is_array()) return "a list";
    if (value.is_string()) return "the text " + quote(value.get_ref<const std::string&>(), kShownBytes);
    return value.dump();
}

std::optional<std::uint64_t> whole(const nlohmann::ordered_json& value) {
    if (value.is_number_unsigned()) return value.get<std::uint64_t>();
    if (!value.is_number_float()) return std::nullopt;
    constexpr double kTooLarge = 0x1p64;
    const double number = value.get<double>();
    if (!(number >= 0 && number < kTooLarge) || std::trunc(number) != number) return std::nullopt;
    return static_cast<std::uint64_t>(number);
}

}  // namespace

Result<FieldReader, HttpAnswer> FieldReader::parse(std::string_view body) {
    Result<Json> parsed = parse_json(body);
    if (!parsed) {
        return failure(parsed.error().code == ErrorCode::kTooLarge ? 422 : 400, parsed.error().detail);
    }
    if (!parsed->is_object()) {
        return failure(422, fmt::format("a JSON object {{…}} is expected, not {}", shown(parsed.value())));
    }
    return FieldReader{std::move(parsed).value()};
}

const FieldReader::Json* FieldReader::find(std::string_view name) {
    asked_.emplace_back(name);
    const auto field = object_.find(name);
    return field == object_.end() || field->is_null() ? nullptr : &*field;
}

bool FieldReader::has(std::string_view name) const {
    const auto field = object_.find(name);
    return field != object_.end() && !field->is_null();
}

void FieldReader::problem(std::string_view name, std::string_view what) {
    problems_.push_back(fmt::format("{}: {}", name, what));
}

void FieldReader::wrong(std::string_view name, const Json& given, std::string_view expected) {
    problem(name, fmt::format("{} is expected, not {}", expected, shown(given)));
}

void FieldReader::require(std::string_view name, std::string_view expected) {
    if (!has(name)) problem(name, fmt::format("is missing; {} is expected", expected));
}

std::optional<std::string> FieldReader::text(std::string_view name) {
    const Json* field = find(name);
    if (field == nullptr) return std::nullopt;
    if (field->is_string()) return field->get<std::string>();
    wrong(name, *field, "a text");
    return std::nullopt;
}

std::optional<bool> FieldReader::flag(std::string_view name) {
    const Json* field = find(name);
    if (field == nullptr) return std::nullopt;
    if (field->is_boolean()) return field->get<bool>();
    wrong(name, *field, "true or false");
    return std::nullopt;
}

std::optional<std::uint64_t> FieldReader::number(std::string_view name, std::uint64_t least,
                                                 std::uint64_t most, std::string_view unit) {
    const Json* field = find(name);
    if (field == nullptr) return std::nullopt;
    const std::optional<std::uint64_t> value = whole(*field);
    if (value && *value >= least && *value <= most) return value;
    wrong(name, *field,
          fmt::format("a whole number{}{} from {} to {}", unit.empty() ? "" : " of ", unit, least, most));
    return std::nullopt;
}

std::optional<std::vector<std::string>> FieldReader::texts(std::string_view name, std::size_t most) {
    const Json* field = find(name);
    if (field == nullptr) return std::nullopt;
    if (!field->is_array()) {
        wrong(name, *field, "a list of texts");
        return std::nullopt;
    }
    if (field->size() > most) {
        problem(name, fmt::format("at most {} are possible, {} are given", most, field->size()));
        return std::nullopt;
    }
    std::vector<std::string> list;
    for (const Json& item : *field) {
        if (item.is_string()) {
            list.push_back(item.get<std::string>());
        } else {
            wrong(fmt::format("{}[{}]", name, list.size()), item, "a text");
            return std::nullopt;
        }
    }
    return list;
}

std::string FieldReader::unknown(std::string_view name) const {
    const auto nearest = std::min_element(asked_.begin(), asked_.end(), [&](const auto& a, const auto& b) {
        return edit_distance(name, a) < edit_distance(name, b);
    });
    const std::string told = fmt::format("unknown field {}; ", quote(name, kShownBytes));
    if (edit_distance(name, *nearest) <= std::max<std::size_t>(2, name.size() / 3)) {
        return told + fmt::format("the nearest is {}", *nearest);
    }
    return told + fmt::format("there are {}", fmt::join(asked_, ", "));
}

std::optional<HttpAnswer> FieldReader::refusal() {
    for (const auto& entry : object_.items()) {
        const std::string& name = entry.key();
        if (std::find(asked_.begin(), asked_.end(), name) != asked_.end()) continue;
        problems_.push_back(unknown(std::string_view{name}.substr(0, kLongestGuess)));
        if (problems_.size() > kMostProblems) break;
    }
    if (problems_.empty()) return std::nullopt;
    if (problems_.size() > kMostProblems) {
        problems_.resize(kMostProblems);
        problems_.emplace_back("and more");
    }
    return envelope(422, nullptr, problems_);
}

}  // namespace cam::api
