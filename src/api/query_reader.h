#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http_message.h"
#include "cam/base/clock.h"
#include "cam/model/prefix.h"

namespace cam::api {

/// Takes typed values out of a request's query by name, noting every problem. One thread at a time; the
/// request must outlive it.
class QueryReader {
public:
    explicit QueryReader(const HttpRequest& request) : request_(request) {}

    /// Each is empty when the parameter is absent or wrong.
    std::optional<std::string> text(std::string_view name);
    std::optional<WallTime> time(std::string_view name);  ///< RFC 3339
    std::optional<bool> flag(std::string_view name);
    std::optional<std::uint32_t> number(std::string_view name, std::uint32_t least, std::uint32_t most);
    /// A cursor that an answer gave: the id of a row.
    std::optional<std::int64_t> cursor(std::string_view name);
    /// A prefix, or an address, which is the prefix of that address alone.
    std::optional<Prefix> prefix(std::string_view name);
    /// The position of the value among the `choices`.
    std::optional<std::size_t> choice(std::string_view name, std::initializer_list<std::string_view> choices);

    /// 422 with everything that was wrong, parameters that nobody asked for included: a mistyped filter that
    /// is ignored would show too much.
    [[nodiscard]] std::optional<HttpAnswer> refusal();

private:
    std::optional<std::string> find(std::string_view name);
    void wrong(std::string_view name, std::string_view expected);

    const HttpRequest& request_;
    std::vector<std::string> asked_;
    std::vector<std::string> problems_;
};

}  // namespace cam::api
