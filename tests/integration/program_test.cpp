// The program as its users run it: options, exit statuses, files, signals (contract, section 1).

#include <csignal>
#include <ctime>
#include <filesystem>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "integration/site.h"

namespace cam::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using nlohmann::json;
using simulator::Fault;
using simulator::Target;

class ProgramTest : public SiteTest {
protected:
    /// Every file below the site's folder with its size and modification time.
    [[nodiscard]] std::string listing() const {
        std::vector<std::string> lines;
        for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) {
            if (entry.path().filename().string().rfind("process-", 0) == 0) continue;
            struct stat about {};
            ::lstat(entry.path().c_str(), &about);
            lines.push_back(entry.path().string() + " " + std::to_string(about.st_size) + " " +
                            std::to_string(about.st_mtim.tv_sec) + "." +
                            std::to_string(about.st_mtim.tv_nsec));
        }
        std::sort(lines.begin(), lines.end());
        std::string text;
        for (const std::string& line : lines) text += line + "\n";
        return text;
    }
    [[nodiscard]] std::size_t count(const std::string& text, const std::string& part) const {
        std::size_t found = 0;
        for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
        return found;
    }
};

TEST_F(ProgramTest, OncePollsDeliversAndLeavesWithoutReports) {
    world_.add_event(event(60));
    const Finished done = once();
    EXPECT_EQ(done.status, 0) << done.err;
    ASSERT_EQ(world_.messages().size(), 1U);
    EXPECT_NE(world_.messages()[0].text.find("*MITIGATION EVENT*"), std::string::npos);
    EXPECT_EQ(world_.messages()[0].parse_mode, "Markdown");
    EXPECT_EQ(query("SELECT COUNT(*) FROM network_analytics_events"), "1");
}

TEST_F(ProgramTest, OnceTwiceTellsAnEventOnce) {
    world_.add_event(event(60));
    EXPECT_EQ(once().status, 0);
    EXPECT_EQ(once().status, 0);
    EXPECT_EQ(world_.messages().size(), 1U);
}

TEST_F(ProgramTest, OnceFailsWithOneWhenThePollFailed) {  // B6
    world_.add_fault(Fault::status(401).on(Target::kGraphql));
    const Finished done = once();
    EXPECT_EQ(done.status, 1);
    EXPECT_NE(done.err.find("poll failed"), std::string::npos) << done.err;
    EXPECT_EQ(done.err.find("no mitigation events"), std::string::npos) << done.err;
}

TEST_F(ProgramTest, OnceFailsWithOneForAnUnknownAccount) {
    configure({{"cloudflare", {{"account_id", "ffffffffffffffffffffffffffffffff"}}}});
    const Finished done = once();
    EXPECT_EQ(done.status, 1);
    EXPECT_NE(done.err.find("cloudflare does not know the account"), std::string::npos) << done.err;
}

TEST_F(ProgramTest, OnceFailsWithOneWhenADeliveryFailedAndTheNextRunDelivers) {  // B4
    world_.add_event(event(60));
    world_.add_fault(Fault::status(500).on(Target::kTelegram));
    EXPECT_EQ(once().status, 1);
    EXPECT_TRUE(world_.messages().empty());
    EXPECT_EQ(query("SELECT COUNT(*) FROM outbox WHERE state = 'waiting'"), "1");
    world_.clear_faults();
    EXPECT_EQ(once().status, 0);
    EXPECT_EQ(world_.messages().size(), 1U);
}

TEST_F(ProgramTest, ALookbackOutOfRangeIsWrongUsage) {
    for (const char* minutes : {"0", "129601", "-5", "ten"}) {
        const Finished done = run(command({"--test", "--lookback", minutes}));
        EXPECT_EQ(done.status, 2) << minutes;
        EXPECT_FALSE(done.err.empty());
        EXPECT_EQ(count(done.err, "\n"), 1U) << done.err;
    }
    EXPECT_EQ(run(command({"--test", "-l", "129600"})).status, 0);
}

TEST_F(ProgramTest, LookbackWidensTheWindowInEveryMode) {
    world_.add_event(event(50 * 60));
    EXPECT_EQ(once().status, 0);
    EXPECT_TRUE(world_.messages().empty());
    EXPECT_EQ(once({"--lookback", "60"}).status, 0);
    EXPECT_EQ(world_.messages().size(), 1U);
}

