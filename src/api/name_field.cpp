#include "api/name_field.h"

#include <algorithm>

#include <spdlog/fmt/fmt.h>

namespace cam::api {
namespace {

constexpr std::size_t kLongestName = 256;

/// Of valid UTF-8, which JSON texts are: every byte but the continuing ones begins a character.
std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

bool is_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
}

}  // namespace

std::string read_name(FieldReader& fields) {
    constexpr const char* kField = "name";
    const std::string expected = fmt::format("a text of 1 to {} characters", kLongestName);
    const auto name = fields.text(kField);
    fields.require(kField, expected);
    if (!name) return {};
    if (name->find_first_not_of(' ') == std::string::npos) {
        fields.problem(kField, expected + " is expected, not an empty one");
    } else if (characters(*name) > kLongestName) {
        fields.problem(kField, fmt::format("{} is expected, not one of {}", expected, characters(*name)));
    } else if (std::any_of(name->begin(), name->end(), is_control)) {
        fields.problem(kField, "a text without line breaks and other control characters is expected");
    }
    return *name;
}

}  // namespace cam::api
