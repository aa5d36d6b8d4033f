#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "api/http_message.h"
#include "cam/base/result.h"

namespace cam::api {

/// The shape of every JSON answer: `{"result": …, "errors": [{"message": "…"}], "success": …}`. Success is a
/// status below 400. Bytes that are not UTF-8 are replaced.
[[nodiscard]] HttpAnswer envelope(int status, const nlohmann::ordered_json& result,
                                  const std::vector<std::string>& errors);
/// 200 with a result.
[[nodiscard]] HttpAnswer success(const nlohmann::ordered_json& result);
/// An error without a result.
[[nodiscard]] HttpAnswer failure(int status, std::string_view message);
/// The answer to a request that the backend could not serve: 404, 409 or 500.
[[nodiscard]] HttpAnswer failure(const Error& why);
/// The same where the query itself can be wrong in a way that only the backend sees: kInvalid is 422.
[[nodiscard]] HttpAnswer query_failure(const Error& why);

/// 200 with a list, written item by item: a long one is never a tree in memory.
class ListAnswer {
public:
    void add(const nlohmann::ordered_json& item);
    [[nodiscard]] HttpAnswer finish() &&;
    /// With `result_info` beside the result.
    [[nodiscard]] HttpAnswer finish(const nlohmann::ordered_json& result_info) &&;

private:
    std::string body_ = "{\"result\":[";
    bool is_empty_ = true;
};

/// A client's JSON. kInvalid: it is none, or nests deeper than 32 levels. kTooLarge: it holds a number beyond
/// those of a double.
[[nodiscard]] Result<nlohmann::ordered_json> parse_json(std::string_view text);

}  // namespace cam::api
