#include "simulator/fault.h"

#include <array>
#include <cmath>
#include <utility>

#include "simulator/scenario_error.h"

namespace cam::simulator {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::array<std::pair<Target, std::string_view>, 7> kTargets{{{Target::kAny, "any"},
                                                                       {Target::kGraphql, "graphql"},
                                                                       {Target::kSettings, "settings"},
                                                                       {Target::kPrefixes, "prefixes"},
                                                                       {Target::kToken, "token"},
                                                                       {Target::kTelegram, "telegram"},
                                                                       {Target::kUnknown, "unknown"}}};

using Kind = Fault::Kind;
constexpr std::array<std::pair<Kind, std::string_view>, 19> kKinds{{{Kind::kStatus, "status"},
                                                                    {Kind::kRateLimited, "rate_limited"},
                                                                    {Kind::kReset, "reset"},
                                                                    {Kind::kHangUp, "hang_up"},
                                                                    {Kind::kAnswerLost, "answer_lost"},
                                                                    {Kind::kStall, "stall"},
                                                                    {Kind::kDrip, "drip"},
                                                                    {Kind::kCutJson, "cut_json"},
                                                                    {Kind::kCutConnection, "cut_connection"},
                                                                    {Kind::kCloseAfter, "close_after"},
                                                                    {Kind::kChunked, "chunked"},
                                                                    {Kind::kGraphqlErrors, "graphql_errors"},
                                                                    {Kind::kDataNull, "data_null"},
                                                                    {Kind::kAccountsEmpty, "accounts_empty"},
                                                                    {Kind::kNodeNull, "node_null"},
                                                                    {Kind::kNodeMissing, "node_missing"},
                                                                    {Kind::kOversized, "oversized"},
                                                                    {Kind::kGzipGarbage, "gzip_garbage"},
                                                                    {Kind::kBody, "body"}}};

constexpr std::string_view kGatewayPage =
    "<!DOCTYPE html>\n<html><head><title>Bad gateway</title></head>\n"
    "<body><h1>The simulated gateway found nobody behind it</h1></body></html>\n";

std::string error_body(Target target, int status, const std::string& message, const std::string& code,
                       std::optional<seconds> retry_after) {
    json body;
    if (target == Target::kTelegram) {
        body = {{"ok", false}, {"error_code", status}, {"description", message}};
        if (retry_after) body["parameters"]["retry_after"] = retry_after->count();
    } else if (target == Target::kGraphql || target == Target::kSettings) {
        json extensions{{"timestamp", "2026-01-19T22:51:50.000000000Z"}};
        if (!code.empty()) extensions["code"] = code;
        body = {{"data", nullptr},
                {"errors", {{{"message", message}, {"path", nullptr}, {"extensions", extensions}}}}};
    } else {
        body = {{"success", false},
                {"errors", {{{"code", 10000}, {"message", message}}}},
                {"messages", json::array()},
                {"result", nullptr}};
    }
    return body.dump();
}

milliseconds seconds_from(const ObjectReader& reader, const char* key) {
    double value = 0;
    reader.read(key, value);
    if (value < 0) throw ScenarioError(reader.path(key), "expected seconds, 0 or more");
    return milliseconds{std::llround(value * 1000)};
}

}  // namespace

std::string_view target_name(Target target) {
    for (const auto& [one, name] : kTargets) {
        if (one == target) return name;
    }
    return "unknown";
}

std::optional<Target> target_of(std::string_view name) {
    for (const auto& [target, one] : kTargets) {
        if (one == name) return target;
    }
    return std::nullopt;
}

Fault Fault::status(int status, BodyKind body) {
    Fault fault{Kind::kStatus};
    fault.status_ = status;
    fault.body_kind_ = body;
    return fault;
}

Fault Fault::rate_limited(std::optional<seconds> retry_after) {
    Fault fault{Kind::kRateLimited};
    fault.status_ = 429;
    fault.retry_after_ = retry_after;
    return fault;
}

Fault Fault::stall(milliseconds time) {
    Fault fault{Kind::kStall};
    fault.time_ = time;
    return fault;
}

Fault Fault::drip(std::size_t bytes_per_second) {
    Fault fault{Kind::kDrip};
    fault.bytes_ = bytes_per_second;
    return fault;
}

