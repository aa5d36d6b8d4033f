// The page's questions, asked over HTTP of the real server over real database files.

#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <httplib.h>
#include <nlohmann/json.hpp>

#include "app/api_backend.h"
#include "app/both_sides.h"
#include "cam/base/time_text.h"
#include "fakes/app/log_book.h"
#include "fakes/base/fake_clock.h"
#include "fakes/base/temp_folder.h"
#include "fakes/model/lasting_text.h"

namespace cam::app {
namespace {

using nlohmann::json;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr WallTime kNow = FakeClock::kStart;  // 2026-01-20 09:00

Settings settings_in(const TempFolder& folder) {
    Settings settings;
    settings.paths.database = folder.file("magic_transit.db");
    settings.paths.dashboard_prefs = folder.file("dashboard_prefs.json");
    settings.organization = "TEST SOC";
    settings.flow.enabled = true;
    return settings;
}

class MitigationViewsTest : public testing::Test {
protected:
    void SetUp() override {
        events_ = must(store::SqliteStore::open(store_options(settings_, store::Access::kReadWrite)));
        flows_ = must(store::FlowStore::open(store_options(settings_, store::Access::kReadWrite)));
        server_ = must(api::Server::start({.host = "127.0.0.1", .port = 0, .token = {}}, api_backend(around_),
                                          null_logger()));
        client_ = std::make_unique<httplib::Client>("127.0.0.1", server_->port());
    }
    template <typename T>
    static T must(Result<T> made) {
        EXPECT_TRUE(made) << (made ? "" : made.error().detail);
        return std::move(made).value();
    }

    json get(const std::string& path) {
        const auto answer = client_->Get(path);
        EXPECT_TRUE(answer) << path;
        if (!answer) return {};
        EXPECT_EQ(answer->status, 200) << path << answer->body;
        return json::parse(answer->body);
    }

    /// An event of attack `a`: 6 Gbit in that second.
    void claim(const char* attack, WallTime when, std::string_view target = "185.54.82.4") {
        MitigationEvent event;
        event.datetime = lasting(rfc3339(when));
        event.attack_id = attack;
        event.attack_vector = "SYN Flood";
        event.source_ip = "192.0.2.1";
        event.destination_ip = target;
        event.packets = 6'000'000;
        event.bits = 6'000'000'000;
        event.raw = "{}";
        event.hash = event_hash(*event.datetime, attack, "192.0.2.1", target, "None");
        const auto claimed = events_->claim(std::vector{event}, when, clock_.wall(), [](const auto&) {
            return std::vector{Message{MessageKind::kEvent, "told"}};
        });
        ASSERT_TRUE(claimed) << claimed.error().detail;
        ASSERT_EQ(claimed->fresh.size(), 1U);
    }

    static MinuteTime minute(int before_now) {
        return std::chrono::floor<minutes>(kNow) - minutes{before_now};
    }
    void collect(int before_now, std::uint64_t bytes, seconds covered = seconds{60},
                 std::string_view prefix = "185.54.80.0/22") {
        PrefixMinute traffic{.prefix = *Prefix::parse(prefix), .minute = minute(before_now)};
        traffic.classes[0] = {.bytes = bytes, .packets = bytes / 100, .flows = 1};
        const std::vector<PrefixMinute> all{traffic};
        const WallTime from{minute(before_now)};
        ASSERT_TRUE(flows_->write_minute({.minute = minute(before_now),
                                          .from = from,
                                          .to = from + covered,
                                          .prefixes = bytes == 0 ? std::span<const PrefixMinute>{} : all,
                                          .contributors = {}}));
    }
    std::string watch(std::string_view prefix, WallTime made) {
        Rule rule;
        rule.name = "edge";
        rule.prefixes = {*Prefix::parse(prefix)};
        rule.bandwidth_threshold = 1;
        return must(flows_->create_rule(rule, made)).id;
    }