TEST_F(ProgramTest, WrongUsageIsOneLineAndTwo) {
    for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
             {"--nonsense"}, {"--once", "--test"}, {"surplus"}, {"--log-level", "loud"}}) {
        const Finished done = run(command(arguments));
        EXPECT_EQ(done.status, 2) << arguments[0];
        EXPECT_EQ(count(done.err, "\n"), 1U) << done.err;
        EXPECT_TRUE(done.out.empty()) << done.out;
    }
}

TEST_F(ProgramTest, HelpAndVersionSaySoAndLeaveWithZero) {
    const Finished version = run({.arguments = {"--version"}, .folder = folder_.path(), .environment = {}});
    EXPECT_EQ(version.status, 0);
    EXPECT_EQ(version.out.rfind("cloudflare-analytics-monitor ", 0), 0U) << version.out;
    const Finished help = run({.arguments = {"--help"}, .folder = folder_.path(), .environment = {}});
    EXPECT_EQ(help.status, 0);
    for (const char* option :
         {"--once", "--test", "--lookback", "--config", "--check-config", "--log-level", "notify"}) {
        EXPECT_NE(help.out.find(option), std::string::npos) << option;
    }
}

TEST_F(ProgramTest, MissingSettingsNameTheFileAndTheRemedy) {
    const Finished done = run({.arguments = {"--config", file("nowhere.json"), "--once"},
                               .folder = folder_.path(),
                               .environment = {}});
    EXPECT_EQ(done.status, 2);
    EXPECT_NE(done.err.find("nowhere.json"), std::string::npos) << done.err;
    EXPECT_NE(done.err.find("--config"), std::string::npos) << done.err;
}

TEST_F(ProgramTest, TheSettingsUnderTheWorkingDirectoryAreFound) {
    if (fs::exists("/etc/cloudflare-analytics-monitor/settings.json")) {
        GTEST_SKIP() << "this machine has settings of its own in /etc";
    }
    const Finished done = run({.arguments = {"--once"}, .folder = folder_.path(), .environment = {}});
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_TRUE(fs::exists(database()));
}

TEST_F(ProgramTest, EveryProblemOfTheSettingsIsToldInOnePass) {
    configure({{"monitor", {{"poll_interval_seconds", 0}, {"lookback_minutes", "15"}}},
               {"prefixes", {{"mine", {"185.54.80.1/22"}}}},
               {"telegrm", {{"bot_token", "x"}}}});
    const Finished done = run(command({}));
    EXPECT_EQ(done.status, 2);
    for (const char* part : {"monitor.poll_interval_seconds", "monitor.lookback_minutes", "prefixes.mine[0]",
                             "185.54.80.0/22", "telegrm", "nearest known key"}) {
        EXPECT_NE(done.err.find(part), std::string::npos) << part << " in:\n" << done.err;
    }
}

TEST_F(ProgramTest, TestPrintsMessagesAndATableWithReasonsAndWritesNothing) {  // B33
    write("config/dashboard_prefs.json", R"({"my_prefixes_only": true})");
    world_.add_event(event(60));
    world_.add_event(event(61, {{"ipDestinationAddress", "162.159.76.173"}, {"attackId", "attack-2"}}));
    world_.add_event(event(62, {{"packets", 0}, {"attackId", "attack-3"}}));
    const std::string before = listing();
    const Finished done = run(command({"--test"}));
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_NE(done.out.find("*MITIGATION EVENT*"), std::string::npos);
    EXPECT_NE(done.out.find("not notified: target is in no watched prefix"), std::string::npos) << done.out;
    EXPECT_NE(done.out.find("not notified: fewer packets than min_packets"), std::string::npos) << done.out;
    EXPECT_NE(done.out.find("3 events, 1 would be notified"), std::string::npos) << done.out;
    EXPECT_TRUE(world_.messages().empty());
    EXPECT_EQ(listing(), before);
    EXPECT_FALSE(fs::exists(database()));
    EXPECT_FALSE(fs::exists(file("logs")));
}

