#include "app/event_fetcher.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include "fakes/app/cloudflare_site.h"

namespace cam::app {
namespace {

using namespace std::chrono_literals;
using cloudflare::FailureKind;
using simulator::BodyKind;
using simulator::Fault;
using simulator::Target;

/// A Cloudflare that does not answer in time what spans more than `widest`.
class SlowCloudflare final : public net::HttpClient {
public:
    SlowCloudflare(net::HttpClient& behind, FakeClock& clock) : behind_(behind), clock_(clock) {}
    Result<net::HttpResponse> perform(const net::HttpRequest& request) override {
        const nlohmann::json asked = nlohmann::json::parse(request.body)["variables"];
        const auto from = parse_time(asked.value("datetimeStart", ""));
        const auto to = parse_time(asked.value("datetimeEnd", ""));
        if (!from || !to || *to - *from <= widest) return behind_.perform(request);
        ++timeouts;
        clock_.advance(request.total);
        return Error{ErrorCode::kTimeout, "no complete answer within 30000 ms"};
    }

    std::chrono::seconds widest{0};
    int timeouts = 0;

private:
    net::HttpClient& behind_;
    FakeClock& clock_;
};

class EventFetcherTest : public testing::Test {
protected:
    struct Fetched {
        std::optional<cloudflare::QueryFailure> failure;
        std::map<std::string, int> events;  ///< by attack id, how often
        std::vector<WallTime> answered_to;
        std::vector<WallTime> truncated;
        std::uint64_t rows = 0;
        [[nodiscard]] std::optional<FailureKind> kind() const {
            return failure ? std::optional{failure->kind} : std::nullopt;
        }
    };
    Fetched fetch(const TimeWindow& span, std::chrono::milliseconds patience = 4min,
                  std::stop_token stop = {}) {
        Fetched fetched;
        fetched.failure = fetch(fetcher_, span, {site_.clock.steady() + patience, std::move(stop)}, fetched);
        return fetched;
    }
    static std::optional<cloudflare::QueryFailure> fetch(EventFetcher& fetcher, const TimeWindow& span,
                                                         const EventFetcher::Patience& patience,
                                                         Fetched& fetched) {
        return fetcher.fetch(span, patience, [&](EventFetcher::Piece&& piece) {
            for (const auto& event : piece.page.events) ++fetched.events[std::string(*event.attack_id)];
            fetched.answered_to.push_back(piece.answered_to);
            if (piece.truncated) fetched.truncated.push_back(*piece.truncated);
            fetched.rows += piece.page.rows;
            return EventFetcher::Go::kOn;
        });
    }
    [[nodiscard]] TimeWindow last(std::chrono::minutes length) const {
        return {site_.clock.wall() - length, site_.clock.wall()};
    }
    /// Adds an event with an attack id of its own.
    void add(WallTime at) {
        const int number = added_++;
        site_.world.add_event(
            CloudflareSite::event(at, {{"attackId", fmt::format("e-{}", number)}, {"sourcePort", number}}));
    }
    [[nodiscard]] std::size_t queries() const { return site_.world.requests(Target::kGraphql).size(); }
    [[nodiscard]] std::uint64_t counter(const char* name) { return site_.metrics.counter(name, "").value(); }
    /// The account's settings node fails, so only Cloudflare's refusals tell the limits.
    void hide_limits() { site_.world.add_fault(Fault::status(500).on(Target::kSettings)); }

