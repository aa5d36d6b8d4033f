#include "app/poller.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include "fakes/app/cloudflare_site.h"
#include "fakes/app/plain_sqlite.h"
#include "fakes/base/temp_folder.h"

namespace cam::app {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using simulator::Fault;
using simulator::Target;
using Outcome = PollReport::Outcome;

/// What one process has of its own; a second one on the same files is a restart.
struct Process {
    struct Make {
        CloudflareSite& site;
        const TempFolder& folder;
        Poller::Options options;
        enrich::GeoDatabases::Options geo;
        std::function<void()> before_first_claim{};
        std::function<void()> queued{};
    };
    explicit Process(Make make)
        : conditions(make.site.clock, make.site.book.logger(),
                     {.organization = "TEST SOC", .geoip = std::nullopt}),
          fetcher(make.site.fetcher_parts()),
          store(open(make.folder)),
          geo(std::move(make.geo)),
          poller({.fetcher = fetcher,
                  .store = *store,
                  .geo = geo,
                  .preferences = PreferenceFile(make.folder.file("dashboard_prefs.json")),
                  .conditions = conditions,
                  .clock = make.site.clock,
                  .log = make.site.book.logger(),
                  .metrics = make.site.metrics,
                  .before_first_claim = std::move(make.before_first_claim),
                  .queued = std::move(make.queued)},
                 std::move(make.options)) {}
    static std::unique_ptr<store::SqliteStore> open(const TempFolder& folder) {
        auto opened = store::SqliteStore::open({.path = folder.file("magic_transit.db"),
                                                .access = store::Access::kReadWrite,
                                                .busy = std::chrono::milliseconds{50}});
        EXPECT_TRUE(opened) << (opened ? "" : opened.error().detail);
        return std::move(opened).value();
    }

    Conditions conditions;
    EventFetcher fetcher;
    std::unique_ptr<store::SqliteStore> store;
    enrich::GeoDatabases geo;
    Poller poller;
};

class PollerTest : public testing::Test {
protected:
    void SetUp() override {
        prefer(R"({"my_prefixes_only": true})");
        options_.filter.mine = {*Prefix::parse("185.54.80.0/22"), *Prefix::parse("2a02:4460::/32")};
        options_.filter.cloudflare_anycast = {*Prefix::parse("162.159.0.0/16")};
        options_.compose = {.organization = "TEST SOC", .aggregate_above = 3};
        options_.patience = 0ms;  // one attempt, unless a test wants more
    }
    void prefer(const std::string& text) const { folder_.write("dashboard_prefs.json", text); }
    /// A new process on the same files.
    void restart() {
        process_.reset();
        process_ = std::make_unique<Process>(
            Process::Make{site_, folder_, options_, geo_, before_first_claim_, queued_});
    }
    Process& process() {
        if (!process_) restart();
        return *process_;
    }
    PollReport poll(std::stop_token stop = {}) {
        Process& running = process();
        site_.world.set_now(true_time());
        return running.poller.poll(std::move(stop));
    }
    /// The time at Cloudflare: what our steady clock says, whatever was done to the wall clock.
    [[nodiscard]] WallTime true_time() const {
        return FakeClock::kStart + (site_.clock.steady() - steady_start_);
    }
    /// An event of now, by true time.
    void add(const json& changes = json::object()) { add_at(true_time() - 10s, changes); }
    void add_at(WallTime at, const json& changes = json::object()) {
        site_.world.add_event(CloudflareSite::event(at, changes));
    }
    [[nodiscard]] std::optional<WallTime> claimed_to() { return *process().store->claimed_to(); }
    /// The messages that wait in the outbox, oldest first; they are taken out.
    std::vector<std::string> told(std::optional<MessageKind> kind = std::nullopt) {
        std::vector<std::string> texts;
        store::SqliteStore& store = *process().store;
        while (true) {
            const auto next = store.next_message();
            EXPECT_TRUE(next) << next.error().detail;
            if (!next || !*next) return texts;
            if (!kind || (*next)->message.kind == *kind) texts.push_back((*next)->message.text);
            EXPECT_TRUE(store.mark_delivered((*next)->id, site_.clock.wall(), 1));
        }
    }
    [[nodiscard]] std::uint64_t polls(const char* outcome) {
        return site_.metrics.counter("cam_polls_total", "", {{"outcome", outcome}}).value();
    }
    [[nodiscard]] std::uint64_t events(const char* result) {
        return site_.metrics.counter("cam_events_total", "", {{"result", result}}).value();
    }
    static bool has(const std::string& text, std::string_view part) {
        return text.find(part) != std::string::npos;
    }
    [[nodiscard]] std::string database() const { return folder_.file("magic_transit.db"); }

