#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cam/base/clock.h"
#include "cam/base/result.h"
#include "cam/base/secret.h"
#include "cam/cloudflare/analytics_client.h"
#include "cam/net/http_client.h"

namespace cam::cloudflare {

/// One entry of an answer's `errors`, in Cloudflare's words.
struct ToldError {
    std::string message;
    std::string code;  ///< `extensions.code` or `code`; empty if not told
};

/// What is kept of a list of errors: more of them say nothing new.
inline constexpr std::size_t kMostToldErrors = 8;

/// The part of an answer that is not its body.
struct AnswerContext {
    int status = 0;
    std::string ray;           ///< cf-ray; empty if not told
    std::string content_type;  ///< empty if not told
    std::optional<std::chrono::seconds> retry_after;
};
[[nodiscard]] AnswerContext context_of(const net::HttpResponse& response, WallTime now);

/// The answer told errors. `secret` is kept out of the failure's text.
[[nodiscard]] QueryFailure told_failure(const AnswerContext& context, const std::vector<ToldError>& errors,
                                        const Secret& secret);
/// The answer is no JSON: a gateway's page, nothing, or a part.
[[nodiscard]] QueryFailure unreadable_failure(const AnswerContext& context);
/// The answer is JSON, tells no error and does not hold what was asked; `what` says what is missing.
[[nodiscard]] QueryFailure missing_failure(const AnswerContext& context, FailureKind kind,
                                           std::string_view what);
/// The status says no although the body told nothing; nullopt if the status is fine.
[[nodiscard]] std::optional<QueryFailure> status_failure(const AnswerContext& context);
/// There was no answer.
[[nodiscard]] QueryFailure transport_failure(const Error& error);

}  // namespace cam::cloudflare
