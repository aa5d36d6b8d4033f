#include "cam/cloudflare/analytics_client.h"

#include <algorithm>
#include <utility>

#include <spdlog/fmt/fmt.h>

#include "cam/net/header_values.h"
#include "event_answer.h"
#include "event_query.h"
#include "failure.h"
#include "small_answer.h"

namespace cam::cloudflare {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A row is about 700 bytes and a page at most some ten thousand rows. A larger answer is asked in halves.
constexpr std::size_t kMostEventAnswerBytes = 64U * 1024 * 1024;
/// Magic Transit customers have a handful; every one costs a request.
constexpr std::size_t kMostPrefixes = 200;

/// RFC 3986: all but the unreserved characters become %XX.
std::string percent_encoded(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           c == '-' || c == '_' || c == '~';
        if (plain) {
            out += c;
        } else {
            out += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
        }
    }
    return out;
}

/// Cloudflare's clock minus ours. Its `Date` has whole seconds and was written at some moment between asking
/// and answer, so a span is known; zero if no skew explains it as well, else the end of the span nearer to
/// zero.
std::optional<milliseconds> skew_of(const net::HttpResponse& response, WallTime asked, WallTime answered) {
    const std::optional<std::string_view> header = response.header("date");
    if (!header) return std::nullopt;
    const std::optional<WallTime> date = net::parse_http_date(*header);
    if (!date) return std::nullopt;
    const milliseconds least = *date - answered;
    const milliseconds most = *date + seconds{1} - asked;
    if (least > milliseconds{0}) return least;
    if (most < milliseconds{0}) return most;
    return milliseconds{0};
}

net::HttpRequest graphql_request(const std::string& api_url, std::string body, milliseconds total,
                                 std::stop_token stop) {
    net::HttpRequest request;
    request.method = net::Method::kPost;
    request.url = api_url + "/graphql";
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = std::move(body);
    request.total = total;
    request.stop = std::move(stop);
    return request;
}

std::string_view what_is_missing(EventAnswer::Shape shape) {
    switch (shape) {
        case EventAnswer::Shape::kNoAccount:
            return "answer has no account of this id";
        case EventAnswer::Shape::kNoDataset:
            return "answer has no list of rows";
        case EventAnswer::Shape::kBroken:
        case EventAnswer::Shape::kNoData:
        case EventAnswer::Shape::kRows:
            break;
    }
    return "answer has no data";
}

/// Why the answer is no page; nullopt if it is one.
std::optional<QueryFailure> judge(const EventAnswer& answer, const AnswerContext& context,
                                  const Secret& secret) {
    if (answer.shape == EventAnswer::Shape::kBroken) return unreadable_failure(context);
    if (answer.error_count > 0) return told_failure(context, answer.errors, secret);
    if (std::optional<QueryFailure> refused = status_failure(context)) return refused;
    if (answer.shape == EventAnswer::Shape::kRows) return std::nullopt;
    const FailureKind kind =
        answer.shape == EventAnswer::Shape::kNoAccount ? FailureKind::kUnknownAccount : FailureKind::kNoData;
    return missing_failure(context, kind, what_is_missing(answer.shape));
}

/// A limit that the query kept cannot be what Cloudflare meant: zero says that it is not known.
QueryFailure without_idle_limit(QueryFailure failure, const TimeWindow& window, const PageOptions& options) {
    const auto width =
        static_cast<std::uint64_t>(std::max<milliseconds::rep>(window.length() / seconds{1}, 0));
    if (failure.kind == FailureKind::kTooWide && failure.limit >= width) failure.limit = 0;
    if (failure.kind == FailureKind::kPageTooLarge && failure.limit >= options.limit) failure.limit = 0;
    return failure;
}

}  // namespace

AnalyticsClient::AnalyticsClient(net::HttpClient& http, const Clock& clock, Options options)
    : http_(http), clock_(clock), options_(std::move(options)) {
    while (options_.api_url.ends_with('/')) options_.api_url.pop_back();
}

Result<net::HttpResponse, QueryFailure> AnalyticsClient::exchange(net::HttpRequest request) {
    request.headers.emplace_back("Accept", "application/json");
    request.headers.emplace_back("Authorization", "Bearer " + options_.api_token.reveal());
    Result<net::HttpResponse> response = http_.perform(request);
    if (!response) return transport_failure(response.error());
    return std::move(response).value();
}