    TempFolder folder_;
    FakeClock clock_;
    LogBook book_;
    Settings settings_ = settings_in(folder_);
    MetricRegistry metrics_;
    Heartbeats heartbeats_{clock_};
    Conditions conditions_{clock_, book_.logger(), render_options(settings_)};
    enrich::GeoDatabases geo_{{.city = {}, .asn = {}, .scratch_folder = ""}};
    Guarded<std::string> poll_problem_{std::string{"no poll yet"}};
    FlowBoard flow_board_;
    StatusBoard board_{kNow - std::chrono::hours{2}};
    api::EventBoard board_of_events_;
    Surroundings around_{settings_, clock_,        book_.logger(), metrics_, heartbeats_,     conditions_,
                         geo_,      poll_problem_, flow_board_,    board_,   board_of_events_};
    std::unique_ptr<store::SqliteStore> events_;
    std::unique_ptr<store::FlowStore> flows_;
    std::unique_ptr<api::Server> server_;
    std::unique_ptr<httplib::Client> client_;
};

TEST_F(MitigationViewsTest, AnAttackIsActiveForTwoPollsAndFiveMinutes) {
    claim("old", kNow - minutes{16});
    claim("new", kNow - minutes{15});
    const json attacks = get("/attacks")["result"];
    ASSERT_EQ(attacks.size(), 2U);
    EXPECT_EQ(attacks[0]["attack_id"], "new");
    EXPECT_EQ(attacks[0]["active"], true);
    EXPECT_EQ(attacks[1]["active"], false);
    EXPECT_EQ(get("/attacks/new")["result"]["active"], true);
    EXPECT_EQ(get("/attacks/old")["result"]["active"], false);
    EXPECT_EQ(get("/events?attack_id=old")["result"][0]["attack_vector"], "SYN Flood");
    EXPECT_EQ(get("/events/1")["result"]["raw_data"], json::object());
}

TEST_F(MitigationViewsTest, TheTimelineIsOfTheLastDayUnlessAskedOtherwise) {
    claim("a", kNow - minutes{30});
    claim("long-ago", kNow - std::chrono::hours{30});
    const json day = get("/attacks/timeline")["result"];
    EXPECT_EQ(day["start"], "2026-01-19T09:00:00Z");
    EXPECT_EQ(day["step_seconds"], 300);
    ASSERT_EQ(day["series"].size(), 1U);
    EXPECT_EQ(day["series"][0]["packets"].size(), 288U);
    EXPECT_EQ(day["series"][0]["packets"][282], 6'000'000);
    EXPECT_EQ(get("/attacks/timeline?since=2026-01-20T08:00:00Z")["result"]["step_seconds"], 60);
    EXPECT_EQ(get("/attacks/timeline?since=2025-01-20T09:00:00Z")["result"]["step_seconds"], 2 * 86'400);
    EXPECT_EQ(client_->Get("/attacks/timeline?since=2026-01-21T00:00:00Z")->status, 422);
    EXPECT_EQ(client_->Get("/attacks/timeline?since=2025-01-20T09:00:00Z&step=1")->status, 422);
}

TEST_F(MitigationViewsTest, BothSidesOfAnAttackShowWhatWasDroppedAndWhatLeaked) {
    const std::string rule = watch("185.54.80.0/22", kNow - minutes{90});
    // Usual: 60 Mbit/minute, 1 Mbit/s. During the attack: 3 Mbit/s.
    for (int before = 80; before > 5; --before)
        collect(before, before <= 20 && before >= 18 ? 22'500'000 : 7'500'000);
    for (int before = 20; before >= 18; --before) claim("a", WallTime{minute(before)} + seconds{7});
    const json both = get("/attacks/a/both-sides")["result"];
    EXPECT_EQ(both["prefix"], "185.54.80.0/22");
    EXPECT_EQ(both["rule_ids"], json::array({rule}));
    EXPECT_DOUBLE_EQ(both["usual_bits_per_second"].get<double>(), 1e6);
    ASSERT_EQ(both["minutes"].size(), 10U + 3U + 5U);
    const json& attacked = both["minutes"][10];
    EXPECT_EQ(attacked["start"], rfc3339(WallTime{minute(20)}));
    EXPECT_DOUBLE_EQ(attacked["dropped_bits_per_second"].get<double>(), 1e8);
    EXPECT_DOUBLE_EQ(attacked["arrived_bits_per_second"].get<double>(), 3e6);
    EXPECT_DOUBLE_EQ(both["minutes"][0]["dropped_bits_per_second"].get<double>(), 0);
    // 2 of 102 Mbit/s.
    EXPECT_NEAR(both["leaked_share"].get<double>(), 2.0 / 102, 1e-9);
}

TEST_F(MitigationViewsTest, TheMostSpecificPrefixThatIsWatchedIsCompared) {
    watch("185.54.80.0/22", kNow - minutes{90});
    const std::string narrow = watch("185.54.82.0/24", kNow - minutes{90});
    for (int before = 80; before > 5; --before) {
        collect(before, 9'000'000);
        collect(before, 750'000, seconds{0}, "185.54.82.0/24");
    }
    claim("a", kNow - minutes{10});
    claim("a", kNow - minutes{9}, "185.54.80.9");
    claim("a", kNow - minutes{8});
    const json both = get("/attacks/a/both-sides")["result"];
    EXPECT_EQ(both["prefix"], "185.54.82.0/24");
    EXPECT_EQ(both["rule_ids"], json::array({narrow}));
    EXPECT_DOUBLE_EQ(both["minutes"][10]["arrived_bits_per_second"].get<double>(), 1e5);
    EXPECT_EQ(both["minutes"][11]["dropped_bits_per_second"], 0.0) << "its target lies outside";
    EXPECT_NE(both["note"].get<std::string>().find("1 events to targets outside"), std::string::npos) << both;
}

TEST_F(MitigationViewsTest, AMinuteWithoutACollectorOrARuleIsUnknownNotZero) {
    watch("185.54.80.0/22", kNow - minutes{15});
    for (int before = 30; before > 5; --before) {
        if (before == 12) continue;                                    // the collector was down
        collect(before, 0, before == 11 ? seconds{30} : seconds{60});  // and came back
    }
    for (int before = 20; before >= 8; before -= 4) claim("a", WallTime{minute(before)});
    const json both = get("/attacks/a/both-sides")["result"];
    EXPECT_EQ(both["prefix"], "185.54.80.0/22");
    const auto arrived = [&](int before) {
        for (const json& one : both["minutes"]) {
            if (one["start"] == rfc3339(WallTime{minute(before)})) return one["arrived_bits_per_second"];
        }
        ADD_FAILURE() << before;
        return json{};
    };
    EXPECT_TRUE(arrived(20).is_null()) << "no rule yet";
    EXPECT_EQ(arrived(14), 0.0) << "silence that was measured";
    EXPECT_TRUE(arrived(12).is_null());
    EXPECT_TRUE(arrived(11).is_null()) << "half a minute";
    EXPECT_TRUE(both["usual_bits_per_second"].is_null());
    EXPECT_TRUE(both["leaked_share"].is_null());
    EXPECT_NE(both["note"].get<std::string>().find("unknown what arrived"), std::string::npos);
}

TEST_F(MitigationViewsTest, WithoutFlowDataTheNoteSaysWhy) {
    settings_.flow.enabled = false;
    claim("a", kNow - minutes{20});
    const json both = get("/attacks/a/both-sides")["result"];
    EXPECT_TRUE(both["prefix"].is_null());
    EXPECT_EQ(both["minutes"].size(), 16U);
    EXPECT_TRUE(both["minutes"][10]["arrived_bits_per_second"].is_null());
    EXPECT_DOUBLE_EQ(both["minutes"][10]["dropped_bits_per_second"].get<double>(), 1e8);
    const std::string note = both["note"];
    EXPECT_NE(note.find("185.54.82.4"), std::string::npos) << note;
    EXPECT_NE(note.find("flow.enabled"), std::string::npos) << note;
    EXPECT_EQ(client_->Get("/attacks/b/both-sides")->status, 404);
}

TEST_F(MitigationViewsTest, AnAttackOfManyDaysIsCutToItsLast) {
    watch("185.54.80.0/22", kNow - std::chrono::hours{100});
    claim("a", kNow - std::chrono::hours{72});
    claim("a", kNow - minutes{30});
    for (int before = 40; before > 5; --before) collect(before, 7'500'000);
    const json both = get("/attacks/a/both-sides")["result"];
    EXPECT_EQ(both["minutes"].size(), 1'440U);
    EXPECT_EQ(both["minutes"].back()["start"], rfc3339(WallTime{minute(25)}));
    EXPECT_DOUBLE_EQ(both["minutes"].back()["arrived_bits_per_second"].get<double>(), 1e6);
    EXPECT_NE(both["note"].get<std::string>().find("last day"), std::string::npos);
}

TEST_F(MitigationViewsTest, TheStatusKnowsPollsPrefixesConditionsAndWhatWaits) {
    json status = get("/status")["result"];
    EXPECT_EQ(status["organization"], "TEST SOC");
    EXPECT_EQ(status["started_at"], "2026-01-20T07:00:00Z");
    EXPECT_EQ(status["polling"]["outcome"], "none");
    EXPECT_EQ(status["ready"], false);
    EXPECT_EQ(status["prefixes"], json::array());
    EXPECT_TRUE(status["flow"]["last_minute"].is_null());
    EXPECT_EQ(status["attacks_24h"], 0);

    poll_problem_.with([](std::string& why) { why.clear(); });
    PollReport report;
    board_.note_poll(report, kNow - minutes{6});
    report.outcome = PollReport::Outcome::kFailed;
    report.why = "503 from Cloudflare";
    board_.note_poll(report, kNow - minutes{1});
    report.outcome = PollReport::Outcome::kCancelled;
    board_.note_poll(report, kNow);
    board_.note_advertisements({{"185.54.80.0/22", true}, {"2a02:4460::/32", std::nullopt}},
                               kNow - minutes{9});
    conditions_.raise(Condition::kCloudflare,
                      {.state = "unreachable", .headline = "Cloudflare does not answer", .details = {"503"}},
                      nullptr);
    clock_.advance(seconds{20});
    conditions_.raise(Condition::kCloudflare,
                      {.state = "forbidden", .headline = "Cloudflare refuses", .details = {"403"}}, nullptr);
    claim("a", kNow - minutes{3});
    collect(2, 100);
    watch("185.54.80.0/22", kNow);
    ASSERT_TRUE(flows_->create_router(
        {.id = "", .name = "edge", .address = *IpAddress::parse("192.0.2.7"), .default_sampling = 0},
        kNow - std::chrono::hours{1}));
    status = get("/status")["result"];
    EXPECT_EQ(status["ready"], true);
    EXPECT_EQ(status["polling"], json({{"last_ok_at", "2026-01-20T08:54:00Z"},
                                       {"last_failure_at", "2026-01-20T08:59:00Z"},
                                       {"last_failure", "503 from Cloudflare"},
                                       {"covered_to", "2026-01-20T08:57:00Z"},
                                       {"interval_seconds", 300},
                                       {"outcome", "failed"}}));
    EXPECT_EQ(status["conditions"], json::array({{{"name", "cloudflare"},
                                                  {"headline", "Cloudflare refuses"},
                                                  {"details", {"403"}},
                                                  {"since", "2026-01-20T09:00:00Z"}}}))
        << "since the trouble began, whatever it became";
    EXPECT_EQ(status["outbox"]["waiting"], 1);
    EXPECT_TRUE(status["outbox"]["last_sent_at"].is_null());
    EXPECT_EQ(
        status["prefixes"][1],
        json({{"prefix", "2a02:4460::/32"}, {"status", "unknown"}, {"checked_at", "2026-01-20T08:51:00Z"}}));
    EXPECT_EQ(status["flow"]["last_minute"], rfc3339(WallTime{minute(2)}));
    EXPECT_EQ(status["flow"]["silent_exporters"], json::array({"edge (192.0.2.7)"}));
    EXPECT_EQ(status["attacks_24h"], 1);
    EXPECT_EQ(status["alerts_active"], 0);
}

TEST_F(MitigationViewsTest, OnClickHouseExportersAndTheirSilenceAreWhatTheJudgeSawThere) {
    settings_.flow.enabled = false;
    settings_.traffic.store = Settings::Traffic::Store::kClickHouse;
    const auto name_router = [&](const char* name, const char* address) {
        ASSERT_TRUE(flows_->create_router(
            {.id = "", .name = name, .address = *IpAddress::parse(address), .default_sampling = 0},
            kNow - std::chrono::hours{1}));
    };
    name_router("edge", "192.0.2.7");
    name_router("quiet", "192.0.2.8");
    json status = get("/status")["result"];
    EXPECT_EQ(status["flow"]["enabled"], true) << "it judges flows, whoever receives them";
    EXPECT_EQ(status["flow"]["silent_exporters"], json::array()) << "nobody has looked yet";
    ASSERT_TRUE(flows_->record({.minute = minute(1), .ended = {}, .started = {}, .updated = {}}, kNow,
                               [](const auto&) { return std::vector<Message>{}; }));
    flow_board_.show(
        {.senders = {{.exporter = *IpAddress::parse("192.0.2.7"), .newest = kNow - seconds{4}, .records = 9},
                     {.exporter = *IpAddress::parse("192.0.2.99"), .newest = kNow, .records = 1}},
         .silent = {"quiet (192.0.2.8)"}});
    status = get("/status")["result"];
    EXPECT_EQ(status["flow"], json({{"enabled", true},
                                    {"last_minute", rfc3339(WallTime{minute(1)})},
                                    {"exporters", 2},
                                    {"silent_exporters", {"quiet (192.0.2.8)"}}}));
    const json exporters = get("/exporters")["result"];
    ASSERT_EQ(exporters.size(), 3U);
    EXPECT_EQ(exporters[0]["router_name"], "edge");
    EXPECT_EQ(exporters[0]["last_seen"], "2026-01-20T08:59:56Z");
    EXPECT_EQ(exporters[0]["flow_records"], 9);
    EXPECT_EQ(exporters[1]["address"], "192.0.2.99");
    EXPECT_TRUE(exporters[1]["router_name"].is_null());
    EXPECT_EQ(exporters[2]["router_name"], "quiet");
    EXPECT_TRUE(exporters[2]["last_seen"].is_null());
}

TEST_F(MitigationViewsTest, ASecondJudgeMakesTheDaemonNotReadyAndSaysWhy) {
    poll_problem_.with([](std::string& why) { why.clear(); });
    EXPECT_EQ(client_->Get("/readyz")->status, 200);
    conditions_.raise(Condition::kSecondJudge,
                      {.state = "second", .headline = "Another daemon judges", .details = {}}, nullptr);
    const auto answer = client_->Get("/readyz");
    EXPECT_EQ(answer->status, 503);
    EXPECT_NE(answer->body.find("Another daemon judges"), std::string::npos) << answer->body;
}

TEST_F(MitigationViewsTest, TheMessageThatIsTriedNextTellsWhen) {
    claim("a", kNow - minutes{3});
    claim("b", kNow - minutes{2});
    board_.note_next_delivery(kNow + seconds{30});
    ASSERT_TRUE(events_->mark_failed(1, kNow, "503"));
    const json waiting = get("/deliveries?state=waiting")["result"];
    ASSERT_EQ(waiting.size(), 2U);
    EXPECT_EQ(waiting[1]["id"], "1");
    EXPECT_EQ(waiting[1]["last_error"], "503");
    EXPECT_EQ(waiting[1]["next_attempt_at"], "2026-01-20T09:00:30Z");
    EXPECT_TRUE(waiting[0]["next_attempt_at"].is_null()) << "it follows the first";
    board_.note_next_delivery(std::nullopt);
    EXPECT_TRUE(get("/deliveries")["result"][1]["next_attempt_at"].is_null());
}

}  // namespace
}  // namespace cam::app
