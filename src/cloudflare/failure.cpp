#include "failure.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include <spdlog/fmt/fmt.h>

#include "cam/base/log.h"
#include "cam/base/masked.h"
#include "cam/net/header_values.h"

namespace cam::cloudflare {
namespace {

using std::chrono::seconds;

/// What Cloudflare means where its message says so in words.
constexpr seconds kRateWindow{300};
constexpr std::size_t kMostHeaderText = 80;

/// What a message means. The first that fits decides, so the more special stand first.
struct Meaning {
    std::string_view fragment;  ///< in lower case
    FailureKind kind;
    /// What stands before the number that the message tells; empty: it tells none.
    std::string_view before_limit = {};
};

// Facts: https://developers.cloudflare.com/analytics/graphql-api/errors/
constexpr std::array kMeanings{
    Meaning{"in combination, your request queries too many", FailureKind::kQueryRefused},
    Meaning{"consumed excessive resources", FailureKind::kTooWide},
    Meaning{"cannot request data older than", FailureKind::kTooOld, "older than"},
    Meaning{"time range wider than", FailureKind::kTooWide, "wider than"},
    Meaning{"query time range is too large", FailureKind::kTooWide, "too large"},
    Meaning{"limit must be positive number and not greater than", FailureKind::kPageTooLarge, "greater than"},
    Meaning{"number of fields can't be more than", FailureKind::kTooManyFields, "more than"},
    Meaning{"rate limiter budget depleted", FailureKind::kRateLimited},
    Meaning{"has exceeded its rate limit", FailureKind::kRateLimited},
    Meaning{"limit reached, please try again later", FailureKind::kRateLimited},
    Meaning{"too many queries in progress", FailureKind::kTransient},
    Meaning{"unable to execute query", FailureKind::kTransient},
    Meaning{"internal server error", FailureKind::kTransient},
    Meaning{"not authorized for that account", FailureKind::kForbidden},
    Meaning{"are not authorized", FailureKind::kForbidden},
    Meaning{"does not have access to the path", FailureKind::kForbidden},
    Meaning{"unknown field", FailureKind::kQueryRefused},
    Meaning{"error parsing args", FailureKind::kQueryRefused},
    Meaning{"scalar fields must have no selections", FailureKind::kQueryRefused},
    Meaning{"object field must have selections", FailureKind::kQueryRefused},
    Meaning{"query contains error", FailureKind::kQueryRefused},
    Meaning{"syntax error", FailureKind::kQueryRefused},
    Meaning{"invalid api token", FailureKind::kUnauthorized},
    Meaning{"invalid access token", FailureKind::kUnauthorized},
    Meaning{"unauthorized", FailureKind::kUnauthorized},
};

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

std::string lower_case(std::string_view text) {
    std::string out{text};
    std::transform(out.begin(), out.end(), out.begin(), lower);
    return out;
}

const Meaning* meaning_of(std::string_view message) {
    const auto found = std::find_if(kMeanings.begin(), kMeanings.end(), [&](const Meaning& meaning) {
        return message.find(meaning.fragment) != std::string_view::npos;
    });
    return found == kMeanings.end() ? nullptr : &*found;
}

struct Unit {
    std::string_view text;
    std::uint64_t seconds;
};
constexpr std::array<Unit, 10> kUnits{{{" week", 604'800},
                                       {" day", 86'400},
                                       {" hour", 3'600},
                                       {" minute", 60},
                                       {" second", 1},
                                       {"w", 604'800},
                                       {"d", 86'400},
                                       {"h", 3'600},
                                       {"m", 60},
                                       {"s", 1}}};

/// The number at the front of `text`: `10000`, or in seconds `2678400s`, `4w2d`, `30 days`. Zero if there is
/// none.
std::uint64_t leading_amount(std::string_view text) {
    constexpr std::uint64_t kMost = 1'000'000'000'000;  // 30,000 years: nothing real overflows
    std::uint64_t sum = 0;
    for (;;) {
        std::uint64_t part = 0;
        const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), part);
        if (error != std::errc{}) return sum;
        text.remove_prefix(static_cast<std::size_t>(stopped - text.data()));
        const auto* const unit = std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& candidate) {
            return text.starts_with(candidate.text);
        });
        const bool has_unit = unit != kUnits.end();
        const std::uint64_t factor = has_unit ? unit->seconds : 1;
        if (part > kMost / factor || sum > kMost) return 0;
        sum += part * factor;
        if (!has_unit) return sum;
        text.remove_prefix(unit->text.size());
    }
}

/// The first number behind `phrase` in a message in lower case; zero if there is none.
std::uint64_t amount_behind(std::string_view message, std::string_view phrase) {
    const std::size_t at = phrase.empty() ? std::string_view::npos : message.find(phrase);
    if (at == std::string_view::npos) return 0;
    const std::string_view rest = message.substr(at + phrase.size());
    const std::size_t digit = rest.find_first_of("0123456789");
    if (digit == std::string_view::npos) return 0;
    return leading_amount(rest.substr(digit));
}

/// For a status whose body told nothing that we know.
FailureKind kind_of_status(int status) {
    if (status == 401) return FailureKind::kUnauthorized;
    if (status == 403) return FailureKind::kForbidden;
    if (status == 429) return FailureKind::kRateLimited;
    if (status >= 400 && status < 500 && status != 408) return FailureKind::kQueryRefused;
    return FailureKind::kTransient;
}

std::string with_context(const AnswerContext& context, std::string_view what) {
    std::string detail = fmt::format("status={} {}", context.status, what);
    if (!context.ray.empty()) detail += fmt::format(" ray={}", quote(context.ray, kMostHeaderText));
    return detail;
}

QueryFailure make_failure(const AnswerContext& context, FailureKind kind, std::string_view what) {
    return QueryFailure{kind, with_context(context, what), context.retry_after, 0};
}

struct Verdict {
    FailureKind kind;
    std::uint64_t limit;
};

/// nullopt: an error that we do not know.
std::optional<Verdict> judge(const AnswerContext& context, const ToldError& error) {
    if (error.code == "budget") return Verdict{FailureKind::kRateLimited, 0};
    const std::string message = lower_case(error.message);
    if (message.find("authentication error") != std::string::npos) {
        // The REST API says so with 403 where the token is good but not allowed.
        return Verdict{context.status == 403 ? FailureKind::kForbidden : FailureKind::kUnauthorized, 0};
    }
    const Meaning* const meaning = meaning_of(message);
    if (meaning == nullptr) return std::nullopt;
    return Verdict{meaning->kind, amount_behind(message, meaning->before_limit)};
}

}  // namespace

const char* name(FailureKind kind) {
    switch (kind) {
        case FailureKind::kTransient:
            return "transient";
        case FailureKind::kRateLimited:
            return "rate_limited";
        case FailureKind::kUnauthorized:
            return "unauthorized";
        case FailureKind::kForbidden:
            return "forbidden";
        case FailureKind::kQueryRefused:
            return "query_refused";
        case FailureKind::kUnknownAccount:
            return "unknown_account";
        case FailureKind::kNoData:
            return "no_data";
        case FailureKind::kTooOld:
            return "too_old";
        case FailureKind::kTooWide:
            return "too_wide";
        case FailureKind::kPageTooLarge:
            return "page_too_large";
        case FailureKind::kTooManyFields:
            return "too_many_fields";
        case FailureKind::kTimeout:
            return "timeout";
        case FailureKind::kCancelled:
            return "cancelled";
    }
    return "transient";
}

bool permanent(FailureKind kind) {
    switch (kind) {
        case FailureKind::kUnauthorized:
        case FailureKind::kForbidden:
        case FailureKind::kQueryRefused:
        case FailureKind::kUnknownAccount:
            return true;
        case FailureKind::kTransient:
        case FailureKind::kRateLimited:
        case FailureKind::kNoData:
        case FailureKind::kTooOld:
        case FailureKind::kTooWide:
        case FailureKind::kPageTooLarge:
        case FailureKind::kTooManyFields:
        case FailureKind::kTimeout:
        case FailureKind::kCancelled:
            return false;
    }
    return false;
}

AnswerContext context_of(const net::HttpResponse& response, WallTime now) {
    AnswerContext context;
    context.status = response.status;
    if (const auto ray = response.header("cf-ray")) context.ray = *ray;
    if (const auto type = response.header("content-type")) context.content_type = *type;
    context.retry_after = net::retry_after(response, now);
    return context;
}

QueryFailure told_failure(const AnswerContext& context, const std::vector<ToldError>& errors,
                          const Secret& secret) {
    std::optional<Verdict> verdict;
    const ToldError* telling = errors.empty() ? nullptr : &errors.front();
    for (const ToldError& error : errors) {
        verdict = judge(context, error);
        if (!verdict) continue;
        telling = &error;
        break;
    }
    const FailureKind kind = verdict ? verdict->kind : kind_of_status(context.status);
    const std::string message = telling == nullptr ? std::string{} : masked(telling->message, secret);
    QueryFailure failure = make_failure(context, kind, fmt::format("message={}", quote(message)));
    if (verdict) failure.limit = verdict->limit;
    if (kind == FailureKind::kRateLimited && !failure.retry_after &&
        lower_case(message).find("after 5 minutes") != std::string::npos) {
        failure.retry_after = kRateWindow;
    }
    return failure;
}

QueryFailure unreadable_failure(const AnswerContext& context) {
    FailureKind kind = FailureKind::kTransient;
    if (context.status == 401) kind = FailureKind::kUnauthorized;
    if (context.status == 429) kind = FailureKind::kRateLimited;
    return make_failure(context, kind,
                        fmt::format("answer is no complete JSON, content_type={}",
                                    quote(context.content_type, kMostHeaderText)));
}

QueryFailure missing_failure(const AnswerContext& context, FailureKind kind, std::string_view what) {
    return make_failure(context, kind, what);
}

std::optional<QueryFailure> status_failure(const AnswerContext& context) {
    if (context.status >= 200 && context.status < 300) return std::nullopt;
    return make_failure(context, kind_of_status(context.status), "answer tells no reason");
}

QueryFailure transport_failure(const Error& error) {
    const auto failure = [&](FailureKind kind) { return QueryFailure{kind, error.detail, std::nullopt, 0}; };
    switch (error.code) {
        case ErrorCode::kTimeout:
            return failure(FailureKind::kTimeout);
        case ErrorCode::kCancelled:
            return failure(FailureKind::kCancelled);
        case ErrorCode::kTooLarge:
            return failure(FailureKind::kTooWide);  // half the window, half the answer
        case ErrorCode::kInvalid:
        case ErrorCode::kNotFound:
        case ErrorCode::kUnreachable:
        case ErrorCode::kBroken:
        case ErrorCode::kTls:
        case ErrorCode::kRefused:
        case ErrorCode::kBusy:
        case ErrorCode::kFull:
        case ErrorCode::kCorrupt:
        case ErrorCode::kReadOnly:
        case ErrorCode::kExists:
        case ErrorCode::kNewer:
        case ErrorCode::kInternal:
            break;
    }
    return failure(FailureKind::kTransient);
}

}  // namespace cam::cloudflare