    TempFolder folder_;
    CloudflareSite site_;
    const SteadyTime steady_start_ = site_.clock.steady();
    Poller::Options options_;
    enrich::GeoDatabases::Options geo_{.city = {CAM_TEST_DATA "/geoip/GeoIP2-City.mmdb"},
                                       .asn = {CAM_TEST_DATA "/geoip/GeoLite2-ASN.mmdb"},
                                       .scratch_folder = folder_.path()};
    std::function<void()> before_first_claim_;
    std::function<void()> queued_;
    std::unique_ptr<Process> process_;
};

// --- windows and progress ---

TEST_F(PollerTest, BeginsWithTheLookbackWindow) {
    add_at(true_time() - 15min);
    add_at(true_time() - 16min, {{"attackId", "too old"}});
    const PollReport report = poll();
    EXPECT_EQ(report.outcome, Outcome::kDone);
    EXPECT_EQ(report.span, (TimeWindow{true_time() - 15min, true_time()}));
    EXPECT_EQ(report.fresh, 1U);
    EXPECT_EQ(claimed_to(), true_time());
    EXPECT_EQ(polls("done"), 1U);
    EXPECT_EQ(events("claimed"), 1U);
    EXPECT_EQ(site_.book.count("catching up"), 0U);
}

// B1, B4: an event and its message are written down together, on a database that did not exist before.
TEST_F(PollerTest, TellsAnEventOnceWithAllThatIsKnownOfIt) {
    add();
    EXPECT_EQ(poll().queued, 1U);
    const std::vector<std::string> texts = told();
    ASSERT_EQ(texts.size(), 1U);
    EXPECT_TRUE(has(texts[0], "attack-1")) << texts[0];
    EXPECT_TRUE(has(texts[0], "Pābna, Bangladesh (BD)")) << texts[0];
    EXPECT_TRUE(has(texts[0], "AS137959 - Vision Technologies Ltd.")) << texts[0];
    EXPECT_TRUE(has(texts[0], "_GeoIP: Commercial_")) << texts[0];
    site_.clock.advance(5min);
    const PollReport again = poll();
    EXPECT_EQ(again.fresh, 0U);
    EXPECT_EQ(again.duplicates, 1U) << "the lookback window shows it again";
    EXPECT_TRUE(told().empty());
    restart();
    EXPECT_EQ(poll().duplicates, 1U);
    EXPECT_TRUE(told().empty());
    EXPECT_EQ(events("duplicate"), 2U);
}

// B5: downtime longer than the lookback lost events for good.
TEST_F(PollerTest, GoesOnAfterAnOutageWhereItStopped) {
    poll();
    const WallTime stopped = *claimed_to();
    for (int hour = 0; hour < 5; ++hour) {
        site_.clock.advance(1h);
        add({{"attackId", fmt::format("hour-{}", hour)}});
    }
    restart();
    const PollReport report = poll();
    EXPECT_EQ(report.span.from, stopped - 10min) << "with the overlap that late rows need";
    EXPECT_EQ(report.span.to, true_time());
    EXPECT_EQ(report.fresh, 5U);
    EXPECT_EQ(site_.book.count(
                  "info catching up gap=\"5 h\" claimed_to=2026-01-20T09:00:00Z from=2026-01-20T08:50:00Z"),
              1U)
        << site_.book.text();
    site_.clock.advance(5min);
    poll();
    EXPECT_EQ(site_.book.count("catching up"), 1U) << "a gap is reported once";
}

TEST_F(PollerTest, FindsARowThatAppearsLate) {
    poll();
    add_at(true_time() - 2min, {{"attackId", "late"}});
    site_.clock.advance(5min);
    EXPECT_EQ(poll().fresh, 1U);
}

TEST_F(PollerTest, CatchesUpNoFurtherThanItMay) {
    struct Case {
        std::chrono::hours catch_up;
        std::chrono::minutes from;  ///< before now
        const char* not_covered;
    };
    for (const Case& one : {Case{24h, 24h, "not_covered=\"6 h\""}, Case{0h, 15min, "not_covered=\"1 d 5 h\""},
                            Case{2'160h, 30h + 10min, "not_covered=\"0 s\""}}) {
        options_.catch_up = one.catch_up;
        restart();
        poll();
        site_.clock.advance(30h);
        site_.book.forget();
        EXPECT_EQ(poll().span.from, true_time() - one.from) << one.catch_up.count() << " h";
        EXPECT_EQ(site_.book.count(one.not_covered), 1U) << site_.book.text();
    }
}

TEST_F(PollerTest, AsksNotBeyondWhatTheAccountKeeps) {
    site_.world.set_limits({.not_older_than_seconds = 7'200});
    poll();
    site_.clock.advance(30h);
    const PollReport report = poll();
    EXPECT_EQ(report.outcome, Outcome::kDone) << report.why;
    EXPECT_EQ(report.span.from, true_time() - 2h);
    EXPECT_EQ(site_.book.count("not_covered=\"1 d 4 h\""), 1U) << site_.book.text();
    EXPECT_EQ(site_.world.requests(Target::kGraphql).back().status, 200);
}

// B6: an error was an empty list and the poll a success.
TEST_F(PollerTest, MakesNoProgressWithAPollThatFailed) {
    poll();
    const auto before = claimed_to();
    for (int i = 0; i < 5; ++i) {
        site_.clock.advance(5min);
        add({{"attackId", fmt::format("during-{}", i)}});
        site_.world.set_faults({Fault::status(503).on(Target::kGraphql)});
        const PollReport report = poll();
        EXPECT_EQ(report.outcome, Outcome::kFailed);
        EXPECT_TRUE(has(report.why, "503")) << report.why;
        EXPECT_EQ(claimed_to(), before);
    }
    EXPECT_EQ(polls("failed"), 5U);
    site_.world.clear_faults();
    EXPECT_EQ(poll().fresh, 5U) << "nothing is lost";
}

TEST_F(PollerTest, KeepsWhatWasAnsweredBeforeAFailure) {
    site_.world.set_limits({.max_duration_seconds = 300});
    const WallTime from = true_time() - 15min;
    for (int i = 0; i < 3; ++i) {
        add_at(from + std::chrono::minutes{i * 5 + 1}, {{"attackId", fmt::format("third-{}", i)}});
    }
    site_.world.add_fault(Fault::status(503).on(Target::kGraphql).skipping(2).times(1));
    const PollReport report = poll();
    EXPECT_EQ(report.outcome, Outcome::kFailed);
    EXPECT_EQ(report.fresh, 2U);
    EXPECT_EQ(claimed_to(), from + 10min);
    EXPECT_EQ(told().size(), 2U) << "what is known is told";
    EXPECT_EQ(poll().fresh, 1U);
    EXPECT_EQ(claimed_to(), true_time());
}

TEST_F(PollerTest, RepeatsWithinOnePollWhatMayPass) {
    options_.patience = 4min;
    add();
    site_.world.add_fault(Fault::status(503).on(Target::kGraphql).times(3));
    const PollReport report = poll();
    EXPECT_EQ(report.outcome, Outcome::kDone) << report.why;
    EXPECT_EQ(report.fresh, 1U);
    EXPECT_EQ(site_.metrics.counter("cam_cloudflare_retries_total", "").value(), 3U);
}

TEST_F(PollerTest, SaysThatItWasCancelled) {
    std::stop_source stop;
    stop.request_stop();
    EXPECT_EQ(poll(stop.get_token()).outcome, Outcome::kCancelled);
    EXPECT_EQ(polls("cancelled"), 1U);
    EXPECT_EQ(claimed_to(), std::nullopt);
    EXPECT_TRUE(told().empty()) << "nothing is wrong";
}

// --- clocks ---

// B29: the local clock was believed, right or wrong.
TEST_F(PollerTest, MissesAndRepeatsNothingWhenTheWallClockIsTurned) {
    std::uint64_t fresh = 0;
    int added = 0;
    const auto five_minutes = [&](std::chrono::milliseconds turn) {
        for (int i = 0; i < 5; ++i) {
            site_.clock.advance(1min);
            add({{"attackId", fmt::format("e-{}", added++)}});
        }
        site_.clock.turn_wall(turn);
        const PollReport report = poll();
        EXPECT_EQ(report.outcome, Outcome::kDone) << report.why;
        fresh += report.fresh;
    };
    for (const std::chrono::milliseconds turn :
         {0ms, 0ms, std::chrono::milliseconds{-1h}, 0ms, std::chrono::milliseconds{1h}, 0ms,
          std::chrono::milliseconds{1h}, 0ms, std::chrono::milliseconds{-1h}, 0ms,
          std::chrono::milliseconds{-10min}, 0ms, std::chrono::milliseconds{10min}, 0ms}) {
        five_minutes(turn);
    }
    EXPECT_EQ(fresh, static_cast<std::uint64_t>(added));
    EXPECT_EQ(told().size(), static_cast<std::size_t>(added)) << "each event once";
}

TEST_F(PollerTest, CatchesUpInFullWhereTheStoredProgressLiesInTheFuture) {
    ASSERT_TRUE(process().store->claim({}, true_time() + 72h, true_time(), nullptr));
    add_at(true_time() - 20h);
    const PollReport report = poll();
    EXPECT_EQ(report.span.from, true_time() - 24h);
    EXPECT_EQ(report.fresh, 1U);
    EXPECT_EQ(claimed_to(), true_time()) << "and lies there no more";
    EXPECT_EQ(site_.book.count("warning stored progress lies in the future"), 1U) << site_.book.text();
    site_.clock.advance(5min);
    EXPECT_EQ(poll().span.from, true_time() - 15min);
}

TEST_F(PollerTest, FollowsCloudflaresClockWhereOursIsWrong) {
    const auto tell_date = [&] {
        const auto second = std::chrono::floor<std::chrono::seconds>(true_time());
        const std::string text = rfc3339(second);  // 2026-01-20T09:05:00Z
        site_.world.set_faults(
            {Fault::chunked()
                 .on(Target::kGraphql)
                 .with_header("Date", fmt::format("Tue, 20 Jan 2026 {} GMT", text.substr(11, 8)))});
    };
    site_.clock.turn_wall(-1h);
    add();
    tell_date();
    PollReport report = poll();
    EXPECT_EQ(report.outcome, Outcome::kDone) << report.why;
    EXPECT_EQ(report.span, (TimeWindow{true_time() - 15min, true_time()}));
    EXPECT_EQ(report.fresh, 1U);
    EXPECT_EQ(report.rows, 1U) << "the window that our clock meant does not count";
    EXPECT_EQ(claimed_to(), true_time());
    EXPECT_TRUE(process().conditions.wrong(Condition::kClock));
    std::vector<std::string> status = told(MessageKind::kStatus);
    ASSERT_EQ(status.size(), 1U);
    EXPECT_TRUE(has(status[0], "This machine's clock is wrong")) << status[0];
    EXPECT_TRUE(has(status[0], "1 h behind Cloudflare's")) << status[0];

    // The header has whole seconds, so the difference seems to change a little at each poll.
    for (const auto pause :
         {std::chrono::milliseconds{5min} + 300ms, std::chrono::milliseconds{5min} + 400ms}) {
        site_.clock.advance(pause);
        tell_date();
        const std::size_t before = site_.world.requests(Target::kGraphql).size();
        report = poll();
        EXPECT_EQ(report.outcome, Outcome::kDone) << report.why;
        EXPECT_EQ(site_.world.requests(Target::kGraphql).size(), before + 1)
            << "known by now: one question suffices";
        EXPECT_TRUE(told(MessageKind::kStatus).empty());
    }

    site_.clock.turn_wall(1h);
    site_.clock.advance(5min - 700ms);
    tell_date();
    EXPECT_EQ(poll().outcome, Outcome::kDone);
    status = told(MessageKind::kStatus);
    ASSERT_EQ(status.size(), 1U);
    EXPECT_TRUE(has(status[0], "clock is right again")) << status[0];
}

// --- what is told ---

// B27: the preference file was read for every event and its errors were swallowed.
TEST_F(PollerTest, ReadsThePreferencesAtEachPollAndWarnsOnce) {
    const auto poll_anycast = [&](const char* id) {
        site_.clock.advance(5min);
        add({{"attackId", id}, {"ipDestinationAddress", "162.159.1.1"}});
        return poll();
    };
    EXPECT_EQ(poll_anycast("a").foreign, 1U);
    prefer(R"({"my_prefixes_only": false})");
    EXPECT_EQ(poll_anycast("b").fresh, 2U) << "also the one before: it is still in the window";
    std::filesystem::remove(folder_.file("dashboard_prefs.json"));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(poll_anycast(fmt::format("c{}", i).c_str()).fresh, 0U);
    EXPECT_EQ(site_.book.count("warning condition raised condition=preferences state=missing"), 1U)
        << site_.book.text();
    prefer("{ broken");
    for (int i = 0; i < 3; ++i) EXPECT_EQ(poll_anycast(fmt::format("d{}", i).c_str()).fresh, 0U);
    EXPECT_EQ(site_.book.count("warning condition raised condition=preferences"), 2U) << site_.book.text();
    EXPECT_EQ(site_.book.count("state=unreadable"), 1U);
    prefer(R"({"my_prefixes_only": false})");
    EXPECT_GE(poll_anycast("e").fresh, 1U);
    EXPECT_EQ(site_.book.count("condition cleared condition=preferences"), 1U);
    EXPECT_TRUE(told(MessageKind::kStatus).empty()) << "the log is enough";
}

// B8: a row without a packet count stopped the whole batch.
TEST_F(PollerTest, TellsFromMinPacketsOnAndWhatHasNoCount) {
    options_.filter.min_packets = 10;
    add({{"attackId", "small"}, {"packets", 9}});
    add({{"attackId", "large"}, {"packets", 10}});
    add({{"attackId", "null"}, {"packets", nullptr}});
    add({{"attackId", "missing"}, {"missing", {"packets", "bits"}}});
    add({{"attackId", "foreign"}, {"ipDestinationAddress", "192.0.2.1"}});
    add({{"attackId", "odd"}, {"ipDestinationAddress", "?"}});
    const PollReport report = poll();
    EXPECT_EQ(report.fresh, 3U);
    EXPECT_EQ(report.below_threshold, 1U);
    EXPECT_EQ(report.foreign, 2U);
    EXPECT_EQ(events("claimed"), 3U);
    EXPECT_EQ(events("below_threshold"), 1U);
    EXPECT_EQ(events("filtered"), 2U);
    EXPECT_EQ(told().size(), 3U);
}

TEST_F(PollerTest, AggregatesAnAttackWithMoreEventsThanTheLimit) {
    struct Case {
        std::uint64_t above;
        int events;
        std::size_t messages;
    };
    for (const Case& one :
         {Case{3, 3, 3}, Case{3, 4, 1}, Case{0, 1, 1}, Case{0, 2, 1}, Case{1, 1, 1}, Case{1, 2, 1}}) {
        options_.compose.aggregate_above = one.above;
        restart();
        site_.clock.advance(1h);
        for (int i = 0; i < one.events; ++i) {
            add_at(true_time() - std::chrono::seconds{i + 1},
                   {{"attackId", fmt::format("a-{}", site_.clock.wall().time_since_epoch().count())}});
        }
        EXPECT_EQ(poll().queued, one.messages) << one.above << " " << one.events;
        std::size_t aggregated = one.events > static_cast<int>(one.above) ? 1 : 0;
        EXPECT_EQ(told(MessageKind::kAttack).size(), aggregated) << one.above << " " << one.events;
    }
}

// B8: "" grouped all attacks that have no id into one.
TEST_F(PollerTest, KeepsAttacksWithoutAnIdApart) {
    for (int i = 0; i < 4; ++i) {
        add_at(true_time() - std::chrono::seconds{i + 1}, {{"attackId", ""}});
        add_at(true_time() - std::chrono::seconds{i + 1},
               {{"attackId", nullptr}, {"ipDestinationAddress", "185.54.80.9"}});
    }
    add({{"attackId", ""}, {"attackVector", "UDP Flood"}});
    const PollReport report = poll();
    EXPECT_EQ(report.fresh, 9U);
    EXPECT_EQ(report.queued, 3U) << "two targets, and another vector";
    EXPECT_EQ(told(MessageKind::kAttack).size(), 2U);
}

// B7: rows that differ in what the identity leaves out collapsed, and all but one were lost.
TEST_F(PollerTest, AddsUpRowsOfOneIdentity) {
    for (const int port : {1'000, 2'000, 3'000}) add({{"sourcePort", port}});
    const PollReport report = poll();
    EXPECT_EQ(report.rows, 3U);
    EXPECT_EQ(report.merged, 2U);
    EXPECT_EQ(report.fresh, 1U);
    EXPECT_EQ(events("merged"), 2U);
    const std::vector<std::string> texts = told();
    ASSERT_EQ(texts.size(), 1U);
    EXPECT_TRUE(has(texts[0], "4,500")) << texts[0];
}

TEST_F(PollerTest, DoesNotRepeatWhatThePythonMonitorHasTold) {
    const WallTime at = true_time() - 1min;
    const std::string hash =
        hex(event_hash(rfc3339(at), "attack-1", "103.118.76.198", "185.54.82.4", "0")).substr(0, 32);
    process();
    PlainSqlite(database())
        .run(fmt::format(
            "INSERT INTO network_analytics_events (event_hash, attack_id) VALUES ('{}', 'attack-1')", hash));
    add_at(at);
    add_at(at, {{"attackId", "attack-2"}});
    const PollReport report = poll();
    EXPECT_EQ(report.duplicates, 1U);
    EXPECT_EQ(report.fresh, 1U);
    EXPECT_EQ(told().size(), 1U);
}

// B9: the own outgoing traffic counted as attack.
TEST_F(PollerTest, LeavesOutWhatLeftOurNetwork) {
    add({{"direction", "egress"}});
    const PollReport report = poll();
    EXPECT_EQ(report.rows, 1U);
    EXPECT_EQ(report.outgoing, 1U);
    EXPECT_EQ(report.fresh, 0U);
    EXPECT_EQ(events("outgoing"), 1U);
}

// B2: an attack of more rows than the page was cut silently.
TEST_F(PollerTest, TellsOnceThatAnAnswerWasCut) {
    site_.world.set_limits({.max_page_size = 10});
    for (int i = 0; i < 30; ++i) add({{"destinationPort", i}});
    PollReport report = poll();
    EXPECT_EQ(report.outcome, Outcome::kDone);
    EXPECT_EQ(report.truncated, std::vector<WallTime>{true_time() - 10s});
    EXPECT_EQ(report.fresh, 10U);
    std::vector<std::string> status = told(MessageKind::kStatus);
    ASSERT_EQ(status.size(), 1U);
    EXPECT_TRUE(has(status[0], "Cloudflare's answer was cut")) << status[0];
    for (int polls_more = 0; polls_more < 2; ++polls_more) {
        site_.clock.advance(5min);
        EXPECT_EQ(poll().truncated.size(), 1U) << "still in the window";
    }
    EXPECT_TRUE(told(MessageKind::kStatus).empty());
    EXPECT_EQ(site_.metrics.counter("cam_polls_truncated_seconds_total", "").value(), 3U);
    site_.clock.advance(5min);
    EXPECT_TRUE(poll().truncated.empty()) << "out of the window";
    status = told(MessageKind::kStatus);
    ASSERT_EQ(status.size(), 1U);
    EXPECT_TRUE(has(status[0], "whole again")) << status[0];
}

TEST_F(PollerTest, ClaimsALongAttackInParts) {
    options_.max_claim = 10;
    site_.world.set_limits({.max_duration_seconds = 60});
    int wakeups = 0;
    int firsts = 0;
    queued_ = [&] { ++wakeups; };
    before_first_claim_ = [&] { ++firsts; };
    for (int i = 0; i < 45; ++i) add_at(true_time() - 10min + std::chrono::seconds{i * 10});
    const PollReport report = poll();
    EXPECT_EQ(report.outcome, Outcome::kDone) << report.why;
    EXPECT_EQ(report.fresh, 45U);
    EXPECT_EQ(report.queued, 4U);
    EXPECT_EQ(wakeups, 4);
    EXPECT_EQ(firsts, 1);
    site_.clock.advance(5min);
    poll();
    EXPECT_EQ(firsts, 1) << "the startup report goes once before the first claim";
    EXPECT_EQ(wakeups, 4) << "nothing was queued";
}

// --- what is wrong ---

TEST_F(PollerTest, LogsEachKindOfFailureInItsOwnWordsAndPeaceInOthers) {
    poll();
    site_.world.set_faults({Fault::status(503).on(Target::kGraphql)});
    poll();
    site_.world.set_faults({Fault::accounts_empty().on(Target::kGraphql)});
    poll();
    site_.world.set_faults({Fault::data_null().on(Target::kGraphql)});
    poll();
    site_.world.set_faults({Fault::node_missing().on(Target::kGraphql)});
    poll();
    EXPECT_EQ(site_.book.count("info poll completed: no mitigation events"), 1U) << site_.book.text();
    EXPECT_EQ(site_.book.count("error poll failed: cloudflare query failed kind=transient"), 1U);
    EXPECT_EQ(site_.book.count("error poll failed: cloudflare does not know the account"), 1U);
    EXPECT_EQ(site_.book.count("error poll failed: cloudflare answered without data"), 2U);
    EXPECT_EQ(polls("failed"), 4U);
    EXPECT_EQ(polls("done"), 1U);
    EXPECT_EQ(site_.book.text().find(site_.world.api_token()), std::string::npos);
}

// B6: 401 and 403 alerted nobody.
TEST_F(PollerTest, TellsARefusedTokenOnceOverPollsAndRestarts) {
    poll();
    site_.world.set_faults({Fault::status(401)});
    for (int i = 0; i < 3; ++i) {
        site_.clock.advance(5min);
        EXPECT_EQ(poll().outcome, Outcome::kFailed);
    }
    std::vector<std::string> texts = told();
    ASSERT_EQ(texts.size(), 1U);
    EXPECT_TRUE(has(texts[0], "Cloudflare refuses the query (unauthorized)")) << texts[0];
    EXPECT_TRUE(has(texts[0], "This is not peace")) << texts[0];
    EXPECT_FALSE(has(texts[0], site_.world.api_token()));
    restart();
    site_.clock.advance(5min);
    poll();
    EXPECT_TRUE(told().empty()) << "a restart is no news";
    site_.world.set_faults({Fault::status(403)});
    poll();
    EXPECT_EQ(told().size(), 1U) << "another refusal is";
    site_.world.clear_faults();
    restart();
    for (int i = 0; i < 2; ++i) {
        site_.clock.advance(5min);
        poll();
    }
    texts = told();
    ASSERT_EQ(texts.size(), 1U);
    EXPECT_TRUE(has(texts[0], "Cloudflare answers again. What happened meanwhile is caught up")) << texts[0];
}

TEST_F(PollerTest, TellsAPassingOutageOnceAndOnlyAfterAQuarterOfAnHour) {
    poll();
    const std::vector<Fault> faces{
        Fault::status(503).on(Target::kGraphql), Fault::data_null().on(Target::kGraphql),
        Fault::hang_up().on(Target::kGraphql),   Fault::status(500).on(Target::kGraphql),
        Fault::status(504).on(Target::kGraphql), Fault::cut_json().on(Target::kGraphql)};
    for (std::size_t i = 0; i < faces.size(); ++i) {
        site_.clock.advance(5min);
        site_.world.set_faults({faces[i]});
        poll();
        EXPECT_EQ(told().size(), i == 3 ? 1U : 0U) << "fails for " << 5 * i << " minutes";
    }
    EXPECT_TRUE(process().conditions.wrong(Condition::kCloudflare));
    site_.clock.advance(30h);
    site_.world.clear_faults();
    poll();
    const std::vector<std::string> texts = told();
    ASSERT_EQ(texts.size(), 1U);
    EXPECT_TRUE(has(texts[0], "Not asked any more: 20/01/2026 09:00:00 UTC to 20/01/2026 15:30:00 UTC"))
        << texts[0];
}

TEST_F(PollerTest, SaysNothingOfAShortOutage) {
    poll();
    for (int i = 0; i < 2; ++i) {
        site_.clock.advance(5min);
        site_.world.set_faults({Fault::status(503).on(Target::kGraphql)});
        poll();
        site_.clock.advance(5min);
        site_.world.clear_faults();
        poll();
    }
    EXPECT_TRUE(told().empty());
}

// B26: no busy handling; and where the database takes nothing, the SOC hears of it all the same.
TEST_F(PollerTest, TellsPastADatabaseThatCannotBeWritten) {
    process();
    PlainSqlite other(database());
    add();
    other.run("BEGIN IMMEDIATE");
    for (int i = 0; i < 3; ++i) {
        const PollReport report = poll();
        EXPECT_EQ(report.outcome, Outcome::kFailed);
        EXPECT_TRUE(has(report.why, "database: ")) << report.why;
        EXPECT_EQ(report.fresh, 0U);
    }
    std::deque<UnqueuedMessage> past = process().conditions.take_unqueued();
    ASSERT_EQ(past.size(), 1U) << "once";
    EXPECT_TRUE(has(past[0].message.text, "Database cannot be written")) << past[0].message.text;
    EXPECT_EQ(polls("failed"), 3U);
    EXPECT_EQ(events("claimed"), 0U);

    other.run("ROLLBACK");
    const PollReport report = poll();
    EXPECT_EQ(report.outcome, Outcome::kDone);
    EXPECT_EQ(report.fresh, 1U) << "nothing is lost";
    const std::vector<std::string> status = told(MessageKind::kStatus);
    ASSERT_EQ(status.size(), 1U);
    EXPECT_TRUE(has(status[0], "Database is written again")) << status[0];
}

TEST_F(PollerTest, AsksForAllThatMayBeMissingWhereTheProgressIsUnreadable) {
    poll();
    const WallTime before = true_time();
    PlainSqlite(database()).run("UPDATE monitor_state SET value = 'garbage' WHERE key = 'claimed_to'");
    site_.clock.advance(3h);
    restart();
    add();
    const PollReport report = poll();
    EXPECT_EQ(report.outcome, Outcome::kDone);
    EXPECT_EQ(report.fresh, 1U);
    EXPECT_LE(report.span.from, before - 20h) << "catch_up_hours, not the lookback";
    EXPECT_EQ(claimed_to(), true_time()) << "good progress is written with the claim";
    EXPECT_EQ(site_.book.count("warning condition raised condition=progress"), 1U) << site_.book.text();
    poll();
    EXPECT_EQ(site_.book.count("info condition cleared condition=progress"), 1U) << site_.book.text();
    EXPECT_TRUE(told(MessageKind::kStatus).empty()) << "nobody must act";
}

// A table that is damaged itself is another thing.
TEST_F(PollerTest, FailsWhereTheDatabaseCannotBeRead) {
    poll();
    PlainSqlite(database()).run("ALTER TABLE monitor_state RENAME TO elsewhere");
    const std::size_t before = site_.http.asked.size();
    const PollReport report = poll();
    EXPECT_EQ(report.outcome, Outcome::kFailed);
    EXPECT_TRUE(has(report.why, "monitor_state")) << report.why;
    EXPECT_EQ(site_.http.asked.size(), before) << "nobody is asked what cannot be written down";
    EXPECT_EQ(site_.book.count("error poll failed: database cannot be read"), 1U) << site_.book.text();
    EXPECT_EQ(process().conditions.take_unqueued().size(), 1U);
}

// B28: GeoIP databases were opened once, and their absence was silent.
TEST_F(PollerTest, TellsEventsWithoutGeoIpAndTakesADatabaseThatAppears) {
    geo_.city = {folder_.file("City.mmdb")};
    for (int i = 0; i < 2; ++i) {
        add({{"attackId", fmt::format("without-{}", i)}});
        EXPECT_EQ(poll().fresh, 1U);
        EXPECT_EQ(told(MessageKind::kEvent).size(), 1U);
        site_.clock.advance(5min);
    }
    EXPECT_TRUE(process().conditions.wrong(Condition::kGeoIp));
    EXPECT_EQ(site_.book.count("warning condition raised condition=geoip"), 1U) << site_.book.text();
    std::filesystem::copy_file(CAM_TEST_DATA "/geoip/GeoLite2-City.mmdb", folder_.file("City.mmdb"));
    add({{"attackId", "with"}});
    EXPECT_EQ(poll().fresh, 1U);
    EXPECT_FALSE(process().conditions.wrong(Condition::kGeoIp));
    const std::vector<std::string> texts = told();
    ASSERT_EQ(texts.size(), 1U) << "GeoIP is the log's business";
    EXPECT_TRUE(has(texts[0], "Pābna")) << texts[0];
    EXPECT_EQ(site_.metrics.gauge("cam_geoip_failed_lookups", "").value(), 0);
}

TEST(PollGapTest, IsAPauseLongerThanTheRhythmOfPollingExplains) {
    const WallTime now = FakeClock::kStart;
    EXPECT_FALSE(poll_gap(std::nullopt, now, 300s, 15min, 24h)) << "never polled before";
    EXPECT_FALSE(poll_gap(now - 15min, now, 300s, 15min, 24h));
    EXPECT_FALSE(poll_gap(now + 1h, now, 300s, 15min, 24h));
    EXPECT_FALSE(poll_gap(now - 24h, now, 86'400s, 15min, 24h)) << "polled once a day";
    const auto gap = poll_gap(now - 30h, now, 300s, 15min, 24h);
    ASSERT_TRUE(gap);
    EXPECT_EQ(gap->length, 30h);
    EXPECT_EQ(gap->resumed_from, now - 24h);
    EXPECT_EQ(gap->not_covered, 6h);
    const auto covered = poll_gap(now - 5h, now, 300s, 15min, 24h);
    ASSERT_TRUE(covered);
    EXPECT_EQ(covered->resumed_from, now - 5h);
    EXPECT_EQ(covered->not_covered, 0ms);
    EXPECT_EQ(poll_gap(now - 1h, now, 300s, 15min, 0h)->not_covered, 45min);
}

}  // namespace
}  // namespace cam::app
