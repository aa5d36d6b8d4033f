#include "cloudflare/failure.h"

#include <gtest/gtest.h>

namespace cam::cloudflare {
namespace {

using namespace std::chrono_literals;

const Secret kToken{"cf-secret-token-0123456789"};

QueryFailure told(int status, std::string message, std::string code = {}) {
    AnswerContext context;
    context.status = status;
    return told_failure(context, {{std::move(message), std::move(code)}}, kToken);
}

struct Told {
    int status;
    const char* message;
    FailureKind kind;
    std::uint64_t limit = 0;
};

TEST(FailureTest, KnowsTheDocumentedMessages) {
    for (const Told& expected : {
             Told{503, "unable to execute query, please try again later", FailureKind::kTransient},
             Told{503, "too many queries in progress", FailureKind::kTransient},
             Told{500, "Internal server error", FailureKind::kTransient},
             Told{429, "rate limiter budget depleted, try again after 5 minutes", FailureKind::kRateLimited},
             Told{200, "Account 0123 has exceeded its rate limit", FailureKind::kRateLimited},
             Told{200, "limit reached, please try again later", FailureKind::kRateLimited},
             Told{429, "in combination, your request queries too many nodes, zones and accounts",
                  FailureKind::kQueryRefused},
             Told{429, "query consumed excessive resources", FailureKind::kTooWide},
             Told{400, "cannot request data older than 2678400s", FailureKind::kTooOld, 2678400},
             Told{400, "Cannot request data older than 4w2d, but yours is 9w", FailureKind::kTooOld, 2592000},
             Told{400, "cannot request data older than 30 days", FailureKind::kTooOld, 2592000},
             Told{400, "cannot request a time range wider than 259200s, but range is 864000s",
                  FailureKind::kTooWide, 259200},
             Told{400, "cannot request a time range wider than 3d", FailureKind::kTooWide, 259200},
             Told{400, "query time range is too large", FailureKind::kTooWide},
             Told{400, "limit must be positive number and not greater than 5000", FailureKind::kPageTooLarge,
                  5000},
             Told{400, "number of fields can't be more than 20", FailureKind::kTooManyFields, 20},
             Told{400, "unknown field \"coloCity\"", FailureKind::kQueryRefused},
             Told{400, "error parsing args for \"x\": unknown arg direction", FailureKind::kQueryRefused},
             Told{400, "scalar fields must have no selections", FailureKind::kQueryRefused},
             Told{400, "object field must have selections", FailureKind::kQueryRefused},
             Told{400, "Syntax Error GraphQL (1:2) Unexpected Name", FailureKind::kQueryRefused},
             Told{200, "query contains error: x", FailureKind::kQueryRefused},
             Told{401, "Unauthorized", FailureKind::kUnauthorized},
             Told{400, "Authentication error", FailureKind::kUnauthorized},
             Told{403, "Authentication error", FailureKind::kForbidden},
             Told{400, "Invalid API Token", FailureKind::kUnauthorized},
             Told{403, "not authorized for that account", FailureKind::kForbidden},
             Told{200, "zones [\"x\"] are not authorized", FailureKind::kForbidden},
             Told{200, "account does not have access to the path. Refer to this page",
                  FailureKind::kForbidden},
         }) {
        const QueryFailure failure = told(expected.status, expected.message);
        EXPECT_EQ(failure.kind, expected.kind) << expected.message << ": " << name(failure.kind);
        EXPECT_EQ(failure.limit, expected.limit) << expected.message;
    }
}

TEST(FailureTest, JudgesAnUnknownMessageByTheStatus) {
    EXPECT_EQ(told(200, "the moon is full").kind, FailureKind::kTransient);
    EXPECT_EQ(told(500, "the moon is full").kind, FailureKind::kTransient);
    EXPECT_EQ(told(408, "the moon is full").kind, FailureKind::kTransient);
    EXPECT_EQ(told(400, "the moon is full").kind, FailureKind::kQueryRefused);
    EXPECT_EQ(told(401, "").kind, FailureKind::kUnauthorized);
    EXPECT_EQ(told(403, "").kind, FailureKind::kForbidden);
    EXPECT_EQ(told(429, "").kind, FailureKind::kRateLimited);
}

TEST(FailureTest, TakesTheFirstErrorItKnowsOfSeveral) {
    AnswerContext context;
    context.status = 200;
    const QueryFailure failure = told_failure(
        context, {{"who knows", ""}, {"Unauthorized", ""}, {"Internal server error", ""}}, kToken);
    EXPECT_EQ(failure.kind, FailureKind::kUnauthorized);
    EXPECT_NE(failure.detail.find("Unauthorized"), std::string::npos);
}

TEST(FailureTest, KnowsTheBudgetByItsCodeWhateverTheMessage) {
    EXPECT_EQ(told(200, "something new", "budget").kind, FailureKind::kRateLimited);
}

TEST(FailureTest, TellsHowLongToWaitAsTheServerDoesAndFiveMinutesOnlyWhereItsMessageSaysSo) {
    AnswerContext context;
    context.status = 429;
    EXPECT_EQ(told_failure(context, {}, kToken).retry_after, std::nullopt);
    EXPECT_EQ(told_failure(context, {{"slow down", ""}}, kToken).retry_after, std::nullopt);
    EXPECT_EQ(told_failure(context, {{"rate limiter budget depleted, try again after 5 minutes", ""}}, kToken)
                  .retry_after,
              300s);
    EXPECT_EQ(unreadable_failure(context).kind, FailureKind::kRateLimited);
    EXPECT_EQ(unreadable_failure(context).retry_after, std::nullopt);
    context.retry_after = 17s;
    EXPECT_EQ(told_failure(context, {}, kToken).retry_after, 17s);
    context.status = 503;
    EXPECT_EQ(unreadable_failure(context).kind, FailureKind::kTransient);
    EXPECT_EQ(unreadable_failure(context).retry_after, 17s);
}

TEST(FailureTest, IgnoresLimitsThatNoNumberCanMean) {
    EXPECT_EQ(told(400, "cannot request data older than 99999999999999999999999s").limit, 0U);
    EXPECT_EQ(told(400, "cannot request data older than 9999999999999w").limit, 0U);
    EXPECT_EQ(told(400, "cannot request data older than that").limit, 0U);
    EXPECT_EQ(told(400, "cannot request data older than").limit, 0U);
}

TEST(FailureTest, DetailIsOneBoundedLineWithStatusMessageAndRay) {
    AnswerContext context;
    context.status = 400;
    context.ray = "8f1c2d3e4f5a6b7c-FRA";
    const QueryFailure failure = told_failure(
        context, {{"first line\nsecond \"line\"\x1b[31m" + std::string(5'000, 'x'), ""}}, kToken);
    EXPECT_TRUE(failure.detail.starts_with("status=400 message=\"first line\\nsecond \\\"line\\\""))
        << failure.detail;
    EXPECT_NE(failure.detail.find("ray=\"8f1c2d3e4f5a6b7c-FRA\""), std::string::npos) << failure.detail;
    EXPECT_LT(failure.detail.size(), 400U);
    for (const char c : failure.detail) EXPECT_GE(static_cast<unsigned char>(c), 0x20U);
}

// B34: a token must not reach a log, not even when the server sends it back.
TEST(FailureTest, NeverRepeatsATokenThatTheAnswerEchoes) {
    const QueryFailure failure =
        told(400, "Invalid header: Bearer " + kToken.reveal() + " and again " + kToken.reveal());
    EXPECT_EQ(failure.detail.find(kToken.reveal()), std::string::npos) << failure.detail;
    EXPECT_NE(failure.detail.find("Bearer *** and again ***"), std::string::npos) << failure.detail;
}

TEST(FailureTest, MapsWhatHappenedOnTheWay) {
    const auto kind = [](ErrorCode code) { return transport_failure({code, "x"}).kind; };
    EXPECT_EQ(kind(ErrorCode::kTimeout), FailureKind::kTimeout);
    EXPECT_EQ(kind(ErrorCode::kCancelled), FailureKind::kCancelled);
    EXPECT_EQ(kind(ErrorCode::kTooLarge), FailureKind::kTooWide);
    EXPECT_EQ(kind(ErrorCode::kBroken), FailureKind::kTransient);
    EXPECT_EQ(kind(ErrorCode::kUnreachable), FailureKind::kTransient);
    EXPECT_EQ(kind(ErrorCode::kTls), FailureKind::kTransient);
}

TEST(FailureTest, OnlyWhatAnOperatorMustCureIsPermanent) {
    for (const FailureKind kind : {FailureKind::kUnauthorized, FailureKind::kForbidden,
                                   FailureKind::kQueryRefused, FailureKind::kUnknownAccount}) {
        EXPECT_TRUE(permanent(kind)) << name(kind);
    }
    for (const FailureKind kind :
         {FailureKind::kTransient, FailureKind::kRateLimited, FailureKind::kNoData, FailureKind::kTooOld,
          FailureKind::kTooWide, FailureKind::kPageTooLarge, FailureKind::kTooManyFields,
          FailureKind::kTimeout, FailureKind::kCancelled}) {
        EXPECT_FALSE(permanent(kind)) << name(kind);
    }
}

}  // namespace
}  // namespace cam::cloudflare