TEST_F(ProgramTest, TestReadsTheDatabaseAndChangesNothingInIt) {
    world_.add_event(event(60));
    ASSERT_EQ(once().status, 0);
    world_.add_event(event(50, {{"attackId", "attack-2"}}));
    const std::string before = listing();
    const Finished done = run(command({"-t"}));
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_NE(done.out.find("not notified: already told"), std::string::npos) << done.out;
    EXPECT_NE(done.out.find("2 events, 1 would be notified"), std::string::npos) << done.out;
    EXPECT_EQ(listing(), before);
    EXPECT_EQ(world_.messages().size(), 1U);
}

TEST_F(ProgramTest, TestWorksWithoutTelegramSettingsAndFailsWithOneWhenTheQueryFailed) {
    json settings = json::parse(read_text(settings_file()));
    settings.erase("telegram");
    write("config/settings.json", settings.dump());
    EXPECT_EQ(run(command({"--test"})).status, 0);
    world_.add_fault(Fault::status(403).on(Target::kGraphql));
    const Finished done = run(command({"--test"}));
    EXPECT_EQ(done.status, 1);
    EXPECT_NE(done.err.find("query failed (forbidden)"), std::string::npos) << done.err;
}

TEST_F(ProgramTest, TestShowsCloudflaresAnycastWhenTheToggleIsOff) {
    write("config/dashboard_prefs.json", R"({"my_prefixes_only": false})");
    world_.add_event(event(60, {{"ipDestinationAddress", "162.159.76.173"}}));
    const Finished done = run(command({"--test"}));
    EXPECT_NE(done.out.find("1 events, 1 would be notified"), std::string::npos) << done.out;
}

TEST_F(ProgramTest, TestAsksAgainWhereThisMachinesClockIsWrong) {
    const std::time_t there = std::time(nullptr) - 3 * 3600;
    std::tm parts{};
    ::gmtime_r(&there, &parts);
    char date[40];
    ASSERT_GT(std::strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &parts), 0U);
    world_.add_fault(Fault::chunked().with_header("Date", date).on(Target::kGraphql));
    world_.add_event(event(3 * 3600 + 60));
    const Finished done = run(command({"--test"}));
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_NE(done.out.find("1 events, 1 would be notified"), std::string::npos) << done.out;
    EXPECT_NE(done.out.find("ahead of Cloudflare's; the window follows Cloudflare's"), std::string::npos)
        << done.out;
}

TEST_F(ProgramTest, TestSaysWhatItCouldNotUse) {
    configure({{"geoip", {{"city", {file("none.mmdb")}}}}});
    write("config/dashboard_prefs.json", "{ broken");
    const Finished done = run(command({"--test"}));
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_NE(done.out.find("dashboard_prefs.json: is not valid JSON; my_prefixes_only counts as true"),
              std::string::npos)
        << done.out;
    EXPECT_NE(done.out.find("Note: no city database"), std::string::npos) << done.out;
}

TEST_F(ProgramTest, TestShowsHostileTextHarmlessly) {
    world_.add_event(event(60, {{"attackVector", "\x1b[2Jevil\nSYN"}}));
    const Finished done = run(command({"--test"}));
    EXPECT_EQ(done.out.find('\x1b'), std::string::npos);
}

TEST_F(ProgramTest, CheckConfigSaysWhatIsFineAndLeavesWithZero) {
    const std::string before = listing();
    const Finished done = run(command({"--check-config"}));
    EXPECT_EQ(done.status, 0) << done.out;
    for (const char* part : {"ok: settings", "ok: secrets", "ok: database", "ok: geoip city", "Commercial",
                             "20/01/2026", "warning: dashboard_prefs"}) {
        EXPECT_NE(done.out.find(part), std::string::npos) << part << " in:\n" << done.out;
    }
    EXPECT_EQ(listing(), before);
}

TEST_F(ProgramTest, CheckConfigKnowsThatTheDaemonMakesTheFolderOfTheLog) {
    EXPECT_NE(run(command({"--check-config"})).out.find("network-analytics-monitor.log: can be written"),
              std::string::npos);
    configure({{"paths", {{"log_file", "no/such/folder/x.log"}}}});
    EXPECT_NE(run(command({"--check-config"})).out.find("x.log: this user cannot write it"),
              std::string::npos);
}