Fault Fault::graphql_errors(std::string message, std::string code) {
    Fault fault{Kind::kGraphqlErrors};
    fault.message_ = std::move(message);
    fault.code_ = std::move(code);
    return fault;
}

Fault Fault::oversized(std::size_t bytes) {
    Fault fault{Kind::kOversized};
    fault.bytes_ = bytes;
    return fault;
}

Fault Fault::body(std::string body, int status) {
    Fault fault{Kind::kBody};
    fault.body_ = std::move(body);
    fault.status_ = status;
    return fault;
}

Fault& Fault::with_header(std::string name, std::string value) {
    headers_.emplace_back(std::move(name), std::move(value));
    return *this;
}

std::string_view Fault::name() const {
    for (const auto& [kind, name] : kKinds) {
        if (kind == kind_) return name;
    }
    return "?";
}

bool Fault::lets_request_through() const {
    switch (kind_) {
        case Kind::kAnswerLost:
        case Kind::kStall:
            return kind_ == Kind::kAnswerLost || time_.has_value();
        case Kind::kDrip:
        case Kind::kCutJson:
        case Kind::kCutConnection:
        case Kind::kCloseAfter:
        case Kind::kChunked:
            return true;
        default:
            return false;
    }
}

std::string Fault::default_message() const {
    if (!message_.empty()) return message_;
    switch (status_) {
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "not authorized for that account";
        case 429:
            return "rate limiter budget depleted, try again after 5 minutes";
        case 503:
            return "unable to execute query, please try again later";
        default:
            return "Internal server error";
    }
}

HttpResponse Fault::refuse(Target target) const {
    HttpResponse response{.status = status_, .headers = headers_};
    std::string message = default_message();
    if (target == Target::kTelegram && message_.empty()) {
        message = std::string(reason_phrase(status_));
        if (retry_after_) message += ": retry after " + std::to_string(retry_after_->count());
    }
    switch (kind_) {
        case Kind::kReset:
            response.delivery.reset = true;
            break;
        case Kind::kHangUp:
            response.delivery.hang_up = true;
            break;
        case Kind::kStall:
            response.delivery.stall_forever = true;
            break;
        case Kind::kBody:
            response.body = body_;
            break;
        case Kind::kGraphqlErrors:
            response.body = error_body(Target::kGraphql, 200, message_, code_, {});
            break;
        case Kind::kDataNull:
            response.body = R"({"data":null,"errors":null})";
            break;
        case Kind::kAccountsEmpty:
            response.body = R"({"data":{"viewer":{"accounts":[]}},"errors":null})";
            break;
        case Kind::kNodeNull:
            response.body = R"({"data":{"viewer":{"accounts":[{"dosdNetworkAnalyticsAdaptiveGroups":null,)"
                            R"("settings":null}]}},"errors":null})";
            break;
        case Kind::kNodeMissing:
            response.body = R"({"data":{"viewer":{"accounts":[{}]}},"errors":null})";
            break;
        case Kind::kOversized:
            response.body = R"({"data":{"padding":")" + std::string(bytes_, 'x') + R"("},"errors":null})";
            response.delivery.may_compress = false;
            break;
        case Kind::kGzipGarbage:
            response.headers.emplace_back("Content-Encoding", "gzip");
            response.body = "\x1f\x8b this was never compressed";
            response.delivery.may_compress = false;
            break;
        default:
            if (retry_after_)
                response.headers.emplace_back("Retry-After", std::to_string(retry_after_->count()));
            if (body_kind_ == BodyKind::kJson) {
                response.body = error_body(target, status_, message, code_, retry_after_);
            } else if (body_kind_ == BodyKind::kHtml) {
                response.content_type = "text/html; charset=UTF-8";
                response.body = kGatewayPage;
            }
    }
    return response;
}

void Fault::spoil(HttpResponse& response) const {
    Delivery& how = response.delivery;
    for (const auto& header : headers_) response.headers.push_back(header);
    switch (kind_) {
        case Kind::kAnswerLost:
            how.reset = true;
            break;
        case Kind::kStall:
            how.stall = time_.value_or(milliseconds{0});
            break;
        case Kind::kDrip:
            how.bytes_per_second = bytes_;
            how.may_compress = false;
            break;
        case Kind::kCutJson:
            response.body.resize(response.body.size() / 2);
            break;
        case Kind::kCutConnection:
            how.may_compress = false;
            how.cut_at = response.body.size() / 2;
            break;
        case Kind::kCloseAfter:
            how.close_after = true;
            break;
        case Kind::kChunked:
            how.chunked = true;
            break;
        default:
            break;
    }
}

