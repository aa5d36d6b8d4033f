#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "api/http_message.h"
#include "cam/base/result.h"

namespace cam::api {

/// Takes typed fields out of a JSON object that a client sent, noting every problem with the field's name and
/// what is expected. A field that is null counts as absent. One thread at a time.
class FieldReader {
public:
    /// 400 if the body is not JSON, 422 if it is no object.
    static Result<FieldReader, HttpAnswer> parse(std::string_view body);

    /// Each is empty when the field is absent or wrong.
    std::optional<std::string> text(std::string_view name);
    std::optional<bool> flag(std::string_view name);
    /// A number with a zero fraction is whole: `1e9` is fine, `"5"` is not.
    std::optional<std::uint64_t> number(std::string_view name, std::uint64_t least, std::uint64_t most,
                                        std::string_view unit = {});
    std::optional<std::vector<std::string>> texts(std::string_view name, std::size_t most);
    /// One of the values that `read` knows; `names` lists them for a person.
    template <typename Read>
    auto choice(std::string_view name, Read read, std::string_view names) -> decltype(read("")) {
        const auto given = text(name);
        if (!given) return std::nullopt;
        const auto value = read(*given);
        if (!value) wrong(name, *given, names);
        return value;
    }

    /// Whether the field is there, be it right or wrong.
    [[nodiscard]] bool has(std::string_view name) const;
    /// What the server itself sets: taken without a look, so that an answer can be sent back as it came.
    void leave_out(std::string_view name) { asked_.emplace_back(name); }
    /// `name: <what>`.
    void problem(std::string_view name, std::string_view what);
    /// Notes that the field is missing, unless it is there.
    void require(std::string_view name, std::string_view expected);

    /// 422 with everything that was wrong, one entry each, fields that nobody asked for included.
    [[nodiscard]] std::optional<HttpAnswer> refusal();

private:
    using Json = nlohmann::ordered_json;
    explicit FieldReader(Json object) : object_(std::move(object)) {}
    const Json* find(std::string_view name);
    void wrong(std::string_view name, const Json& given, std::string_view expected);
    [[nodiscard]] std::string unknown(std::string_view name) const;

    Json object_;
    std::vector<std::string> asked_;
    std::vector<std::string> problems_;
};

}  // namespace cam::api