TEST_F(ProgramTest, CheckConfigTriesTheAddressesForFlows) {
    const int taken = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof here;
    ASSERT_EQ(::bind(taken, reinterpret_cast<const sockaddr*>(&here), size), 0);
    ASSERT_EQ(::getsockname(taken, reinterpret_cast<sockaddr*>(&here), &size), 0);
    const std::string busy = "127.0.0.1:" + std::to_string(ntohs(here.sin_port));
    configure(
        {{"flow", {{"enabled", true}, {"listen", {"127.0.0.1:0", busy}}, {"receive_buffer_bytes", 65'536}}}});
    const Finished done = run(command({"--check-config"}));
    ::close(taken);
    EXPECT_EQ(done.status, 0) << "the port may be the running daemon's own";
    EXPECT_NE(done.out.find("flow.listen 127.0.0.1:0: free"), std::string::npos) << done.out;
    EXPECT_NE(done.out.find("flow.listen " + busy + ": cannot listen on UDP"), std::string::npos) << done.out;
}

TEST_F(ProgramTest, CheckConfigLeavesWithTwoForADamagedDatabase) {
    write("db/magic_transit.db", std::string(8192, 'x'));
    const Finished done = run(command({"--check-config"}));
    EXPECT_EQ(done.status, 2);
    EXPECT_NE(done.out.find("error: database"), std::string::npos) << done.out;
}

TEST_F(ProgramTest, ANewerDatabaseIsRefusedWithOneClearError) {
    execute("PRAGMA user_version = 9999");
    const Finished done = once();
    EXPECT_EQ(done.status, 1);
    EXPECT_NE(done.err.find("newer"), std::string::npos) << done.err;
    EXPECT_EQ(query("PRAGMA user_version"), "9999");
}

TEST_F(ProgramTest, ADatabaseOfThePythonMonitorGoesOnWithoutOneRepeatedAlert) {  // B1
    const std::string told = simulator::moment_text(world_.now() - 60s);
    const std::string untold = simulator::moment_text(world_.now() - 50s);
    for (const std::string& time : {told, untold}) {
        json one = event(0, {{"datetime", time}});
        one.erase("at_seconds_ago");
        world_.add_event(one);
    }
    // The identity as the contract writes it down, hashed by a program that is not ours.
    write("identity", told + "|attack-1|103.118.76.198|185.54.82.4|0");
    const Finished digest = run({.arguments = {file("identity")},
                                 .folder = folder_.path(),
                                 .environment = {},
                                 .program = "/usr/bin/sha256sum"});
    ASSERT_EQ(digest.status, 0);
    execute(
        "CREATE TABLE network_analytics_events (id INTEGER PRIMARY KEY AUTOINCREMENT, event_hash TEXT UNIQUE "
        "NOT NULL,"
        " attack_id TEXT, event_datetime DATETIME, attack_vector TEXT, rule_name TEXT, rule_id TEXT, "
        "source_ip TEXT,"
        " source_port INTEGER, destination_ip TEXT, destination_port INTEGER, protocol TEXT, tcp_flags TEXT,"
        " colo_code TEXT, colo_country TEXT, packets INTEGER, bits INTEGER, outcome TEXT, mitigation_reason "
        "TEXT,"
        " notified_at DATETIME DEFAULT CURRENT_TIMESTAMP, raw_data JSON);"
        "INSERT INTO network_analytics_events (event_hash, attack_id) VALUES ('" +
        digest.out.substr(0, 32) + "', 'attack-1')");
    EXPECT_EQ(once().status, 0);
    EXPECT_EQ(world_.messages().size(), 1U);
    EXPECT_EQ(query("SELECT COUNT(*) FROM network_analytics_events"), "2");
    EXPECT_EQ(query("SELECT length(event_hash) FROM network_analytics_events WHERE event_datetime = '" +
                    untold + "'"),
              "64");
}

TEST_F(ProgramTest, TheDaemonReportsStartAndStopAndLeavesWithZero) {  // B24, B25
    Process daemon(command({}));
    ASSERT_TRUE(world_.wait_for_messages(1));
    EXPECT_NE(world_.messages()[0].text.find("*Network Analytics Monitor STARTED*"), std::string::npos);
    const auto before = std::chrono::steady_clock::now();
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.wait(20s), 0) << daemon.err();
    EXPECT_LT(std::chrono::steady_clock::now() - before, 15s);
    ASSERT_EQ(world_.messages().size(), 2U);
    EXPECT_NE(world_.messages()[1].text.find("*Network Analytics Monitor STOPPED*"), std::string::npos);
}

TEST_F(ProgramTest, SigintStopsLikeSigterm) {
    Process daemon(command({}));
    ASSERT_TRUE(world_.wait_for_messages(1));
    daemon.signal(SIGINT);
    EXPECT_EQ(daemon.wait(20s), 0);
    EXPECT_EQ(messages_with("STOPPED").size(), 1U);
}

TEST_F(ProgramTest, AStopWhileCloudflareHangsStillTakesSecondsOnly) {
    world_.add_fault(Fault::stall().on(Target::kGraphql));
    Process daemon(command({}));
    ASSERT_TRUE(world_.wait_for_requests(Target::kGraphql, 1));
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.wait(20s), 0) << daemon.err();
    EXPECT_EQ(messages_with("STOPPED").size(), 1U);
}

TEST_F(ProgramTest, AShutdownReportThatCannotBeSentWaitsForTheNextStart) {
    Process daemon(command({}));
    ASSERT_TRUE(world_.wait_for_messages(1));
    world_.add_fault(Fault::stall().on(Target::kTelegram));
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.wait(20s), 0) << daemon.err();
    EXPECT_EQ(messages_with("STOPPED").size(), 0U);
    EXPECT_EQ(query("SELECT kind FROM outbox WHERE state = 'waiting'"), "shutdown");
    world_.clear_faults();
    EXPECT_EQ(once().status, 0);
    EXPECT_EQ(messages_with("STOPPED").size(), 1U);
}

TEST_F(ProgramTest, SighupReadsTheSettingsAgainWithoutAReport) {  // B25
    Process daemon(command({}));
    ASSERT_TRUE(world_.wait_for_messages(1));
    configure({{"organization", "Renamed SOC"}});
    daemon.signal(SIGHUP);
    ASSERT_TRUE(daemon.wait_for_log("settings reloaded")) << daemon.err();
    world_.add_event(event(5));
    ASSERT_TRUE(world_.wait_for_messages(2));
    EXPECT_NE(world_.messages()[1].text.find("*Renamed SOC*"), std::string::npos);
    EXPECT_EQ(messages_with("STARTED").size(), 1U);
}

TEST_F(ProgramTest, ABrokenFileOnSighupKeepsTheOldSettingsAndSaysWhy) {
    Process daemon(command({}));
    ASSERT_TRUE(world_.wait_for_messages(1));
    write("config/settings.json", "{ broken");
    daemon.signal(SIGHUP);
    ASSERT_TRUE(daemon.wait_for_log("keeping the old ones")) << daemon.err();
    EXPECT_TRUE(daemon.wait_for_log("line 1, column")) << daemon.err();
    world_.add_event(event(5));
    EXPECT_TRUE(world_.wait_for_messages(2));
}

TEST_F(ProgramTest, ADatabaseThatCannotBeOpenedOnSighupKeepsTheOldSettings) {
    Process daemon(command({}));
    ASSERT_TRUE(world_.wait_for_messages(1));
    configure(
        {{"paths", {{"database", "no/such/folder/magic_transit.db"}}}, {"organization", "Renamed SOC"}});
    daemon.signal(SIGHUP);
    ASSERT_TRUE(daemon.wait_for_log("keeping the old ones")) << daemon.err();
    EXPECT_TRUE(daemon.wait_for_log("no/such/folder")) << daemon.err();
    world_.add_event(event(5));
    ASSERT_TRUE(world_.wait_for_messages(2)) << daemon.err();
    EXPECT_EQ(world_.messages()[1].text.find("Renamed SOC"), std::string::npos);
    EXPECT_TRUE(messages_with("Database").empty());
}

TEST_F(ProgramTest, ADatabaseThatIsRemovedWhileTheDaemonRunsIsMadeAnewAndTold) {
    use_private_chat();
    configure();
    Process::Options options = command({});
    options.environment = {"WATCHDOG_USEC=1500000"};  // looked at twice a second instead of each 20 s
    Process daemon(options);
    world_.add_event(event(60));
    ASSERT_TRUE(world_.wait_for_messages(2)) << daemon.err();
    fs::remove_all(file("db"));
    ASSERT_TRUE(eventually([&] { return !messages_with("removed or replaced").empty(); })) << daemon.err();
    EXPECT_EQ(messages_with("removed or replaced").size(), 1U);
    ASSERT_TRUE(eventually([&] { return query("SELECT count(*) FROM network_analytics_events") == "1"; }));
    world_.add_event(event(5, {{"attackId", "attack-2"}}));
    ASSERT_TRUE(eventually([&] { return messages_with("attack-2").size() == 1; })) << daemon.err();
    EXPECT_EQ(query("SELECT count(*) FROM network_analytics_events"), "2")
        << "and kept where it is looked for";
}

TEST_F(ProgramTest, SighupOpensTheLogFileAnewAfterItWasMovedAway) {  // B31
    Process daemon(command({}));
    ASSERT_TRUE(world_.wait_for_messages(1));
    const std::string log = file("logs/network-analytics-monitor.log");
    ASSERT_TRUE(eventually([&] { return fs::exists(log) && fs::file_size(log) > 0; }));
    fs::rename(log, log + ".1");
    daemon.signal(SIGHUP);
    EXPECT_TRUE(eventually([&] { return fs::exists(log) && fs::file_size(log) > 0; }));
}

TEST_F(ProgramTest, TheStartupReportComesBeforeTheFirstEvent) {
    world_.add_event(event(60));
    Process daemon(command({}));
    ASSERT_TRUE(world_.wait_for_messages(2));
    EXPECT_NE(world_.messages()[0].text.find("STARTED"), std::string::npos);
    EXPECT_NE(world_.messages()[1].text.find("MITIGATION EVENT"), std::string::npos);
}

TEST_F(ProgramTest, TheDaemonAndOnceShareADatabaseWithoutTellingTwice) {
    Process daemon(command({}));
    ASSERT_TRUE(world_.wait_for_messages(1));
    for (int i = 0; i < 5; ++i) {
        world_.add_event(event(5, {{"attackId", "attack-" + std::to_string(i)}}));
        EXPECT_EQ(once().status, 0);
    }
    ASSERT_TRUE(world_.wait_for_messages(6));
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.wait(20s), 0);
    EXPECT_EQ(messages_with("MITIGATION EVENT").size(), 5U);
}

TEST_F(ProgramTest, NotifySendsOneMessageOfOnesOwn) {
    EXPECT_EQ(run(command({"notify", "the monitor is *down*"})).status, 0);
    EXPECT_EQ(run(command({"notify", "--recovered", "up again"})).status, 0);
    ASSERT_EQ(world_.messages().size(), 2U);
    EXPECT_NE(world_.messages()[0].plain.find("⚠️ the monitor is"), std::string::npos)
        << world_.messages()[0].plain;
    EXPECT_NE(world_.messages()[1].plain.find("✅ up again"), std::string::npos);
}

TEST_F(ProgramTest, TheApiAnswersFromTheRunningDaemon) {
    configure({{"api", {{"enabled", true}, {"listen", "127.0.0.1:18093"}}}});
    world_.add_event(event(60));
    Process daemon(command({}));
    ASSERT_TRUE(world_.wait_for_messages(2));
    const auto get = [&](const std::string& path) {
        return run({.arguments = {"-sS", "http://127.0.0.1:18093" + path},
                    .folder = folder_.path(),
                    .environment = {},
                    .program = "/usr/bin/curl"})
            .out;
    };
    EXPECT_NE(get("/healthz").find("\"success\":true"), std::string::npos);
    EXPECT_NE(get("/readyz").find("\"success\":true"), std::string::npos) << get("/readyz");
    const json events = json::parse(get("/events"));
    ASSERT_EQ(events["result"].size(), 1U) << events;
    EXPECT_EQ(events["result"][0]["source_ip"], "103.118.76.198");
    const std::string metrics = get("/metrics");
    for (const char* name : {"cam_polls_total{outcome=\"done\"}", "cam_events_total{result=\"claimed\"} 1",
                             "cam_outbox_messages", "cam_outbox_oldest_seconds", "cam_build_info{version="}) {
        EXPECT_NE(metrics.find(name), std::string::npos) << name << " in\n" << metrics;
    }
}

}  // namespace
}  // namespace cam::test