    CloudflareSite site_;
    EventFetcher fetcher_{site_.fetcher_parts()};
    int added_ = 0;
};

TEST_F(EventFetcherTest, ObeysTheAccountsLimits) {
    site_.world.set_limits({.max_duration_seconds = 600,
                            .max_number_of_fields = 12,
                            .max_page_size = 100,
                            .not_older_than_seconds = 3'600});
    for (int minute = 0; minute < 50; ++minute)
        add(site_.clock.wall() - 50min + std::chrono::minutes{minute});
    add(site_.clock.wall() - 61min);
    const Fetched fetched = fetch(last(120min));
    EXPECT_EQ(fetched.failure, std::nullopt) << fetched.failure->detail;
    EXPECT_EQ(fetched.events.size(), 50U) << "all that the account still has";
    EXPECT_EQ(fetched.answered_to.size(), 6U);
    for (const auto& request : site_.world.requests(Target::kGraphql)) {
        EXPECT_EQ(request.status, 200) << request.error;
        EXPECT_EQ(request.limit, 100U);
    }
    EXPECT_EQ(fetcher_.retention(), 3'600s);
    EXPECT_EQ(
        site_.book.count("account limits page=100 duration_s=600 retention_s=3600 fields=12 enabled=true"),
        1U)
        << site_.book.text();
}

TEST_F(EventFetcherTest, AsksForTheLimitsOnceInSixHours) {
    for (int i = 0; i < 3; ++i) EXPECT_EQ(fetch(last(15min)).kind(), std::nullopt);
    EXPECT_EQ(site_.world.requests(Target::kSettings).size(), 1U);
    site_.clock.advance(6h);
    site_.world.set_now(site_.clock.wall());
    EXPECT_EQ(fetch(last(15min)).kind(), std::nullopt);
    EXPECT_EQ(site_.world.requests(Target::kSettings).size(), 2U);
}

TEST_F(EventFetcherTest, DoesWithoutLimitsThatCannotBeHad) {
    add(site_.clock.wall() - 1min);
    site_.world.add_fault(Fault::status(503).on(Target::kSettings).times(1));
    EXPECT_EQ(fetch(last(15min)).events.size(), 1U);
    EXPECT_EQ(site_.book.count("warning account limits unknown, using defaults kind=transient"), 1U);
    EXPECT_EQ(fetch(last(15min)).events.size(), 1U);
    EXPECT_EQ(site_.world.requests(Target::kSettings).size(), 2U) << "asked again at the next poll";
}

TEST_F(EventFetcherTest, SaysThatTheDatasetIsNotEnabledAndLooksAgain) {
    site_.world.set_limits({.enabled = false});
    EXPECT_EQ(fetch(last(15min)).kind(), FailureKind::kForbidden);
    EXPECT_EQ(queries(), 0U);
    site_.world.set_limits({});
    EXPECT_EQ(fetch(last(15min)).kind(), std::nullopt);
}

// B2, B3: an attack of more rows than a page was cut to the newest ones, and nobody was told.
TEST_F(EventFetcherTest, HalvesWindowsUntilEveryEventIsFoundExactlyOnce) {
    site_.world.set_limits({.max_page_size = 20});
    const TimeWindow span = last(15min);
    for (int i = 0; i < 300; ++i) add(span.from + std::chrono::seconds{i * 3});
    for (int i = 0; i < 19; ++i) add(span.from + 7min);  // a second just below the limit, with the one above
    for (int i = 0; i < 12; ++i) add(span.from + 7min + 1s);
    for (int i = 0; i < 5; ++i) add(span.to);  // behind the window's end
    const Fetched fetched = fetch(span);
    ASSERT_EQ(fetched.failure, std::nullopt) << fetched.failure->detail;
    EXPECT_EQ(fetched.events.size(), 300U + 19U + 12U);
    for (const auto& [id, times] : fetched.events) EXPECT_EQ(times, 1) << id;
    EXPECT_TRUE(std::is_sorted(fetched.answered_to.begin(), fetched.answered_to.end()));
    EXPECT_EQ(fetched.answered_to.back(), span.to);
    EXPECT_EQ(fetched.truncated.size(), 1U)
        << "twenty rows in one second: nobody knows whether there are more";
}

TEST_F(EventFetcherTest, TellsTheSecondThatOverflows) {
    site_.world.set_limits({.max_page_size = 20});
    const TimeWindow span = last(15min);
    for (int i = 0; i < 50; ++i) add(span.from + 7min);
    add(span.from + 7min + 1s);
    const Fetched fetched = fetch(span);
    ASSERT_EQ(fetched.failure, std::nullopt);
    EXPECT_EQ(fetched.truncated, std::vector<WallTime>{span.from + 7min});
    EXPECT_EQ(fetched.events.size(), 21U) << "what the answer held, and all behind it";
}

// --- what may pass ---

// B6: an error was an empty list.
TEST_F(EventFetcherTest, RepeatsWhatMaySucceed) {
    add(site_.clock.wall() - 1min);
    EXPECT_EQ(fetch(last(15min)).events.size(), 1U);
    const std::vector<Fault> faults{Fault::status(500),
                                    Fault::status(502, BodyKind::kHtml),
                                    Fault::status(503),
                                    Fault::status(504, BodyKind::kEmpty),
                                    Fault::reset(),
                                    Fault::hang_up(),
                                    Fault::cut_json(),
                                    Fault::cut_connection(),
                                    Fault::gzip_garbage(),
                                    Fault::data_null(),
                                    Fault::node_null(),
                                    Fault::node_missing(),
                                    Fault::graphql_errors("Internal server error"),
                                    Fault::graphql_errors("too many queries in progress"),
                                    Fault::body("<html>a captive portal</html>"),
                                    Fault::body("")};
    for (Fault fault : faults) {
        site_.world.forget();
        site_.world.set_faults({fault.on(Target::kGraphql).times(2)});
        const std::uint64_t before = counter("cam_cloudflare_retries_total");
        const std::size_t sleeps = site_.clock.sleeps().size();
        const Fetched fetched = fetch(last(15min));
        EXPECT_EQ(fetched.failure, std::nullopt) << fault.name() << ": " << fetched.failure->detail;
        EXPECT_EQ(fetched.events.size(), 1U) << fault.name();
        EXPECT_EQ(queries(), 3U) << fault.name();
        EXPECT_GE(counter("cam_cloudflare_retries_total"), before + 1) << fault.name();
        EXPECT_GT(site_.clock.sleeps().size(), sleeps) << fault.name() << ": repeated without a pause";
    }
}

TEST_F(EventFetcherTest, RepeatsAShortWindowThatWasNotAnsweredInTime) {
    EXPECT_EQ(fetch(last(1min)).kind(), std::nullopt);
    add(site_.clock.wall() - 30s);
    site_.world.forget();
    site_.http.hasty = 2;
    site_.world.add_fault(Fault::stall().on(Target::kGraphql).times(2));
    const std::size_t sleeps = site_.clock.sleeps().size();
    EXPECT_EQ(fetch(last(1min)).events.size(), 1U);
    EXPECT_EQ(queries(), 3U);
    EXPECT_GT(site_.clock.sleeps().size(), sleeps) << "repeated without a pause";
}

// A day to catch up that Cloudflare needs more than 30 s for would else fail at every poll, and with it the
// minutes of now.
TEST_F(EventFetcherTest, AsksForLessWhereCloudflareIsTooSlow) {
    SlowCloudflare slow(site_.http, site_.clock);
    slow.widest = 40min;
    cloudflare::AnalyticsClient client(
        slow, site_.clock,
        {site_.world.cloudflare_url(), site_.world.account_id(), Secret{site_.world.api_token()}});
    EventFetcher fetcher({client, site_.clock, site_.book.logger(), site_.metrics, site_.heartbeat});
    const TimeWindow day = last(24h);
    for (int hour = 0; hour < 24; ++hour) add(day.from + std::chrono::hours{hour});
    Fetched fetched;
    const auto failure = fetch(fetcher, day, {site_.clock.steady() + 4min, {}}, fetched);
    ASSERT_EQ(failure, std::nullopt) << failure->detail;
    EXPECT_EQ(fetched.events.size(), 24U);
    for (const auto& [id, times] : fetched.events) EXPECT_EQ(times, 1) << id;
    EXPECT_EQ(fetched.answered_to.back(), day.to);
    EXPECT_LE(slow.timeouts, 4) << "what was too slow once is not tried for every window";
    EXPECT_EQ(site_.book.count("warning cloudflare was too slow, asking for less window_s=86400"), 1U)
        << site_.book.text();

    slow.widest = 24h;
    for (int polls = 0; polls < 10; ++polls) fetch(fetcher, last(15min), {site_.clock.steady(), {}}, fetched);
    site_.world.forget();
    fetch(fetcher, last(24h), {site_.clock.steady(), {}}, fetched);
    EXPECT_LE(queries(), 2U) << "and does not stay careful for good";
}

TEST_F(EventFetcherTest, EndsItsPatienceAlsoWhereItAsksForLess) {
    SlowCloudflare slow(site_.http, site_.clock);
    cloudflare::AnalyticsClient client(
        slow, site_.clock,
        {site_.world.cloudflare_url(), site_.world.account_id(), Secret{site_.world.api_token()}});
    EventFetcher fetcher({client, site_.clock, site_.book.logger(), site_.metrics, site_.heartbeat});
    Fetched fetched;
    const auto failure = fetch(fetcher, last(24h), {site_.clock.steady() + 100s, {}}, fetched);
    ASSERT_NE(failure, std::nullopt);
    EXPECT_EQ(failure->kind, FailureKind::kTimeout);
    EXPECT_EQ(slow.timeouts, 4);
}

TEST_F(EventFetcherTest, TriesNarrowerWindowsWhereWideOnesHaveFailedForSeveralPolls) {
    site_.world.set_faults({Fault::status(503).on(Target::kGraphql)});
    const TimeWindow span = last(8h);
    for (int polls = 0; polls < 3; ++polls) EXPECT_EQ(fetch(span, 0ms).kind(), FailureKind::kTransient);
    site_.world.set_faults({});
    const Fetched fetched = fetch(span, 0ms);
    ASSERT_EQ(fetched.failure, std::nullopt) << fetched.failure->detail;
    EXPECT_EQ(fetched.answered_to, (std::vector<WallTime>{span.from + 2h, span.from + 6h, span.to}));
}

TEST_F(EventFetcherTest, EndsItsPatienceWithTheLastFailure) {
    site_.world.add_fault(Fault::status(503).on(Target::kGraphql));
    const SteadyTime begin = site_.clock.steady();
    EXPECT_EQ(fetch(last(15min), 60s).kind(), FailureKind::kTransient);
    EXPECT_LE(site_.clock.steady(), begin + 60s);
    EXPECT_GT(site_.clock.steady(), begin + 20s) << "it tried for a while";
    EXPECT_LT(queries(), 15U) << "not in a hurry";
    const std::size_t before = queries();
    EXPECT_EQ(fetch(last(15min), 0ms).kind(), FailureKind::kTransient);
    EXPECT_EQ(queries(), before + 1) << "the first attempt is always made";
}

// B6: 429 and Retry-After were not looked at.
TEST_F(EventFetcherTest, WaitsAsLongAsItIsTold) {
    add(site_.clock.wall() - 1min);
    site_.world.add_fault(Fault::status(429).with_header("Retry-After", "47").on(Target::kGraphql).times(1));
    EXPECT_EQ(fetch(last(15min)).events.size(), 1U);
    ASSERT_EQ(site_.http.asked.size(), 3U) << "limits, refused, answered";
    EXPECT_GE(site_.http.asked[2] - site_.http.asked[1], 47s);
    EXPECT_LE(site_.http.asked[2] - site_.http.asked[1], 60s);
    EXPECT_EQ(counter("cam_cloudflare_queries_total"), 3U);
    EXPECT_EQ(counter("cam_cloudflare_retries_total"), 1U);

    site_.world.add_fault(
        Fault::graphql_errors("rate limiter budget depleted, try again after 5 minutes", "budget")
            .on(Target::kGraphql)
            .times(1));
    EXPECT_EQ(fetch(last(15min), 10min).events.size(), 1U);
    EXPECT_GE(site_.http.asked[4] - site_.http.asked[3], 5min);

    site_.world.add_fault(
        Fault::graphql_errors("has exceeded its rate limit", "budget").on(Target::kGraphql).times(1));
    EXPECT_EQ(fetch(last(15min)).events.size(), 1U);
    EXPECT_GE(site_.http.asked[6] - site_.http.asked[5], 5s) << "where it is not told how long";
}

TEST_F(EventFetcherTest, AsksNothingWhileARateLimitHoldsThatIsLongerThanItsPatience) {
    add(site_.clock.wall() - 1min);
    site_.world.add_fault(Fault::status(429).with_header("Retry-After", "600").on(Target::kGraphql).times(1));
    const SteadyTime begin = site_.clock.steady();
    Fetched fetched = fetch(last(15min));
    ASSERT_EQ(fetched.kind(), FailureKind::kRateLimited);
    EXPECT_EQ(fetched.failure->retry_after, 600s);
    EXPECT_EQ(site_.clock.steady(), begin) << "no use in waiting";
    for (int poll = 0; poll < 2; ++poll) {
        fetched = fetch(last(15min), 1min);
        ASSERT_EQ(fetched.kind(), FailureKind::kRateLimited);
        EXPECT_NE(fetched.failure->detail.find("not asked"), std::string::npos) << fetched.failure->detail;
        EXPECT_EQ(queries(), 1U);
        site_.clock.advance(4min);
    }
    fetched = fetch(last(15min));  // two minutes are left, and this patience covers them
    EXPECT_EQ(fetched.kind(), std::nullopt);
    EXPECT_EQ(fetched.events.size(), 1U);
    EXPECT_GE(site_.http.asked.back() - begin, 600s);
}

TEST_F(EventFetcherTest, WaitsAlsoWhereTheLimitsQuestionWasTheOneTooMany) {
    add(site_.clock.wall() - 1min);
    site_.world.add_fault(Fault::status(429).with_header("Retry-After", "60").on(Target::kSettings).times(1));
    EXPECT_EQ(fetch(last(15min)).events.size(), 1U);
    ASSERT_GE(site_.http.asked.size(), 2U);
    EXPECT_GE(site_.http.asked[1] - site_.http.asked[0], 60s);
}

TEST_F(EventFetcherTest, KeepsItsOwnBudgetOfQueries) {
    site_.world.set_limits({.max_duration_seconds = 1});
    const SteadyTime begin = site_.clock.steady();
    const TimeWindow span{site_.clock.wall() - 400s, site_.clock.wall() - 100s};
    Fetched fetched = fetch(span, 1min);
    ASSERT_EQ(fetched.kind(), FailureKind::kRateLimited);
    EXPECT_EQ(site_.http.asked.size(), 250U);
    EXPECT_EQ(fetched.answered_to.size(), 249U) << "one was the question for the limits";
    EXPECT_EQ(site_.clock.steady(), begin);
    EXPECT_EQ(site_.metrics.gauge("cam_cloudflare_budget_left", "").value(), 0.0);

    fetched = fetch({fetched.answered_to.back(), span.to}, 10min);
    EXPECT_EQ(fetched.kind(), std::nullopt);
    EXPECT_EQ(fetched.answered_to.size(), 51U);
    EXPECT_EQ(site_.http.asked.size(), 301U);
    EXPECT_EQ(counter("cam_cloudflare_queries_total"), 301U);
    for (std::size_t i = 250; i < site_.http.asked.size(); ++i) {
        EXPECT_GE(site_.http.asked[i] - site_.http.asked[i - 250], 5min) << i;
    }
}

// --- what an operator must mend ---

TEST_F(EventFetcherTest, DoesNotRepeatWhatNoRepetitionCures) {
    EXPECT_EQ(fetch(last(15min)).kind(), std::nullopt);
    const std::vector<std::pair<Fault, FailureKind>> cases{
        {Fault::status(401), FailureKind::kUnauthorized},
        {Fault::status(401, BodyKind::kHtml), FailureKind::kUnauthorized},
        {Fault::status(403), FailureKind::kForbidden},
        {Fault::graphql_errors("does not have access to the path"), FailureKind::kForbidden},
        {Fault::graphql_errors("unknown field \"coloCity\""), FailureKind::kQueryRefused},
        {Fault::status(400).saying("Syntax Error GraphQL (1:1)"), FailureKind::kQueryRefused},
        {Fault::accounts_empty(), FailureKind::kUnknownAccount}};
    for (auto [fault, kind] : cases) {
        site_.world.forget();
        site_.world.set_faults({fault.on(Target::kGraphql)});
        const Fetched fetched = fetch(last(15min));
        EXPECT_EQ(fetched.kind(), kind) << fault.name();
        EXPECT_EQ(queries(), 1U) << fault.name();
        EXPECT_TRUE(fetched.answered_to.empty());
    }
    EXPECT_TRUE(site_.clock.sleeps().empty());
    EXPECT_EQ(counter("cam_cloudflare_retries_total"), 0U);
    site_.world.clear_faults();
    site_.world.configure_cloudflare([](auto& settings) { settings.account_ids = {"another"}; });
    EXPECT_EQ(fetch(last(15min)).kind(), FailureKind::kUnknownAccount);
    site_.world.configure_cloudflare([](auto& settings) { settings.api_token = "another"; });
    EXPECT_EQ(fetch(last(15min)).kind(), FailureKind::kUnauthorized);
}

// --- limits that only a refusal tells ---

TEST_F(EventFetcherTest, AdaptsToEveryLimitThatARefusalNames) {
    hide_limits();
    site_.world.set_limits({.max_duration_seconds = 600,
                            .max_number_of_fields = 10,
                            .max_page_size = 20,
                            .not_older_than_seconds = 3'600});
    for (int i = 0; i < 100; ++i) add(site_.clock.wall() - 50min + std::chrono::seconds{i * 20});
    add(site_.clock.wall() - 90min);
    const Fetched fetched = fetch(last(120min));
    ASSERT_EQ(fetched.failure, std::nullopt) << fetched.failure->detail;
    EXPECT_EQ(fetched.events.size(), 100U);
    EXPECT_TRUE(fetched.truncated.empty());
    EXPECT_EQ(fetcher_.retention(), 3'600s);
    std::size_t refused = 0;
    for (const auto& request : site_.world.requests(Target::kGraphql))
        refused += request.status == 400 ? 1 : 0;
    EXPECT_EQ(refused, 4U) << "each limit is learnt once";
    const std::size_t before = queries();
    EXPECT_EQ(fetch(last(5min)).kind(), std::nullopt);
    EXPECT_EQ(queries(), before + 1) << "and kept";
}

TEST_F(EventFetcherTest, AsksForLessWhereAQueryIsTooHeavy) {
    const TimeWindow span = last(15min);
    for (int i = 0; i < 15; ++i) add(span.from + std::chrono::minutes{i});
    site_.world.add_fault(
        Fault::graphql_errors("query consumed excessive resources").on(Target::kGraphql).times(2));
    const Fetched fetched = fetch(span);
    ASSERT_EQ(fetched.failure, std::nullopt) << fetched.failure->detail;
    EXPECT_EQ(fetched.events.size(), 15U);
    EXPECT_EQ(fetched.answered_to.size(), 3U) << "a quarter, a quarter, a half";
    EXPECT_TRUE(site_.clock.sleeps().empty());
}

TEST_F(EventFetcherTest, DoesNotGoOnForEverWithALimitThatMakesNoSense) {
    hide_limits();
    for (const char* message :
         {"cannot request data older than 7776000s", "cannot request data older than 0s",
          "limit must be positive number and not greater than 10000", "number of fields can't be more than 0",
          "query time range is too large"}) {
        site_.world.forget();
        site_.world.set_faults({Fault::graphql_errors(message).on(Target::kGraphql)});
        EXPECT_NE(fetch(last(1min), 30s).kind(), std::nullopt) << message;
        EXPECT_LT(queries(), 40U) << message;
        site_.clock.advance(5min);
    }
}

// --- pieces ---

TEST_F(EventFetcherTest, GivesWhatWasAnsweredBeforeAFailure) {
    site_.world.set_limits({.max_duration_seconds = 300});
    const TimeWindow span = last(15min);
    add(span.from);
    add(span.from + 14min);
    site_.world.add_fault(Fault::status(401).on(Target::kGraphql).skipping(2));
    const Fetched fetched = fetch(span);
    EXPECT_EQ(fetched.kind(), FailureKind::kUnauthorized);
    EXPECT_EQ(fetched.answered_to, (std::vector<WallTime>{span.from + 5min, span.from + 10min}));
    EXPECT_EQ(fetched.events.size(), 1U);
}

TEST_F(EventFetcherTest, StopsWhereItsTakerSaysSo) {
    site_.world.set_limits({.max_duration_seconds = 300});
    int pieces = 0;
    const auto failure =
        fetcher_.fetch(last(15min), {site_.clock.steady() + 1min, {}}, [&](EventFetcher::Piece&&) {
            ++pieces;
            return EventFetcher::Go::kStop;
        });
    EXPECT_EQ(failure, std::nullopt);
    EXPECT_EQ(pieces, 1);
    EXPECT_EQ(queries(), 1U);
}

TEST_F(EventFetcherTest, EndsWhenAskedToStop) {
    std::stop_source stop;
    stop.request_stop();
    EXPECT_EQ(fetch(last(15min), 4min, stop.get_token()).kind(), FailureKind::kCancelled);
    EXPECT_EQ(queries(), 0U);
    EXPECT_TRUE(site_.clock.sleeps().empty());
}

TEST_F(EventFetcherTest, BeatsWhileItWaits) {
    site_.world.add_fault(Fault::status(429).with_header("Retry-After", "200").on(Target::kGraphql).times(1));
    EXPECT_EQ(fetch(last(15min)).kind(), std::nullopt);
    for (const auto sleep : site_.clock.sleeps()) EXPECT_LE(sleep, 20s);
    EXPECT_FALSE(site_.heartbeat.silent(site_.clock.steady(), 20s));
}

// B29: windows followed the machine's clock, right or wrong.
TEST_F(EventFetcherTest, TellsCloudflaresTimeWhereTheMachinesClockIsWrong) {
    const auto date = [&](const char* text) {
        site_.world.set_faults({Fault::chunked().with_header("Date", text).on(Target::kGraphql)});
        EXPECT_EQ(fetch(last(15min)).kind(), std::nullopt);
    };
    EXPECT_EQ(fetcher_.now(), site_.clock.wall()) << "before any answer";
    date("Tue, 20 Jan 2026 09:00:04 GMT");
    EXPECT_EQ(fetcher_.skew(), 0ms) << "seconds are noise";
    date("Tue, 20 Jan 2026 10:00:00 GMT");
    EXPECT_EQ(fetcher_.skew(), 1h);
    EXPECT_EQ(fetcher_.now(), site_.clock.wall() + 1h);
    date("Tue, 20 Jan 2026 08:00:00 GMT");
    EXPECT_EQ(fetcher_.skew(), -(1h - 1s)) << "at least, for the header has whole seconds";
    date("Tue, 20 Jan 2026 09:00:00 GMT");
    EXPECT_EQ(fetcher_.skew(), 0ms);
    date("yesterday");
    EXPECT_EQ(fetcher_.skew(), 0ms);
}

}  // namespace
}  // namespace cam::app