Result<EventPage, QueryFailure> AnalyticsClient::events(const TimeWindow& window,
                                                        const PageOptions& options) {
    net::HttpRequest request = graphql_request(
        options_.api_url, event_query(options_.account_id, window, options), options.total, options.stop);
    request.max_response_bytes = kMostEventAnswerBytes;
    const WallTime asked = clock_.wall();
    Result<net::HttpResponse, QueryFailure> response = exchange(std::move(request));
    if (!response) return std::move(response).error();
    const WallTime answered = clock_.wall();

    EventAnswer answer = parse_event_answer(std::exchange(response->body, {}));
    if (std::optional<QueryFailure> failure =
            judge(answer, context_of(*response, answered), options_.api_token)) {
        return without_idle_limit(std::move(*failure), window, options);
    }
    answer.page.clock_skew = skew_of(*response, asked, answered);
    return std::move(answer.page);
}

Result<AccountLimits, QueryFailure> AnalyticsClient::limits(milliseconds total, std::stop_token stop) {
    net::HttpRequest request =
        graphql_request(options_.api_url, limits_query(options_.account_id), total, std::move(stop));
    request.max_response_bytes = kMostSmallAnswerBytes;
    const Result<net::HttpResponse, QueryFailure> response = exchange(std::move(request));
    if (!response) return response.error();
    return read_limits(response->body, context_of(*response, clock_.wall()), options_.api_token);
}

Result<net::HttpResponse, QueryFailure> AnalyticsClient::get(std::string url, SteadyTime deadline,
                                                             std::stop_token stop) {
    net::HttpRequest request;
    request.url = std::move(url);
    request.total = deadline - clock_.steady();
    request.max_response_bytes = kMostSmallAnswerBytes;
    request.stop = std::move(stop);
    if (request.total <= milliseconds{0}) {
        return QueryFailure{FailureKind::kTimeout, "no time left to ask for every prefix"};
    }
    return exchange(std::move(request));
}

Result<BgpStatus, QueryFailure> AnalyticsClient::bgp_status(milliseconds total, std::stop_token stop) {
    const SteadyTime deadline = clock_.steady() + total;
    const std::string list_url = fmt::format("{}/accounts/{}/addressing/prefixes", options_.api_url,
                                             percent_encoded(options_.account_id));
    const Result<net::HttpResponse, QueryFailure> listed = get(list_url, deadline, stop);
    if (!listed) return listed.error();
    const AnswerContext context = context_of(*listed, clock_.wall());
    const Result<std::vector<ListedPrefix>, QueryFailure> prefixes =
        read_prefixes(listed->body, context, options_.api_token);
    if (!prefixes) return prefixes.error();
    if (prefixes->size() > kMostPrefixes) {
        return missing_failure(context, FailureKind::kNoData,
                               fmt::format("{} IP prefixes are more than the {} that are asked one by one",
                                           prefixes->size(), kMostPrefixes));
    }

    BgpStatus status;
    for (const auto& [id, cidr] : *prefixes) {
        BgpStatus part;
        if (!id.empty()) {
            const Result<net::HttpResponse, QueryFailure> response =
                get(fmt::format("{}/{}/bgp/prefixes", list_url, percent_encoded(id)), deadline, stop);
            if (!response) return response.error();
            const Result<BgpStatus, QueryFailure> counted =
                read_bgp_prefixes(response->body, context_of(*response, clock_.wall()), options_.api_token);
            if (!counted) return counted.error();
            part = *counted;
        }
        if (part.total == 0) {
            part = {.advertised = 0,
                    .unknown = 1,
                    .total = 1,
                    .prefixes = {{.prefix = cidr, .advertised = std::nullopt}}};
        }
        status.advertised += part.advertised;
        status.unknown += part.unknown;
        status.total += part.total;
        const std::size_t room = BgpStatus::kMostListed - status.prefixes.size();
        const auto listed_to =
            part.prefixes.begin() + static_cast<std::ptrdiff_t>(std::min(room, part.prefixes.size()));
        status.prefixes.insert(status.prefixes.end(), part.prefixes.begin(), listed_to);
    }
    return status;
}

}  // namespace cam::cloudflare
