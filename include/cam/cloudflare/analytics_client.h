#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "cam/base/clock.h"
#include "cam/base/result.h"
#include "cam/base/secret.h"
#include "cam/model/mitigation_event.h"
#include "cam/model/reports.h"
#include "cam/net/http_client.h"

namespace cam::cloudflare {

/// Why a query has no answer. Each needs another reaction.
enum class FailureKind {
    kTransient,       ///< 5xx, HTML, a broken or late connection, cut JSON: try again
    kRateLimited,     ///< 429 or `code: budget`: try again after `retry_after`
    kUnauthorized,    ///< 401: the token is missing, wrong or expired
    kForbidden,       ///< 403: the token or the plan does not allow it
    kQueryRefused,    ///< unknown field, syntax, disabled dataset: schema drift
    kUnknownAccount,  ///< `accounts` is empty
    kNoData,          ///< `data`, or the dataset in it, is null or missing although no error was told
    kTooOld,          ///< window begins before `limit` seconds ago
    kTooWide,         ///< window is wider than `limit` seconds, or query or answer too large (`limit` then 0)
    kPageTooLarge,    ///< page limit is above `limit`
    kTooManyFields,   ///< more than `limit` fields asked
    kTimeout,         ///< deadline passed
    kCancelled,       ///< asked to stop
};

/// `unauthorized`, `rate_limited`, …: for logs and metric labels.
[[nodiscard]] const char* name(FailureKind kind);
/// True for those that no repetition cures and an operator must: kUnauthorized, kForbidden, kQueryRefused,
/// kUnknownAccount.
[[nodiscard]] bool permanent(FailureKind kind);

struct QueryFailure {
    FailureKind kind;
    std::string detail;  ///< one line for a person: status, Cloudflare's message, ray id. Text from outside
                         ///< is escaped.
    std::optional<std::chrono::seconds> retry_after{};  ///< at most a day; as Cloudflare told it
    std::uint64_t limit =
        0;  ///< what Cloudflare allows, where the kind names it and the message told it; else 0
};

/// The rows of one answer.
struct EventPage {
    std::vector<MitigationEvent> events;  ///< oldest first; outcome `drop` (or absent) and not egress only
    std::uint64_t rows = 0;               ///< how many rows the answer had, before anything was left out
    std::uint64_t unreadable =
        0;  ///< rows that are no event (no object, no dimensions); counted, never fatal
    std::uint64_t not_dropped = 0;  ///< rows left out because Cloudflare passed them (log-only rules)
    std::uint64_t not_ingress = 0;  ///< rows left out because they left our network (egress)
    /// Cloudflare's `Date` minus our clock, at least; zero while the header's whole seconds and the time the
    /// exchange took can explain the difference, nullopt if it is not told.
    std::optional<std::chrono::milliseconds> clock_skew;
};

/// What an event query asks besides the window.
struct PageOptions {
    std::uint32_t limit = 10'000;
    std::uint32_t max_fields = 0;                 ///< 0: all of ours
    std::vector<std::string> available_fields{};  ///< as in AccountLimits; empty: all
    std::chrono::milliseconds total{30'000};
    std::stop_token stop{};
};

/// Asks Cloudflare's GraphQL Analytics and addressing APIs. Knows neither filters nor when to ask again. One
/// thread at a time; the HttpClient must outlive it.
class AnalyticsClient {
public:
    struct Options {
        std::string api_url = "https://api.cloudflare.com/client/v4";
        std::string account_id;
        Secret api_token;
    };
    AnalyticsClient(net::HttpClient& http, const Clock& clock, Options options);

    /// The mitigation events of `window`, at most `options.limit` of them; as many rows as the limit means:
    /// cut.
    Result<EventPage, QueryFailure> events(const TimeWindow& window, const PageOptions& options);

    /// The account's limits for the dataset (settings node).
    Result<AccountLimits, QueryFailure> limits(std::chrono::milliseconds total, std::stop_token stop);

    /// Counts the BGP prefixes under every IP prefix: 1 + N requests within `total`. An IP prefix that has no
    /// BGP prefix of its own counts as one of unknown state.
    Result<BgpStatus, QueryFailure> bgp_status(std::chrono::milliseconds total, std::stop_token stop);

private:
    Result<net::HttpResponse, QueryFailure> exchange(net::HttpRequest request);
    Result<net::HttpResponse, QueryFailure> get(std::string url, SteadyTime deadline, std::stop_token stop);
    net::HttpClient& http_;
    const Clock& clock_;
    Options options_;
};

}  // namespace cam::cloudflare
