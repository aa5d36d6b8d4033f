#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "simulator/http_message.h"

namespace cam::simulator {

/// What a request is for, and what a fault hits. kSettings is a GraphQL query that asks for the limits,
/// kGraphql any other; kPrefixes also covers bgp/prefixes.
enum class Target { kAny, kGraphql, kSettings, kPrefixes, kToken, kTelegram, kUnknown };

std::string_view target_name(Target target);
std::optional<Target> target_of(std::string_view name);

/// What the body of a bad status looks like: the service's own error JSON, a gateway's page, nothing.
enum class BodyKind { kJson, kHtml, kEmpty };

/// One thing that goes wrong. Build it with a named function, then narrow it:
/// `Fault::status(503).on(Target::kGraphql).times(2).skipping(1)`. Without times() or lasting() it stays
/// until cleared. A plain value.
class Fault {
public:
    enum class Kind {
        kStatus,         ///< an HTTP status with a body of some kind
        kRateLimited,    ///< 429, with or without Retry-After
        kReset,          ///< RST; the request is not processed
        kHangUp,         ///< orderly close without an answer; the request is not processed
        kAnswerLost,     ///< the request is processed, then RST instead of the answer
        kStall,          ///< no answer, ever or for a time; a late answer is a normal one
        kDrip,           ///< a normal answer, slowly
        kCutJson,        ///< a complete HTTP answer whose JSON ends in the middle
        kCutConnection,  ///< the connection ends in the middle of the body
        kCloseAfter,     ///< a normal answer, then the connection closes although it was kept alive
        kChunked,        ///< not a fault: a normal answer in chunks
        kGraphqlErrors,  ///< HTTP 200, data null, one error
        kDataNull,       ///< HTTP 200, data null, errors null
        kAccountsEmpty,  ///< no account in the answer
        kNodeNull,       ///< the dataset's value is null
        kNodeMissing,    ///< the dataset's key is not there
        kOversized,      ///< JSON of so many bytes, never ending for a client with a limit
        kGzipGarbage,    ///< Content-Encoding gzip, the body is not
        kBody,           ///< HTTP 200 (or `status`) with any body
    };

    static Fault status(int status, BodyKind body = BodyKind::kJson);
    static Fault rate_limited(std::optional<std::chrono::seconds> retry_after);
    static Fault reset() { return Fault{Kind::kReset}; }
    static Fault hang_up() { return Fault{Kind::kHangUp}; }
    static Fault answer_lost() { return Fault{Kind::kAnswerLost}; }
    static Fault stall() { return Fault{Kind::kStall}; }
    static Fault stall(std::chrono::milliseconds time);
    static Fault drip(std::size_t bytes_per_second);
    static Fault cut_json() { return Fault{Kind::kCutJson}; }
    static Fault cut_connection() { return Fault{Kind::kCutConnection}; }
    static Fault close_after() { return Fault{Kind::kCloseAfter}; }
    static Fault chunked() { return Fault{Kind::kChunked}; }
    static Fault graphql_errors(std::string message, std::string code = {});
    static Fault data_null() { return Fault{Kind::kDataNull}; }
    static Fault accounts_empty() { return Fault{Kind::kAccountsEmpty}; }
    static Fault node_null() { return Fault{Kind::kNodeNull}; }
    static Fault node_missing() { return Fault{Kind::kNodeMissing}; }
    static Fault oversized(std::size_t bytes);
    static Fault gzip_garbage() { return Fault{Kind::kGzipGarbage}; }
    static Fault body(std::string body, int status = 200);

    Fault& on(Target target) { return target_ = target, *this; }
    Fault& times(std::size_t count) { return times_ = count, *this; }
    /// Lets the first so many matching requests pass.
    Fault& skipping(std::size_t count) { return skip_ = count, *this; }
    /// Only requests whose body contains `text`.
    Fault& when_body_has(std::string text) { return contains_ = std::move(text), *this; }
    /// Counted from when it was added or, if later, from the world's start.
    Fault& starting_in(std::chrono::milliseconds time) { return from_ = time, *this; }
    Fault& lasting(std::chrono::milliseconds time) { return lasting_ = time, *this; }
    Fault& with_header(std::string name, std::string value);
    /// The error text in JSON bodies.
    Fault& saying(std::string message) { return message_ = std::move(message), *this; }

    /// Reads the form of a scenario; throws ScenarioError naming `path`.
    static Fault from_json(const nlohmann::json& json, const std::string& path);

    [[nodiscard]] Kind kind() const { return kind_; }
    [[nodiscard]] std::string_view name() const;
    /// False: the answer is made without running the request.
    [[nodiscard]] bool lets_request_through() const;
    /// Makes the answer of a request that is not run, in the way the target's service words errors.
    [[nodiscard]] HttpResponse refuse(Target target) const;
    /// Spoils a normal answer.
    void spoil(HttpResponse& response) const;
    [[nodiscard]] std::optional<std::chrono::seconds> retry_after() const { return retry_after_; }

private:
    friend class FaultPlan;
    explicit Fault(Kind kind) : kind_(kind) {}
    [[nodiscard]] std::string default_message() const;

    Kind kind_;
    Target target_ = Target::kAny;
    std::optional<std::size_t> times_;
    std::size_t skip_ = 0;
    std::string contains_;
    std::chrono::milliseconds from_{0};
    std::optional<std::chrono::milliseconds> lasting_;
    int status_ = 200;
    BodyKind body_kind_ = BodyKind::kJson;
    std::string body_;
    std::string message_;
    std::string code_;
    Headers headers_;
    std::optional<std::chrono::seconds> retry_after_;
    std::optional<std::chrono::milliseconds> time_;
    std::size_t bytes_ = 0;
};

/// The faults in force. Guarded by its owner.
class FaultPlan {
public:
    using Steady = std::chrono::steady_clock::time_point;

    void add(Fault fault, Steady now);
    void clear() { entries_.clear(); }
    /// Starts the time spans of all faults anew.
    void restart(Steady now);
    /// The first fault that hits this request, if any; counts it.
    std::optional<Fault> hit(Target target, const HttpRequest& request, Steady now);
    [[nodiscard]] bool empty() const { return entries_.empty(); }

private:
    struct Entry {
        Fault fault;
        Steady since;
        std::size_t seen = 0;
        std::size_t fired = 0;
    };
    std::vector<Entry> entries_;
};

}  // namespace cam::simulator