Fault Fault::from_json(const json& json_fault, const std::string& path) {
    const ObjectReader reader(
        json_fault, path,
        {"kind", "target", "times", "skip", "contains", "from_seconds", "for_seconds", "status", "body_kind",
         "body", "message", "code", "headers", "retry_after", "seconds", "bytes_per_second", "size_bytes"});
    std::string kind_name;
    reader.read("kind", kind_name);
    std::optional<Fault> fault;
    std::string all;
    for (const auto& [kind, name] : kKinds) {
        all.append(all.empty() ? "" : ", ").append(name);
        if (name == kind_name) fault = Fault{kind};
    }
    if (!fault) throw ScenarioError(reader.path("kind"), "expected one of " + all);
    std::string target = "any";
    reader.read("target", target);
    const auto found = target_of(target);
    if (!found) {
        throw ScenarioError(
            reader.path("target"),
            "expected any, graphql, settings, prefixes, token or telegram, found \"" + target + "\"");
    }
    fault->target_ = *found;
    if (fault->kind_ == Kind::kStatus) fault->status_ = 500;
    if (fault->kind_ == Kind::kRateLimited) fault->status_ = 429;
    if (reader.has("times")) reader.read("times", fault->times_.emplace());
    reader.read("skip", fault->skip_);
    reader.read("contains", fault->contains_);
    fault->from_ = seconds_from(reader, "from_seconds");
    if (reader.has("for_seconds")) fault->lasting_ = seconds_from(reader, "for_seconds");
    reader.read("status", fault->status_);
    if (fault->status_ < 200 || fault->status_ > 599) {
        throw ScenarioError(reader.path("status"), "expected an HTTP status from 200 to 599");
    }
    std::string body_kind = "json";
    reader.read("body_kind", body_kind);
    if (body_kind != "json" && body_kind != "html" && body_kind != "empty") {
        throw ScenarioError(reader.path("body_kind"), "expected json, html or empty");
    }
    fault->body_kind_ = body_kind == "json"   ? BodyKind::kJson
                        : body_kind == "html" ? BodyKind::kHtml
                                              : BodyKind::kEmpty;
    if (reader.has("body")) {
        const json& body = reader.at("body");
        fault->body_ = body.is_string() ? body.get<std::string>() : body.dump();
    }
    reader.read("message", fault->message_);
    reader.read("code", fault->code_);
    if (fault->kind_ == Kind::kGraphqlErrors && fault->message_.empty())
        fault->message_ = "Internal server error";
    if (reader.has("headers")) {
        if (!reader.at("headers").is_object())
            throw ScenarioError(reader.path("headers"), "expected an object");
        for (const auto& [name, value] : reader.at("headers").items()) {
            if (!value.is_string()) throw ScenarioError(reader.path("headers." + name), "expected a string");
            fault->headers_.emplace_back(name, value.get<std::string>());
        }
    }
    if (reader.has("retry_after")) {
        std::int64_t wait = 0;
        reader.read("retry_after", wait);
        fault->retry_after_ = seconds{wait};
    }
    if (reader.has("seconds")) fault->time_ = seconds_from(reader, "seconds");
    reader.read("bytes_per_second", fault->bytes_);
    reader.read("size_bytes", fault->bytes_);
    return *fault;
}

void FaultPlan::add(Fault fault, Steady now) {
    entries_.push_back({std::move(fault), now});
}

void FaultPlan::restart(Steady now) {
    for (Entry& entry : entries_) entry.since = now;
}

std::optional<Fault> FaultPlan::hit(Target target, const HttpRequest& request, Steady now) {
    for (Entry& entry : entries_) {
        const Fault& fault = entry.fault;
        if (fault.target_ != Target::kAny && fault.target_ != target) continue;
        if (!fault.contains_.empty() && request.body.find(fault.contains_) == std::string::npos) continue;
        const auto age = now - entry.since;
        if (age < fault.from_ || (fault.lasting_ && age >= fault.from_ + *fault.lasting_)) continue;
        if (fault.times_ && entry.fired >= *fault.times_) continue;
        if (entry.seen++ < fault.skip_) continue;
        ++entry.fired;
        return fault;
    }
    return std::nullopt;
}

}  // namespace cam::simulator
